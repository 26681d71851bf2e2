"""Files of a run directory that can be removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """Files of one directory that can be removed, and why. With `whole`, the directory goes too if nothing remains."""

    folder: Path
    files: tuple[Path, ...]
    why: str
    size: int  # bytes
    stamp: int  # when the newest of the files was written
    whole: bool

    @classmethod
    def of(cls, folder: Path, files: Iterable[Path], why: str, whole: bool = True) -> Item:
        """Returns the item as it is on the disk now."""
        stats = [path.lstat() for path in files]
        return cls(folder, tuple(files), why, sum(stat.st_size for stat in stats), newest(files), whole)

    @property
    def shown(self) -> str:
        """The path of the directory, or of each file where the directory stays."""
        return str(self.folder) if self.whole else ", ".join(map(str, self.files))


def newest(files: Iterable[Path]) -> int:
    """Returns when the newest of the files was written, in nanoseconds; 0 without any."""
    return max((path.lstat().st_mtime_ns for path in files if path.exists()), default=0)
