"""What made a run: versions, code and machine, so that runs made by others are told apart."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import platform
import shlex
import subprocess
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from runner.spec import is_reference

_PACKAGES = ("torch", "torchvision", "numpy", "albumentations", "opencv-python-headless", "tensorboard")
_DECIDING = (  # files and rooms whose code decides the numbers; a run's data have a fingerprint of their own
    "data/dataset.py", "data/stream.py", "models.py", "randomness.py", "train", "torchvision.py",
    *(f"catalog/{table}.py" for table in ("activations", "initializations", "models", "schedules")),
)  # fmt: skip
_WORDS = ("meaning", "source")  # of a catalog's entry


@cache
def provenance(device: str) -> dict[str, Any]:
    """Plain data: versions, a hash of the deciding code, machine type, device, threads a worker."""
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "code": _code(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "device": device,
        "threads": 1,
    }


def command() -> str:
    """What was typed, without what changes no number: where runs and reports lie, how many workers. Of the place of
    the data its last part: whose folder that was is nobody's concern who reads the report."""
    program = Path(sys.argv[0])
    if "runner" not in (program.name, program.parent.name):
        return "runner.run(...)"  # a notebook's or a script's own command line says nothing
    words, arguments = ["python", "-m", "runner"], iter(sys.argv[1:])
    for argument in arguments:
        key, given, value = argument.partition("=")
        if key in ("--runs", "--reports", "--workers", "--data"):
            value = value if given else next(arguments, "")
            words += [key, Path(value).name] if key == "--data" else []
        else:
            words.append(argument)
    return shlex.join(words)


@cache  # once a process, as it imports the module once: a later edit is no part of what it does
def own_model(model: str) -> dict[str, str]:
    """What a run's provenance says besides where its model is somebody's own: a hash of what its module does.

    `code` covers the runner's rooms alone. Nothing for built-in models.
    """
    return {"model": _hash_of(model.partition(":")[0])} if is_reference(model) else {}


def _hash_of(module: str) -> str:
    try:
        spec = importlib.util.find_spec(module)
        source = spec.loader.get_source(module)  # type: ignore[union-attr]
        return hashlib.sha256(meaning(source).encode()).hexdigest()[:12]
    except Exception:  # no module, which fails the run by itself, or one without Python source
        return "unknown"


@cache
def commit() -> str | None:
    """The present git commit, with + where tracked files have changes; None outside a checkout."""
    root = Path(__file__).parents[2]
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        )
        status = ["git", "status", "--porcelain", "--untracked-files=no"]  # a data set beside it changes no code
        changed = subprocess.run(status, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def same_makers(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two runs' numbers come from the same code, versions, data and machine type.

    The commit is for people: most commits change nothing that decides a number, and `code` says which do. So
    is the processor: another kind rounds otherwise, which is one more draw of luck and no other experiment.
    """
    apart = {"commit": None, "processor": None}
    return one | apart == other | apart


def _processor() -> str:
    """The processor's name, as Linux knows it or as Python does."""
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
    """The files whose code decides the numbers of a run, below the package's folder."""
    root = Path(__file__).parents[1]
    return [
        file
        for name in _DECIDING
        for file in (sorted((root / name).glob("*.py")) if (root / name).is_dir() else [root / name])
    ]


def _code() -> str:
    """A hash of what the deciding files do: comments, docstrings and the words of entries decide no number."""
    digest = hashlib.sha256()
    for file in deciding_files():
        digest.update(meaning(file.read_text(encoding="utf-8"), _WORDS).encode())
    return digest.hexdigest()[:12]


def meaning(source: str, words: Collection[str] = ()) -> str:
    """Python source as its syntax tree, without docstrings: two texts that do the same have the same.

    `words` are arguments of calls that are only read by people: their texts are not part of the tree.
    """
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if isinstance(node, ast.Call):
            node.keywords = [each for each in node.keywords if not (each.arg in words and _is_text(each.value))]
    return ast.dump(tree)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
