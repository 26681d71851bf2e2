"""run() in a real Jupyter kernel: what shows while it trains, and Ctrl-C's counterpart."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from runner.store import FINISHED, RunDir, read_rows
from tests.commands import ROOT
from tests.conftest import BASE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ipykernel") is None, reason="needs a Jupyter kernel"),
]
OFTEN = "import runner.ticker; runner.ticker.EVERY = 0.1"
RUN = "from runner import run; table = run({study!r}, workers=2); print(len(table))"


@dataclass
class Cell:
    """What a cell has shown, piece by piece, and its error."""

    shown: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.shown)


@dataclass
class Notebook:
    """A kernel, as a notebook has it."""

    manager: Any
    client: Any

    def run(self, code: str, on_text: Callable[[str], object] = lambda text: None) -> Cell:
        """Runs a cell; `on_text` hears of everything that it shows, at once."""
        cell = Cell()

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                cell.errors.append(content)
            elif message["msg_type"] in ("stream", "display_data", "execute_result"):
                cell.shown.append(content.get("text") or content["data"]["text/plain"])
                on_text(cell.shown[-1])

        self.client.execute_interactive(code, output_hook=hear, timeout=300)
        return cell


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    start = pytest.importorskip("jupyter_client.manager").start_new_kernel
    manager, client = start(cwd=str(tmp_path), env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        made = Notebook(manager, client)
        assert not made.run(OFTEN).errors
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def study(epochs: int) -> dict[str, Any]:
    return {"baseline": BASE | {"epochs": epochs}, "variants": {"drop": {"dropout": 0.5}}, "seeds": 1}


def test_a_notebook_shows_progress_effects_and_where_the_report_is(notebook: Notebook, tmp_path: Path) -> None:
    cell = notebook.run(RUN.format(study=study(100)))
    assert not cell.errors
    first_end = next(number for number, text in enumerate(cell.shown) if text.startswith("[1/2]"))
    assert any(re.search(r"epoch [1-9]\d* of 100, val", text) for text in cell.shown[:first_end])
    assert re.search(r"^drop +1 ", cell.text, re.M)  # its n in the table of effects
    (page,) = re.findall(r"report: +(\S+)", cell.text)
    assert (tmp_path / page).is_file()
    assert cell.shown[-1] == "2\n"


def test_an_interrupted_cell_ends_cleanly_and_the_next_resumes(notebook: Notebook, tmp_path: Path) -> None:
    interrupted: list[str] = []

    def interrupt(text: str) -> None:
        if not interrupted and text.count("epoch ") == 2 and "epoch 0 " not in text:
            interrupted.append(text)
            notebook.manager.interrupt_kernel()

    cell = notebook.run(RUN.format(study=study(400)), interrupt)
    assert interrupted
    (error,) = cell.errors
    assert error["ename"] == "KeyboardInterrupt"
    assert "During handling" not in "".join(error["traceback"])
    assert "Traceback" not in cell.text
    folders = sorted(tmp_path.glob("runs/*/*/seed0"))
    begun = [RunDir(folder).run_json() for folder in folders]
    reached = [len(read_rows(folder / "metrics.csv")) for folder in folders]
    assert len(folders) == 2
    assert all(0 < epochs < 400 for epochs in reached)
    cell = notebook.run(RUN.format(study=study(400)))
    assert not cell.errors
    assert cell.shown[-1] == "2\n"
    for folder, before in zip(folders, begun, strict=True):
        now = RunDir(folder).run_json()
        assert now
        assert before
        assert RunDir(folder).status() == FINISHED
        assert now.started == before.started  # of its first attempt, which it resumed
        assert len(read_rows(folder / "metrics.csv")) == 400
