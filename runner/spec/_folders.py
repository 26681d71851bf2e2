"""Where studies are: yours in `ablations/`, and those that come with the package. Yours win."""

from __future__ import annotations

import re
from pathlib import Path

from runner.files import expanded

FOLDER = Path("ablations")
_BUNDLED = Path("runner", "studies")  # how records name the folder of the bundled studies, on any machine


def bundled() -> Path:
    """Returns the folder of the studies that come with the package; in a checkout, that is its `ablations/`."""
    package = Path(__file__).parents[1]
    shipped = package / "studies"
    return shipped if shipped.is_dir() else package.parent / FOLDER


def folders() -> list[Path]:
    """Returns the folders with studies, the first to win."""
    return [FOLDER] if FOLDER.resolve() == bundled().resolve() else [FOLDER, bundled()]


def find_file(name: str, folder: Path | None = None) -> Path:
    """Returns the spec file of this name or path, without `folder` from `folders()`. It need not exist."""
    if name.endswith(".py"):
        return expanded(Path(name))
    files = [place / f"{name}.py" for place in ([folder] if folder else folders())]
    return next(filter(is_file, files), files[0])


def available(folder: Path | None = None, constant: str = "STUDY") -> list[str]:
    """Returns the names of the spec files that assign `constant`, sorted; without `folder` those of `folders()`."""
    places = [folder] if folder else folders()
    files = {file.stem: file for place in reversed(places) for file in place.glob("*.py")}
    return sorted(name for name, file in files.items() if re.search(rf"^{constant}\b", text_of(file), re.M))


def recorded(file: Path) -> str:
    """Returns how run directories record a spec file: a bundled one without the folder of this installation."""
    return (_BUNDLED / file.name).as_posix() if file.parent == bundled() else str(file)


def find_recorded(text: str) -> Path:
    """Returns the file that `recorded` named."""
    file = Path(text)
    return bundled() / file.name if file.parent == _BUNDLED else file


def is_file(file: Path) -> bool:
    """Whether there is such a file; a name that is too long for the disk is none."""
    try:
        return file.is_file()
    except OSError:
        return False


def text_of(file: Path) -> str:
    """Returns a file's text; empty where it can't be read, so that it does not hide others."""
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""
    except OSError:
        return ""
