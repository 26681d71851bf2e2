"""Records what made a run: versions, code, data, machine and device."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pydantic

from runner.spec import is_plain
from runner.store._syntax import meaning
from runner.typed import program

_PACKAGES = ("torch", "torchvision", "numpy", "albumentations", "opencv-python-headless", "tensorboard")
_DECIDING = (  # files and rooms whose code decides the numbers; a fingerprint covers the data
    "confusion.py", "data/_dataset.py", "data/_split.py", "data/_stream.py", "models.py", "randomness.py",
    "torchvision.py", "train",
    *(f"catalog/_{table}.py" for table in ("activations", "initializations", "losses", "models", "monitors")),
    "catalog/_rates.py", "catalog/_schedules.py",
)  # fmt: skip
_WORDS = ("meaning", "source")  # of a catalog's entry
_THEN = ", then "  # between the processors of a run that several made


class Provenance(pydantic.BaseModel):
    """What made a run; a value that an older version did not record is None.

    versions   of Python and of the packages that decide numbers
    code       a hash of the runner's deciding modules
    machine    operating system and processor family
    processor  the exact processor; of a run that was resumed on other ones, each in its order
    device     cpu, cuda or mps
    threads    threads for each worker
    commit     the git commit, for people
    data       the fingerprint of the data set's images, labels and splits
    model, optimizer, schedule, loss
               a hash of your own code's module where the setting names one
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="allow")

    versions: dict[str, Any] = {}
    code: Any = None
    machine: Any = None
    processor: Any = None
    device: Any = None
    threads: Any = None
    commit: Any = None
    data: Any = None
    model: Any = None
    optimizer: Any = None
    schedule: Any = None
    loss: Any = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _is_plain(cls, value: Any) -> Any:
        if isinstance(value, dict) and not is_plain(value):
            raise ValueError("a provenance is plain data")
        return value

    def having(self, **values: Any) -> Provenance:
        """Returns a copy with other values."""
        return self.model_copy(update=values)

    def resuming(self, earlier: Provenance) -> Provenance:
        """Returns the provenance of a run that began under an earlier one: it keeps the processors that made it."""
        names = [*str(earlier.processor or "").split(_THEN), *str(self.processor or "").split(_THEN)]
        return self.having(processor=_THEN.join(dict.fromkeys(filter(None, names))) or None)

    def plain(self) -> dict[str, Any]:
        """Returns what was recorded, as JSON data."""
        return self.model_dump(mode="json", exclude_unset=True)


@cache
def present_provenance(device: str) -> Provenance:
    """Returns the provenance of runs in this process, without commit, data and your own code."""
    return Provenance(
        versions={"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        code=_code(),
        machine=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        device=device,
        threads=1,
    )


def command() -> str:
    """Returns the command that you typed, without options that change no number, such as --runs and --workers.

    From the path of --data it keeps the last part only, so that reports do not show your folders.
    """
    words, arguments = program(), iter(sys.argv[1:])
    if not words:
        return "runner.run(...)"  # the command line of a notebook or script does not help readers
    for argument in arguments:
        key, given, value = argument.partition("=")
        if key in ("--runs", "--reports", "--workers", "--executor", "--address", "--data"):
            value = value if given else next(arguments, "")
            words += [key, Path(value).name] if key == "--data" else []
        else:
            words.append(argument)
    return shlex.join(words)


@cache
def commit() -> str | None:
    """Returns the present git commit, with + where tracked files have changes; None outside a checkout.

    An installed copy may be within a checkout of your own project, whose commit does not say what the runner is.
    """
    root = Path(__file__).parents[2]
    try:
        tracked = ["git", "ls-files", "--error-unmatch", str(Path(__file__))]
        subprocess.run(tracked, cwd=root, capture_output=True, check=True)
        head = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        )
        status = ["git", "status", "--porcelain", "--untracked-files=no"]  # such as data sets, which change no code
        changed = subprocess.run(status, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def same_provenance(one: Provenance, other: Provenance) -> bool:
    """Whether two runs have the same code, versions, data and machine type.

    It ignores the commit, because most commits change no number; `code` shows which do. It ignores the processor:
    another processor of the same machine type only rounds differently.
    """
    return one.having(commit=None, processor=None) == other.having(commit=None, processor=None)


def processors(made: Iterable[Provenance]) -> list[str]:
    """Returns the processors that made runs, each once. More than one round differently."""
    names = [name for each in made for name in str(each.processor or "").split(_THEN)]
    return list(dict.fromkeys(filter(None, names)))


def _processor() -> str:
    """Returns the processor's name from Linux, else from Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "model name" not in said:
        return platform.processor()
    return f"{said['model name']} (family {said.get('cpu family')}, model {said.get('model')})"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def deciding_files() -> list[Path]:
    """Returns the runner's files whose code decides the numbers of a run."""
    root = Path(__file__).parents[1]
    return [
        file
        for name in _DECIDING
        for file in (sorted((root / name).glob("*.py")) if (root / name).is_dir() else [root / name])
    ]


def _code() -> str:
    """Hashes the deciding files without comments, docstrings and the descriptions of entries."""
    digest = hashlib.sha256()
    for file in deciding_files():
        digest.update(meaning(file.read_text(encoding="utf-8"), _WORDS).encode())
    return digest.hexdigest()[:12]
