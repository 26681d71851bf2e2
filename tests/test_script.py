"""Scripts that call run(): workers import them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.commands import ROOT
from tests.conftest import BASE

STUDY = {"baseline": BASE | {"epochs": 1}, "seeds": 1}
CALL = f"import runner\nrunner.run({STUDY!r}, workers=1)\n"


def python(place: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_script_without_a_guard_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(CALL)
    result = python(tmp_path, "script.py")
    assert result.returncode == 1
    assert 'if __name__ == "__main__"' in result.stderr.splitlines()[-1]
    assert len(result.stderr.splitlines()) < 20
    assert not (tmp_path / "runs").exists()


def test_a_script_from_standard_input_is_refused_in_words(tmp_path: Path) -> None:
    result = python(tmp_path, "-", text=CALL)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("runner.spec._problems.RequestError: <stdin>")
    assert not (tmp_path / "runs").exists()


def test_a_guarded_script_and_a_command_without_a_file_train(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(f"import runner\nif __name__ == '__main__':\n    {CALL.splitlines()[-1]}\n")
    assert python(tmp_path, "script.py").returncode == 0
    assert len(list(tmp_path.glob("runs/*/*/seed0/result.json"))) == 1
    (tmp_path / "elsewhere").mkdir()
    assert python(tmp_path / "elsewhere", "-c", CALL).returncode == 0
    assert len(list(tmp_path.glob("elsewhere/runs/*/*/seed0/result.json"))) == 1
