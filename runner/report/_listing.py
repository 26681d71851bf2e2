"""Which studies and searches have runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from runner.spec import Kind, Problem, RequestError
from runner.store import TWIN, read_study
from runner.typed import command


def studies_in(runs: Path, names: list[str] | None) -> list[str]:
    """The names asked for, or all that have a study.json; RequestError for one that has not.

    A random search is in the report of the search that it stands beside.
    """
    there = sorted(path.parent.name for path in runs.glob("*/study.json"))
    if missing := [name for name in names or [] if name not in there]:
        none = f"There are none yet; {command('run', make='make ablations')} makes some."
        valid = f"There are: {', '.join(there)}." if there else none
        raise RequestError(
            [Problem(Kind.UNKNOWN, str(runs), f'there are no runs named "{name}". {valid}') for name in missing]
        )
    return names or [name for name in there if not name.endswith(TWIN) and _is_readable(runs / name)]


def unreadable(runs: Path) -> list[str]:
    """Directories whose study.json can't be used: corrupt, or of another place."""
    return sorted(path.parent.name for path in runs.glob("*/study.json") if not _is_readable(path.parent))


def _is_readable(folder: Path) -> bool:
    """Whether a directory's study.json is a study's, or a search's with its record."""
    study = read_study(folder)
    if study and study.search is not None:
        from runner.search.records import read_record  # with Optuna

        with suppress(RequestError):
            return bool(read_record(folder))
        return False
    return study is not None
