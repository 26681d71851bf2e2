"""Files from elsewhere with code in them: whatever reads a run directory runs none of it, and names the file."""

from __future__ import annotations

import io
import os
import pickle
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from runner.__main__ import main
from runner.files import read_json, write_json
from runner.search.records import find_record, write_ablation
from runner.spec import Kind, Settings, read_file, refuse_modules_in
from runner.store import RunDir, read_study
from tests.commands import ROOT, numbers, run
from tests.conftest import BASE
from tests.problems import refused
from tests.searches import make
from tests.studies import vouch

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
    "correct.npz": {"objects": objects, "pickle": bare_pickle},
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


def test_the_payloads_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded without care, each of them runs."""
    monkeypatch.chdir(tmp_path)
    for name, form in CASES:
        path = Path(name)
        FORMS[name][form](path)
        if name.endswith(".npz"):
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
        vouch(RunDir(folder))
    status, report = command("report")
    assert status == 0, report
    status, evaluated = command("evaluate", str(folder))
    assert not Path(MARKER).exists()
    assert "Traceback" not in report + evaluated
    page = Path("reports/study-digits/summary.md").read_text()
    if name == "correct.npz" or not vouched:  # a report reads neither weights nor logits
        assert str(folder / name) in page
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
        assert RunDir(folder).status() in ("corrupt", "finished")
        assert command("report")[0] == 0


@pytest.mark.parametrize(
    "arrays",
    [{}, {"test_logits": np.zeros((2, 3))}, {"test_logits": np.zeros(2), "test_labels": np.zeros(2, int)},
     {"test_logits": np.zeros((2, 3)), "test_labels": np.array([0, 3])},
     {"test_logits": np.zeros((2, 3)), "test_labels": np.array(["a", "b"])}],
)  # fmt: skip
def test_predictions_of_another_shape_are_none(place: Path, arrays: dict[str, Any]) -> None:
    folder = run_dir()
    (folder / "correct.npz").unlink()  # as an older run
    np.savez(folder / "predictions.npz", allow_pickle=False, **arrays)
    vouch(RunDir(folder))
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


CODE = f"""import pathlib
pathlib.Path({MARKER!r}).touch()
STUDY = {STUDY!r}
def f(*_):
    raise RuntimeError
"""


def forge(path: Path, **changes: Any) -> None:
    """Other words in one of the runner's JSON files."""
    data = read_json(path)
    assert data
    write_json(path, data | changes)


@pytest.fixture
def importable(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where python -m finds modules: the working directory, whose `runs` came from elsewhere."""
    monkeypatch.syspath_prepend(place)
    before = set(sys.modules)
    yield place
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("runs", "payload"):
            del sys.modules[name]


@pytest.mark.parametrize("setting", ["dataset", "model"])
@pytest.mark.parametrize(
    ("file", "reference"),
    [
        ("payload.py", "runs.payload:f"),
        ("__init__.py", "runs.payload:f"),
        ("x/payload/__init__.py", "runs.x.payload:f"),
    ],
)
def test_evaluate_and_prune_import_nothing_from_among_the_runs(
    importable: Path, setting: str, file: str, reference: str
) -> None:
    folder, code = run_dir(), Path("runs") / file
    code.parent.mkdir(parents=True, exist_ok=True)
    code.write_text(CODE)
    known = RunDir(folder).run_json()
    assert known
    settings = known.settings | {setting: reference}
    forge(folder / "run.json", settings=settings)
    vouch(RunDir(folder))
    status, said = command("evaluate", str(folder))
    assert status == 2
    assert f"{reference}: is in {importable / 'runs'}" in said
    Path("ablations").mkdir()
    Path("ablations/study.py").write_text(f"STUDY = {STUDY!r}")
    study = Path("runs/study-digits/study.json")
    baseline = {"directory": "baseline-0", "changes": {}, "settings": settings}
    forge(study, file="ablations/study.py", name=f"study-digits+{setting}=x", variants={"baseline": baseline})
    study.parent.rename(f"runs/study-digits+{setting}=x")
    status, said = command("prune", "--yes")
    assert status == 0
    assert "so all its variants are kept" in said
    assert not Path(MARKER).exists()
    sys.path_importer_cache.clear()
    with suppress(ImportError):
        __import__(reference.partition(":")[0])
    assert Path(MARKER).exists()  # the payload is real


def test_a_module_beside_the_runs_is_still_ones_own(importable: Path) -> None:
    Path("payload.py").write_text(CODE)
    Path("nets/deep").mkdir(parents=True)
    references = ["payload:f", "mlp", "os.path:join", "nowhere.to.be:found", "sys:exit", "nets.deep.payload:f", 5]
    refuse_modules_in(Path("runs"), references)
    Path("nets/deep/payload.py").symlink_to(importable / "runs" / "payload.py")
    with refused(Kind.UNSAFE, "nets.deep.payload:f"):
        refuse_modules_in(Path("runs"), references)
    with refused(Kind.UNSAFE, "payload:f", str(importable / "payload.py")):
        refuse_modules_in(importable, ["payload:f"])


@pytest.mark.parametrize("kind", ["among the runs", "elsewhere", "a link"])
def test_prune_runs_no_file_that_is_not_in_ablations(place: Path, kind: str) -> None:
    Path("ablations").mkdir()
    file = Path({"among the runs": "runs/study-digits/study2.py"}.get(kind, "study2.py"))
    file.write_text(CODE)
    if kind == "a link":
        file = Path("ablations/study2.py")
        file.symlink_to(place / "study2.py")
    forge(Path("runs/study-digits/study.json"), file=str(file))
    status, said = command("prune")
    assert status == 0
    assert f"{file} is not in ablations/ and is not read" in said
    assert "there is nothing to remove" in said
    assert not Path(MARKER).exists()


SEARCH: dict[str, Any] = {
    "baseline": BASE | {"epochs": 1}, "space": {"lr": [1e-3, 1e-2, 0.02]}, "runs": 2, "fresh_seeds": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("searched")
    make(place, **SEARCH)
    return place


QUOTES = 'x"""\nimport pathlib; pathlib.Path("payload-ran").touch()\n"""\\'


def test_no_word_of_a_searchs_record_becomes_code_in_a_study(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(searched / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/hunt-digits")
    for stem in (QUOTES.replace("/", ""), "../hunt", "a b", "$(touch x)"):
        forge(folder / "study.json", file=f"ablations/{stem}.py")
        status, said = command("ablate-winner", "hunt-digits")
        assert (status, "its file's name: " in said) == (2, True) if stem != "../hunt" else (status == 0)
    shutil.rmtree("ablations")
    forge(folder / "study.json", file="ablations/hunt.py", name=QUOTES)
    folder.rename(Path("runs") / QUOTES)
    status, said = command("ablate-winner", QUOTES)
    assert status == 0, said
    (file,) = Path("ablations").glob("*.py")
    assert file.stem.isidentifier()
    assert QUOTES in read_file(str(file))[2]
    assert not Path(MARKER).exists()


def test_a_written_study_names_no_module_from_among_the_runs(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(searched / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "runs" / "payload.py").write_text(CODE)
    record = find_record(Path("runs"), "hunt")
    monkeypatch.setattr(record, "search", replace(record.search, baseline=_with_model(record.search.baseline)))
    with refused(Kind.UNSAFE, "runs.payload:f"):
        write_ablation(record)
    assert not Path("ablations").exists()
    assert not Path(MARKER).exists()


def _with_model(settings: Settings) -> Settings:
    return settings.model_copy(update={"model": "runs.payload:f"})


@pytest.mark.parametrize("directory", ["..", ".", "a/b", "a\\b", "a\0b", ""])
def test_a_record_names_no_directory_but_its_own(place: Path, directory: str) -> None:
    study = Path("runs/study-digits/study.json")
    variant = {"directory": directory, "changes": {}, "settings": {}}
    forge(study, variants={"baseline": variant})
    assert read_study(study.parent) is None


def test_tensorboard_listens_on_this_machine_alone() -> None:
    """`runner board` listens on this machine; test_board_serve.py asks it."""
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^tensorboard:.*\n\t@\$\(PY\) -m runner board \$\(ARGS\)$", makefile, re.M)
    assert not re.search(r"bind_all|0\.0\.0\.0|--host", makefile)


def test_nothing_is_unpickled_and_no_shell_is_used() -> None:
    for path in (ROOT / "runner").rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"\bpickle\b|os\.system|shell=True|[^.\w](eval|exec)\(|allow_pickle=True", text), path
        for loads in re.findall(r"torch\.load\([^)]*\)", text):
            assert "weights_only=True" in loads, path
