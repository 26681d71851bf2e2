"""Files from elsewhere with code in them: whatever reads a run directory runs none of it, and names the file."""

from __future__ import annotations

import io
import os
import pickle
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from runner.__main__ import main
from runner.logs.rundir import RunDir
from tests.commands import ROOT, numbers, run
from tests.conftest import BASE

STUDY: dict[str, Any] = {"baseline": BASE | {"epochs": 2}, "variants": {"b": {"dropout": 0.5}}, "seeds": 1}
MARKER = "payload-ran"


class Payload:
    """Unpickled, it creates a file in the working directory."""

    def __reduce__(self) -> Any:
        return os.system, (f"touch {MARKER}",)


def torch_zip(path: Path) -> None:
    torch.save({"weight": torch.zeros(1), "more": Payload()}, path)


def bare_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": Payload()}))


def old_torch(path: Path) -> None:
    torch.save({"weight": Payload()}, path, _use_new_zipfile_serialization=False)


def renamed_entry(path: Path) -> None:
    """torch's form, with the payload where the pickle of tensors belongs."""
    torch.save({"weight": torch.zeros(1)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, pickle.dumps(Payload()) if name.endswith("data.pkl") else data)


def objects(path: Path) -> None:
    array = np.empty(1, dtype=object)
    array[0] = Payload()
    with open(path, "wb") as file:
        np.savez(file, test_logits=array, test_labels=array, val_logits=array, val_labels=array)


FORMS: dict[str, dict[str, Callable[[Path], None]]] = {
    "best.pt": {"torch": torch_zip, "pickle": bare_pickle, "old": old_torch, "entry": renamed_entry},
    "predictions.npz": {"objects": objects, "pickle": bare_pickle},
    "checkpoint.pt": {"torch": torch_zip, "pickle": bare_pickle, "old": old_torch, "entry": renamed_entry},
}
CASES = [(name, form) for name, forms in FORMS.items() for form in forms]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    assert run(STUDY, place)[0].failed == 0
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_dir() -> Path:
    (found,) = Path().glob("runs/*/baseline-*/seed0")
    return found


def command(*arguments: str) -> tuple[Any, str]:
    """A command's exit status, and what it says."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main(list(arguments))
        except SystemExit as end:
            return end.code, said.getvalue()
    return 0, said.getvalue()


def vouch(folder: Path) -> None:
    """As a careful attacker: the result vouches for the file that is there now."""
    directory = RunDir(folder)
    result = directory.result()
    assert result
    directory.write_result(result)


def test_the_payloads_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded without care, each of them runs."""
    monkeypatch.chdir(tmp_path)
    for name, form in CASES:
        path = Path(name)
        FORMS[name][form](path)
        if name == "predictions.npz":
            found: Any = np.load(path, allow_pickle=True)
            _ = found["test_logits"] if form == "objects" else found
        else:
            with suppress(RuntimeError):  # it has run by the time that it turns out to be no checkpoint
                torch.load(path, weights_only=False)
        assert Path(MARKER).exists(), (name, form)
        Path(MARKER).unlink()


@pytest.mark.parametrize("vouched", [False, True])
@pytest.mark.parametrize(("name", "form"), [case for case in CASES if case[0] != "checkpoint.pt"])
def test_report_and_evaluate_run_no_code_and_name_the_file(place: Path, name: str, form: str, vouched: bool) -> None:
    folder = run_dir()
    FORMS[name][form](folder / name)
    if vouched:
        vouch(folder)
    status, report = command("report")
    assert status == 0, report
    status, evaluated = command("evaluate", str(folder))
    assert not Path(MARKER).exists()
    assert "Traceback" not in report + evaluated
    page = Path("reports/study-digits/summary.md").read_text()
    if name == "predictions.npz" or not vouched:  # weights that are vouched for are no report's concern
        assert f"Spoilt, so that these runs are left out: {folder / name}" in page
        assert str(folder / name) in report
    if name == "best.pt" or not vouched:  # evaluate makes its predictions anew
        assert status == 2
        assert name in evaluated


@pytest.mark.parametrize(("name", "form"), CASES)
def test_run_runs_no_code_and_ends_in_the_same_bits(made: Path, place: Path, name: str, form: str) -> None:
    folder = run_dir()
    if name == "checkpoint.pt":
        (folder / "result.json").unlink()
    FORMS[name][form](folder / name)
    outcome, text = run(STUDY, Path(), workers=1)
    assert outcome.failed == 0
    assert not Path(MARKER).exists()
    assert str(folder / name) in text
    assert numbers(place) == numbers(made)


def test_tables_of_json_are_data(place: Path) -> None:
    """result.json and run.json that a stranger wrote, sums and all, end in words."""
    folder = run_dir()
    for files in ([1], "x", {"../../../x": 1}, {"run.json": "y"}):
        result = {"metrics": {"val": 1.0}, "files": files}
        text = re.sub(r"'", '"', str(result))
        (folder / "result.json").write_text(text)
        assert RunDir(folder).status() in ("spoilt", "finished")
        assert command("report")[0] == 0


@pytest.mark.parametrize(
    "arrays",
    [{}, {"test_logits": np.zeros((2, 3))}, {"test_logits": np.zeros(2), "test_labels": np.zeros(2, int)},
     {"test_logits": np.zeros((2, 3)), "test_labels": np.array([0, 3])},
     {"test_logits": np.zeros((2, 3)), "test_labels": np.array(["a", "b"])}],
)  # fmt: skip
def test_predictions_of_another_shape_are_none(place: Path, arrays: dict[str, Any]) -> None:
    folder = run_dir()
    RunDir(folder).save_predictions(**arrays)
    vouch(folder)
    status, said = command("report")
    assert status == 0
    assert f"{folder}/predictions.npz" in said


def test_the_cache_of_data_runs_no_code(place: Path) -> None:
    """Somebody else's cache among the data is made anew."""
    for path in Path("data/cache").glob("*/*.npy"):
        array = np.empty(1, dtype=object)
        array[0] = Payload()
        np.save(path, array, allow_pickle=True)
    (run_dir() / "result.json").unlink()
    assert run(STUDY, Path(), workers=1)[0].failed == 0
    assert not Path(MARKER).exists()


def test_tensorboard_listens_on_this_machine_alone() -> None:
    makefile = (ROOT / "Makefile").read_text()
    lines = [line for line in makefile.splitlines() if "tensorboard --logdir" in line]
    assert lines
    assert all("--host 127.0.0.1" in line for line in lines)
    shown = subprocess.run(["make", "-n", "tensorboard"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "--host 127.0.0.1" in shown.stdout
    assert not re.search(r"bind_all|0\.0\.0\.0", makefile)


def test_nothing_is_unpickled_and_no_shell_is_used() -> None:
    for path in (ROOT / "runner").rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"\bpickle\b|os\.system|shell=True|[^.\w](eval|exec)\(|allow_pickle=True", text), path
        for loads in re.findall(r"torch\.load\([^)]*\)", text):
            assert "weights_only=True" in loads, path
