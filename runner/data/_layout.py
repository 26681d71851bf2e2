"""Sorts a tree's images into parts and classes, by their paths alone: the same for a folder and for its zip."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runner.data._parts import PARTS, few, printable
from runner.spec import Kind, Problem, shown
from runner.text import counted

_PART_NAMES = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_JUNK = ("__macosx", "thumbs.db", "desktop.ini")
_NO_CLASSES = "has no train/<class>/ folders with images; expected these, or <class>/ folders without train/."
Names = tuple[str, ...]  # a relative path


@dataclass(frozen=True)
class Layout:
    """The images of a tree, sorted.

    files     part -> class -> paths of images
    outside   images that are in no class of a part
    problems  what is wrong
    """

    files: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the train part's classes, sorted."""
        return tuple(sorted(self.files.get("train", {})))

    def add(self, part: str, name: str, path: str | None = None) -> None:
        """Adds a class to a part, and an image to the class where `path` is given."""
        images = self.files.setdefault(part, {}).setdefault(name, [])
        images += [path] if path else []


def junk(path: str) -> str | None:
    """Returns the hidden or system entry that a path names or is in; None for other paths.

    >>> junk("train/.cache/1.png"), junk("train/cat/1.png")
    ('train/.cache/', None)
    """
    names = path.split("/")
    for depth, name in enumerate(names, start=1):
        if name.startswith(".") or name.lower() in _JUNK:
            return "/".join(names[:depth]) + ("/" if depth < len(names) else "")
    return None


def lay_out(where: str, images: Sequence[str], folders: Iterable[str]) -> Layout:
    """Sorts images into <part>/<class>/**, or into <class>/** (all train) where no folder is named like a part.

    Paths are relative, with "/". A single folder around everything is ignored, whatever its name.
    """
    layout = Layout()
    if not images:
        return Layout(problems=[Problem(Kind.DATA, where, _NO_CLASSES)])
    paths = {image: tuple(image.split("/")) for image in images}
    empty = {tuple(folder.split("/")) for folder in folders}
    root = _root(list(paths.values()), empty)
    below = {image: path[len(root) :] if path[: len(root)] == root else () for image, path in paths.items()}
    inner = sorted(folder[len(root) :] for folder in empty if folder[: len(root)] == root)
    if any(_part(path[0]) for path in (*below.values(), *inner) if len(path) > 1):
        _by_part(where, layout, below, inner)
    else:
        _by_class(where, layout, below, inner)
    layout.problems.extend(_class_problems(where, layout))
    return layout


def _part(folder: str) -> str | None:
    return _PART_NAMES.get(folder.lower())


def _root(paths: Sequence[Names], folders: set[Names]) -> Names:
    """Returns the folders above all parts or classes, such as pets/ in pets/train/cat/1.png."""
    root: Names = ()
    while True:
        inner = [path[len(root) :] for path in paths if path[: len(root)] == root]
        tops = {path[0] for path in inner if len(path) > 1}
        if len(tops) != 1 or not any(len(path) > 2 for path in inner):
            return root
        (top,) = tops
        beside = {path[len(root)] for path in folders if len(path) > len(root) and path[: len(root)] == root} - tops
        has_part = any(_part(path[1]) for path in inner if len(path) > 2)
        if _part(top) or (beside and not has_part):
            return root
        root = (*root, top)


def _by_part(where: str, layout: Layout, images: dict[str, Names], folders: Sequence[Names]) -> None:
    for folder in folders:
        if len(folder) == 2 and (part := _part(folder[0])):
            layout.add(part, folder[1])
    beside: dict[str, set[str]] = defaultdict(set)
    for image, path in images.items():
        part = _part(path[0]) if len(path) > 1 else None
        if part and len(path) > 2:
            layout.add(part, path[1], image)
            continue
        layout.outside.append(image)
        if not part and len(path) > 2:
            beside[path[0]].add(path[1])
    named: dict[str, set[str]] = defaultdict(set)
    for path in (*images.values(), *folders):
        if len(path) > 1 and (part := _part(path[0])):
            named[part].add(path[0])
    for part, names in named.items():
        if len(names) > 1:
            what = f"are several folders of the {part} part; keep one of them."
            layout.problems.append(Problem(Kind.DATA, f"{where}: {', '.join(map(printable, sorted(names)))}", what))
    for name, classes in beside.items():
        if classes & set(layout.classes):
            what = "has classes of train but is not a part; rename it to val or test, or move it elsewhere."
            layout.problems.append(Problem(Kind.DATA, f"{where}: {printable(name)}", what))


def _by_class(where: str, layout: Layout, images: dict[str, Names], folders: Sequence[Names]) -> None:
    for folder in folders:
        if len(folder) == 1 and not _part(folder[0]):
            layout.add("train", folder[0])
    for image, path in images.items():
        if len(path) > 1:
            layout.add("train", path[0], image)
        else:
            layout.outside.append(image)
    for name in sorted({path[0] for path in images.values() if len(path) > 3 and _part(path[1]) == "train"}):
        what = (
            f"has a train part and is beside other folders; give folder:{where}/{printable(name)}, or move the others."
        )
        layout.problems.append(Problem(Kind.DATA, f"{where}: {printable(name)}", what))


def _class_problems(where: str, layout: Layout) -> list[Problem]:
    if not layout.classes:
        return [Problem(Kind.DATA, where, _NO_CLASSES)]
    problems = []
    if len(layout.classes) < 2:
        what = f"has one class, {shown(layout.classes[0])}; expected at least two."
        problems.append(Problem(Kind.DATA, f"{where}: train", what))
    problems += [Problem(Kind.DATA, f"{where}: train", what) for what in same_names(layout.classes)]
    for part, by_class in layout.files.items():
        if unknown := sorted(by_class.keys() - set(layout.classes)):
            what = (
                f"has classes that are not in train: {', '.join(map(shown, unknown))}; add them there, or remove them."
            )
            problems.append(Problem(Kind.DATA, f"{where}: {part}", what))
        empty = sorted(name for name, images in by_class.items() if not images)
        what = "has no images; add some, or remove the folder."
        problems += [Problem(Kind.DATA, f"{where}: {part}/{printable(name)}", what) for name in empty]
    return problems


def same_names(classes: Iterable[str]) -> list[str]:
    """Returns a complaint for each group of class names that look the same.

    Such names differ only in blanks, or in how their accents are encoded.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        alike[" ".join(unicodedata.normalize("NFC", name).split())].append(name)
    return [
        f"has {len(names)} classes with the same name ({', '.join(map(shown, names))}); rename or merge them."
        for names in alike.values()
        if len(names) > 1
    ]


def layout_note(layout: Layout) -> str:
    """Returns a note on the images that are in no class; empty where there are none."""
    count, parts = len(layout.outside), ", ".join(part for part in PARTS if part in layout.files)
    names = few([printable(name) for name in sorted(layout.outside)])
    return f"{counted(count, 'image')} skipped, in no class of {parts}: {names}" if count else ""
