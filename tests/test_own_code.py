"""Your own code's identity: what its module and those that it imports do, or the version that it declares."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.expand import Overrides, resolve
from runner.expand._files import with_files
from runner.spec import Kind, Settings, references, refuse_modules_in
from runner.store import RunJson, comparable, forget_own_code, own_code_hashes
from tests.problems import refused
from tests.studies import BASE

Hashes = Callable[..., dict[str, str]]
LOSS = """from torch.nn.functional import cross_entropy


def loss(logits, labels):
    return 2 * cross_entropy(logits, labels)
"""


@pytest.fixture
def hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hashes:
    """The hashes of settings' own code, after files in a folder of yours were written."""
    monkeypatch.syspath_prepend(tmp_path)

    def hashed(files: dict[str, str], **changes: Any) -> dict[str, str]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        importlib.invalidate_caches()
        forget_own_code()
        return own_code_hashes(Settings.model_validate(BASE | changes))

    return hashed


def test_each_setting_that_names_own_code_has_a_hash(hashes: Hashes) -> None:
    assert hashes({}) == {}
    found = hashes(
        {"mine.py": LOSS}, loss="mine:loss", schedule="mine:rate", optimizer="other.mod:Make", model="mine:net"
    )
    assert found.keys() == {"loss", "schedule", "optimizer", "model"}
    assert found["loss"] == found["model"] == found["schedule"] != found["optimizer"] == "unknown"


def test_an_edit_changes_the_hash_and_a_remark_does_not(hashes: Hashes) -> None:
    first = hashes({"mine.py": LOSS}, loss="mine:loss")
    assert hashes({"mine.py": LOSS + "# a remark\n"}, loss="mine:loss") == first
    assert hashes({"mine.py": LOSS.replace("2", "3")}, loss="mine:loss") != first


PACKAGE = {
    "lab/__init__.py": "",
    "lab/losses.py": "import torch\nfrom . import parts\nfrom lab.deep.scale import factor\nimport beside\n",
    "lab/parts.py": "x = 1\n",
    "lab/deep/__init__.py": "",
    "lab/deep/scale.py": "factor = 2\n",
    "lab/unused.py": "y = 1\n",
    "beside.py": "z = 1\n",
}


@pytest.mark.parametrize(
    ("file", "counts"),
    [("lab/parts.py", True), ("lab/deep/scale.py", True), ("lab/__init__.py", True), ("lab/deep/__init__.py", True),
     ("beside.py", True), ("lab/unused.py", False)],
)  # fmt: skip
def test_imports_within_your_package_and_its_folder_are_followed(hashes: Hashes, file: str, counts: bool) -> None:
    before = hashes(PACKAGE, loss="lab.losses:loss")
    assert before["loss"] != "unknown"
    after = hashes({file: PACKAGE[file] + "more = 3\n"}, loss="lab.losses:loss")
    assert (after != before) == counts


def test_modules_that_import_one_another_have_a_hash(hashes: Hashes) -> None:
    files = {"one.py": "def loss(a, b):\n    import two\n", "two.py": "import one\n"}
    assert hashes(files, loss="one:loss")["loss"] != "unknown"


def test_only_a_declared_version_counts(hashes: Hashes) -> None:
    first = hashes({"mine.py": 'VERSION = "1"\n' + LOSS}, loss="mine:loss")
    assert hashes({"mine.py": 'VERSION = "1"\n' + LOSS.replace("2", "3")}, loss="mine:loss") == first
    assert hashes({"mine.py": 'VERSION = "2"\n' + LOSS}, loss="mine:loss") != first


@pytest.mark.parametrize("key", ["loss", "optimizer", "schedule"])
def test_runs_of_edited_own_code_are_not_in_one_table(key: str) -> None:
    def made(when: float, **own: Any) -> RunJson:
        content = {"settings": BASE | {key: "mine:thing"}, "provenance": own, "status": "finished", "ended": when}
        return RunJson.model_validate({"started": when - 1, "seed": 0, "study": "s", "variant": "v"} | content)

    old, new, other = made(1.0, **{key: "a"}), made(2.0, **{key: "b"}), made(1.5)
    other = other.model_copy(update={"settings": BASE})
    assert comparable([old, new, other]) == [False, True, True]


def test_files_that_own_codes_arguments_name_count_by_content(tmp_path: Path) -> None:
    file = tmp_path / "weights.txt"
    study = {"baseline": BASE | {"loss": "tests.recipes:gives", "loss_args": {"what": str(file)}}, "seeds": 1}

    def digest() -> str:
        return with_files(resolve(Path("study.py"), study, "", Overrides())).variants[0].digest

    missing = digest()
    file.write_text("1")
    first = digest()
    file.write_text("22")
    assert len({missing, first, digest()}) == 3
    built_in = {"loss": "HuberLoss", "loss_args": {"delta": 0.5}}
    found = with_files(resolve(Path("study.py"), {"baseline": BASE | built_in, "seeds": 1}, "", Overrides()))
    assert found.variants[0].files == {}


def test_own_code_among_the_runs_is_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "evil.py").write_text("raise SystemExit\n")
    chosen = Settings.model_validate(BASE | {"loss": "evil:loss"})
    with refused(Kind.UNSAFE, "evil:loss"):
        refuse_modules_in(tmp_path, references(chosen))
