"""Studies that train by a command: placeholders, what it leaves, and how it ends."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runner.execute._own_command import CommandFailed, run_command
from runner.execute._own_scalars import left_scalars
from runner.execute._placeholders import filled, placeholders
from runner.spec import Kind, OwnTraining, RequestError
from runner.store import FINISHED, RunDir
from runner.train import Interrupted
from tests.commands import run
from tests.foreign import write

SCRIPT = """
import csv, sys
from pathlib import Path
lr, seed, folder = float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
with open(folder / "metrics.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["step", "val/acc"])
    table.writerows([step, lr + seed / 100 + step / 1000] for step in range(3))
print("done", lr)
"""


def study(script: Path, **changes: Any) -> dict[str, Any]:
    return {
        "command": [sys.executable, str(script), "{lr}", "{seed}", "{folder}"],
        "metrics": {"val/acc": "more"},
        "baseline": {"lr": 0.1},
        "variants": {"high": {"lr": 0.5}},
        "seeds": 2,
        **changes,
    }


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def call(words: list[str], folder: Path, limit: float | None = None, stop: Any = lambda: False) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    return list(run_command(OwnTraining(command=tuple(words), time_limit=limit), {}, 0, folder, stop))


def test_placeholders_are_filled_without_a_shell() -> None:
    words = ["--lr={lr}", "{name}", "{flag}", "{{x}}", "$(touch a)", "{list}"]
    values = {"lr": 0.1, "name": "a b", "flag": True, "list": [1, 2]}
    assert placeholders(words) == ["lr", "name", "flag", "list"]
    assert filled(words, values) == ["--lr=0.1", "a b", "true", "{x}", "$(touch a)", "[1, 2]"]


def test_a_commands_numbers_become_runs(script: Path, tmp_path: Path) -> None:
    outcome, _ = run(study(script), tmp_path, name="cmd")
    assert outcome.failed == 0
    for directory, lr in (("baseline", 0.1), ("high", 0.5)):
        for seed in (0, 1):
            (folder,) = tmp_path.glob(f"runs/cmd/{directory}-*/seed{seed}")
            result = RunDir(folder).result()
            assert result
            assert result.metrics == {"val/acc": pytest.approx(lr + seed / 100 + 0.002)}
            assert RunDir(folder).status() == FINISHED
            assert "done" in (folder / "output.txt").read_text()


def test_scalars_are_read_from_event_files_below_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "a", {"acc": [0.1, 0.2]})
    write(tmp_path / "a" / "val", {"acc": {1: 0.3}})
    write(tmp_path / "a" / "new", {"acc": {1: 0.5}}, new_style=True)
    found = left_scalars(tmp_path / "a")
    assert found[0] == {"acc": pytest.approx(0.1)}
    assert found[1] == {"acc": pytest.approx(0.2), "val/acc": pytest.approx(0.3), "new/acc": pytest.approx(0.5)}


def test_a_failing_command_says_how_its_output_ends(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"status 3.*broken"):
        call([sys.executable, "-c", "print('broken'); raise SystemExit(3)"], tmp_path / "own")


def test_a_command_is_killed_with_what_it_started(tmp_path: Path) -> None:
    child = f"import time; time.sleep(3); open({str(tmp_path / 'late')!r}, 'w')"
    words = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"]
    with pytest.raises(CommandFailed, match="time_limit"):
        call(words, tmp_path / "own", limit=0.5)
    time.sleep(3.5)
    assert not (tmp_path / "late").exists()


def test_a_command_stops_when_it_is_told_to(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        call([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "own", stop=lambda: True)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (["python", "{script}", "{lr}", "{seed}"], Kind.UNKNOWN),
        (["python", "missing.py", "{lr}", "{seed}"], Kind.PATH),
        (["no-such-program", "{lr}", "{seed}"], Kind.PATH),
        (["python", "-c", "1", "{lr}"], Kind.MISSING),
        (["python", "-c", "1", "{seed}"], Kind.IGNORED),
    ],
)
def test_a_wrong_command_trains_nothing(tmp_path: Path, command: list[str], kind: Kind) -> None:
    with pytest.raises(RequestError) as error:
        run(study(Path("x"), command=command), tmp_path, name="cmd")
    assert kind in {problem.kind for problem in error.value.problems}
    assert not list(tmp_path.glob("runs/*/*"))
