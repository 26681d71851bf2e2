"""Identifies your own code that trains: the module that a setting names, and those of yours that it imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from runner.spec import OwnTraining, Settings, own_code
from runner.store._provenance import Provenance
from runner.store._syntax import meaning

_NOT_YOURS = "runner"  # its deciding files have a hash of their own


def own_code_hashes(settings: Settings) -> dict[str, str]:
    """Returns the provenance's hash of each module that a setting names, by the setting's name."""
    return {key: _hash_of(reference.partition(":")[0]) for key, reference in own_code(settings).items()}


def own_provenance(shared: Provenance, training: OwnTraining) -> Provenance:
    """Returns the provenance of a study's own training.

    Its `model` is a hash of the function's module, or of the command's files. It names none of the runner's code or
    data, which decide nothing here.
    """
    return shared.having(code="", data=None, model=_training_hash(training))


def _training_hash(training: OwnTraining) -> str:
    if training.train:
        return _hash_of(training.train.partition(":")[0])
    digest = hashlib.sha256()
    for text in training.command:
        with suppress(OSError, ValueError):
            if Path(text).is_file():
                digest.update(Path(text).read_bytes())
    return digest.hexdigest()[:12]


def forget_own_code() -> None:
    """Reads modules again: a notebook may have edited them since its last command."""
    _hash_of.cache_clear()


@cache  # a process imports a module once, so a later edit does not change what it does
def _hash_of(module: str) -> str:
    """Hashes a module and your modules that it imports; only its VERSION where it declares one."""
    try:
        sources = _sources(module)
        version = _version(sources[module])
        text = version or "\n".join(meaning(source) for source in sources.values())
        return hashlib.sha256(text.encode()).hexdigest()[:12]
    except Exception:  # a module without Python source, or no module: then the run fails anyway
        return "unknown"


def _version(source: str) -> str:
    """Returns the source's statement VERSION = "..."; empty where it has none."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "VERSION" for target in node.targets):
            return ast.unparse(node)
    return ""


def _sources(module: str) -> dict[str, str]:
    """Returns the source of a module, of its packages, and of your modules that these import, by name."""
    folder = _folder(module)
    found: dict[str, str] = {}
    names = [module]
    while names:
        name = names.pop(0)
        spec = _find(name)
        if name in found or not spec or not spec.origin or not spec.origin.endswith(".py"):
            continue
        if name.partition(".")[0] != module.partition(".")[0] and (folder is None or _folder(name) != folder):
            continue
        found[name] = Path(spec.origin).read_text(encoding="utf-8")
        package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        for imported in (name, *_imports(found[name], package)):
            parts = imported.split(".")
            names += [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return found


def _imports(source: str, package: str) -> Iterator[str]:
    """Yields the names that source may import as modules; `package` is where its relative imports start."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(name, package) if node.level else name
            yield base
            yield from (f"{base}.{each.name}" for each in node.names)


def _find(name: str) -> ModuleSpec | None:
    """Finds a module without importing it."""
    top, *inner = name.split(".")
    spec = PathFinder.find_spec(top)
    for number in range(len(inner)):
        if not spec or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(".".join((top, *inner[: number + 1])), spec.submodule_search_locations)
    return spec


def _folder(name: str) -> Path | None:
    """Returns the folder of a module's outermost package; None where Python's or other people's packages are."""
    spec = PathFinder.find_spec(name.partition(".")[0])
    if not spec or not spec.origin or spec.name == _NOT_YOURS:
        return None
    file = Path(spec.origin).resolve()
    folder = file.parents[1] if spec.submodule_search_locations is not None else file.parent
    paths = sysconfig.get_paths()
    theirs = {Path(paths[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return None if folder in theirs else folder
