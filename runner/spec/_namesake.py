"""Your own module called `runner`: Python finds this package instead, so a study can't use it."""

from __future__ import annotations

import sys
from pathlib import Path

_OURS = Path(__file__).parents[1]
_NAME = _OURS.name


def namesake() -> Path | None:
    """Returns your own module or package with this package's name, where there is one."""
    places = [Path(place or ".") for place in sys.path]
    found = [path for place in places for path in (place / f"{_NAME}.py", place / _NAME / "__init__.py")]
    return next((path for path in found if path.is_file() and path.parent.resolve() != _OURS), None)


def hint(module: str) -> str:
    """Returns why a module of this name is not yours, and how to fix it; empty where it is not about yours."""
    if module.partition(".")[0] != _NAME or not (file := namesake()):
        return ""
    return f'the name "{_NAME}" means the installed program, so {file} is never imported; rename that module.'


def hint_of(error: BaseException) -> str:
    """Returns the hint for an import that failed, because it expected your module of this name."""
    if isinstance(error, ImportError):
        return hint(error.name or "")
    return hint(str(getattr(getattr(error, "obj", None), "__name__", ""))) if isinstance(error, AttributeError) else ""
