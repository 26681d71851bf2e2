"""Lists and reads trees of images in a folder or a zip. A zip is never extracted."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from runner.data._cache import CACHE_TAG
from runner.data._images import guard, open_file, read_header, suffixes
from runner.data._layout import Layout, junk, lay_out
from runner.data._parts import few, printable
from runner.spec import Kind, Problem, RequestError
from runner.text import counted


@dataclass(frozen=True)
class Entry:
    """A file or a folder of a tree.

    name   its relative path, with "/"
    size   bytes of a file
    stamp  changes when the file's content changes
    """

    name: str
    is_folder: bool = False
    size: int = 0
    stamp: object = None


@dataclass(frozen=True)
class Tree:
    """The entries of a folder or a zip; `open` opens one of its files."""

    where: str
    entries: tuple[Entry, ...]
    open: Callable[[str], AbstractContextManager[IO[bytes]]]

    def read(self, name: str) -> bytes:
        """Returns a file's bytes."""
        with self.open(name) as file:
            return file.read()

    @cached_property
    def signature(self) -> str:
        """A hash of all names, sizes and stamps; of hidden entries it covers the name only. It reads no file."""
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(repr(junk(entry.name) or (entry.name, entry.size, entry.stamp)).encode())
        return digest.hexdigest()

    @cached_property
    def images(self) -> list[str]:
        """The images, recognized by the endings of their names or else by their headers."""
        return [entry.name for entry in self._files if self._is_image(entry.name)]

    @property
    def ignored(self) -> list[str]:
        """Hidden entries, files that operating systems add, and files that are not images."""
        images = set(self.images)
        others = [entry.name for entry in self._files if entry.name not in images]
        return sorted({found for entry in self.entries if (found := junk(entry.name))} | set(others))

    @property
    def ignored_note(self) -> str:
        """A note on the ignored files; empty where there are none."""
        names = [printable(name) for name in self.ignored]
        return f"{counted(len(names), 'file')} ignored (hidden, or no image): {few(names)}" if names else ""

    @cached_property
    def layout(self) -> Layout:
        """The images, sorted by part and class."""
        above = {str(folder) for entry in self._files for folder in PurePosixPath(entry.name).parents}
        folders = above | {entry.name for entry in self.entries if entry.is_folder and not junk(entry.name)}
        return lay_out(self.where, self.images, folders - {"."})

    @property
    def _files(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.is_folder and not junk(entry.name)]

    def _is_image(self, name: str) -> bool:
        if PurePosixPath(name).suffix.lower() in suffixes():
            return True
        try:
            with self.open(name) as file:
                return bool(read_header(file))
        except Exception:  # each decoder has its own exceptions
            return False


def open_tree(path: Path) -> Tree:
    """Opens the tree in a folder or a zip. Raises RequestError where it can't be listed."""
    if not path.exists():
        raise RequestError([Problem(Kind.PATH, str(path), "there is no such folder or zip file; check the path.")])
    try:
        return _folder_tree(path) if path.is_dir() else _zip_tree(path)
    except OSError as error:
        raise RequestError([Problem(Kind.PATH, str(path), f"can't be read ({error}); repair or remove it.")]) from error


def image_files(folder: Path) -> tuple[list[Path], str]:
    """Returns all images in a folder and below, and a note on its other files. Raises as `open_tree`."""
    tree = open_tree(folder)
    return [folder / name for name in tree.images], tree.ignored_note


def unreadable(where: str, name: str, why: object) -> Problem:
    """Returns the problem of a file that can't be read as an image."""
    return Problem(Kind.DATA, f"{where}: {printable(name)}", f"can't be read as an image ({why}); repair or remove it.")


def _folder_tree(path: Path) -> Tree:
    problems: list[Problem] = []
    entries = tuple(sorted(_walk(path, problems), key=lambda entry: entry.name))
    if problems:
        raise RequestError(problems)
    return Tree(str(path), entries, lambda name: open_file(path / name))


def _walk(root: Path, problems: list[Problem]) -> Iterator[Entry]:
    """Yields everything below a folder. It skips hidden folders, and follows links unless they make a circle."""
    left = [(root, "", {_identity(root.stat())})]
    while left:
        folder, inside, above = left.pop()
        with os.scandir(folder) as found:
            names = [entry.name for entry in found]
        if CACHE_TAG in names:
            continue
        for name in names:
            relative, status = inside + name, _status(folder / name)
            is_folder = status is not None and stat.S_ISDIR(status.st_mode)
            if status is None or junk(name):  # a broken link has no status; if it names an image, reading fails later
                yield Entry(relative + "/" * is_folder)
            elif is_folder and _identity(status) in above:
                problems.append(unreadable(str(root), relative, "it is a link to a folder that contains it"))
            elif is_folder:
                yield Entry(relative, is_folder=True)
                left.append((folder / name, f"{relative}/", above | {_identity(status)}))
            elif stat.S_ISREG(status.st_mode):
                # Like git and make, we assume that a file is unchanged while its size and time are.
                yield Entry(relative, size=status.st_size, stamp=status.st_mtime_ns)
            else:
                problems.append(unreadable(str(root), relative, "it is not a regular file"))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _zip_tree(path: Path) -> Tree:
    if not path.is_file():
        raise RequestError([Problem(Kind.PATH, str(path), "is not a regular file; expected a folder or a zip file.")])
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise RequestError(
            [Problem(Kind.PATH, str(path), f"can't be read as a zip file ({error}); pack it again.")]
        ) from error
    infos = {str(_posix(info.filename)): info for info in archive.infolist()}

    @contextmanager
    def opened(name: str) -> Iterator[IO[bytes]]:
        guard(infos[name].file_size)
        with archive.open(infos[name]) as file:
            yield file

    if problems := _zip_problems(path, archive):
        raise RequestError(problems)
    entries = [
        Entry(name + "/" * (info.is_dir() and bool(junk(name))), info.is_dir(), info.file_size, info.CRC)
        for name, info in sorted(infos.items())
    ]
    return Tree(str(path), tuple(entries), opened)


def _posix(name: str) -> PurePosixPath:
    """Returns an entry's path; some programs for Windows write it with backslashes."""
    return PurePosixPath(name if "/" in name else name.replace("\\", "/"))


def _zip_problems(path: Path, archive: zipfile.ZipFile) -> list[Problem]:
    """Returns the problems of an archive's names: a name that leads out of the archive, or names that occur twice."""
    places = Counter(str(_posix(info.filename)) for info in archive.infolist())
    for info in archive.infolist():
        if ".." in _posix(info.filename).parts or _posix(info.filename).is_absolute():
            what = "leads out of the archive; pack the images again, with names such as train/cat/1.png."
            return [Problem(Kind.UNSAFE, f"{path}: {printable(info.filename)}", what)]
    twice = [name for name, count in places.items() if count > 1]
    return [
        Problem(Kind.DATA, f"{path}: {printable(name)}", "is in the archive more than once; pack it again.")
        for name in twice
    ]
