"""Your own modules may import torchvision beside a build of torch that its compiled ops do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORT = "from torchvision.models import resnet18"
_BUILD = """
from runner.models import build
from runner.spec import Settings

chosen = dict(dataset="digits", optimizer="Adam", lr=1e-3, batch_size=8, epochs=1, model="mine:net")
print(build(Settings(**chosen), (3, 8, 8), 10, 0).fc.out_features)
"""


@pytest.mark.parametrize("place", ["at the top", "inside the function"])
def test_an_own_module_that_imports_torchvision_works(tmp_path: Path, place: str) -> None:
    lines = ["def net(shape, classes):", f"    {_IMPORT}", "    return resnet18(num_classes=classes)"]
    source = [_IMPORT, lines[0], lines[2]] if place == "at the top" else lines
    (tmp_path / "mine.py").write_text("\n".join(source))
    environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parents[1]}{os.pathsep}{tmp_path}"}
    # In a process of its own: the repair lasts as long as its process.
    command = [sys.executable, "-c", _BUILD]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.stdout == "10\n", result.stderr


def test_a_package_that_imports_torchvision_is_whole(tmp_path: Path) -> None:
    """Its import fails halfway and is repeated: the parts that had been imported once belong to it."""
    (tmp_path / "mine").mkdir()
    main = "def main(): return mine.inner.mine.inner.width"
    (tmp_path / "mine" / "inner.py").write_text("import mine\nwidth = 3")
    (tmp_path / "mine" / "__init__.py").write_text(f"import mine.inner\n{_IMPORT}\n{main}")
    environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parents[1]}{os.pathsep}{tmp_path}"}
    load = "from runner.spec import load_function; print(load_function('mine:main')())"
    result = subprocess.run([sys.executable, "-c", load], env=environment, capture_output=True, text=True, check=False)
    assert result.stdout == "3\n", result.stderr
