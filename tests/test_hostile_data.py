"""Image folders and archives as they come: each works, or is refused in words, exit 2; nothing lands elsewhere."""

from __future__ import annotations

import io
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from runner.__main__ import main
from runner.data import load, prepare
from runner.evaluate import evaluate
from runner.publish import write_all
from runner.spec import Kind, Problem, Settings
from tests.commands import run
from tests.pictures import picture, write_pictures
from tests.problems import is_about, problems_of_exit
from tests.studies import BASE

Break = Callable[[Path], object]  # spoils the folder; a path that it returns is the data set instead


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good data set, in the working directory."""
    monkeypatch.chdir(tmp_path)
    return write_pictures(tmp_path / "pets", ("cat", "dog"))


def remove(root: Path, pattern: str, keep: str = "") -> object:
    for path in list(root.glob(pattern)):
        if path.name != keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return None


def put(name: str, data: bytes) -> Break:
    return lambda root: (root / "train" / "cat" / name).write_bytes(data)


def truncated(ending: str) -> Break:
    def break_it(root: Path) -> None:
        path = root / "train" / "cat" / f"cut.{ending}"
        picture(1).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])

    return break_it


def saved(name: str, image: Image.Image, **options: Any) -> Break:
    return lambda root: image.save(root / "train" / "cat" / name, **options)


def all_of(value: float, kind: Any) -> Break:
    """An image all of whose pixels have one value."""
    return saved("x.tiff", Image.fromarray(np.full((12, 12), value, kind)))


def bomb(root: Path) -> None:
    """60,000 x 60,000 pixels in half a megabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    lines = b"".join(packer.compress(bytes(7501 * 1000)) for _ in range(60)) + packer.flush()
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", lines), chunk(b"IEND", b""))
    (root / "train" / "cat" / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def link(name: str, target: str) -> Break:
    return lambda root: (root / name).symlink_to(root / target)


def root_link(root: Path) -> None:
    shutil.rmtree(root)
    root.symlink_to(root)


def zipped(*extra: str, spoil: Callable[[bytearray], object] = lambda _: None) -> Break:
    """The folder as a zip, with further entries; the zip's bytes as `spoil` leaves them."""

    def pack(root: Path) -> Path:
        file = root.with_name("pets.zip")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(root.rglob("*.png")):
                archive.write(path, path.relative_to(root))
            for name in extra:
                info = zipfile.ZipInfo(name)
                info.filename = name  # as a hostile packer writes it
                archive.writestr(info, (root / "train" / "cat" / "0.png").read_bytes())
        data = bytearray(file.read_bytes())
        spoil(data)
        file.write_bytes(data)
        return file

    return pack


def zip_bomb(root: Path) -> Path:
    file = zipped()(root)
    assert isinstance(file, Path)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("train/cat/z.png", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    return file


def encrypt(data: bytearray) -> None:
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1


def flip(data: bytearray) -> None:
    data[100] ^= 255


def cut(data: bytearray) -> None:
    del data[-30:]


def bytes_name(root: Path) -> None:
    for part in ("train", "test"):
        (root / part / "cat").rename(root / part / os.fsdecode(b"c\xff"))


REFUSED: dict[str, tuple[Break, Kind, str, str]] = {  # how it is broken; the problem's kind, place in pets, value
    "an empty folder": (lambda root: remove(root, "*"), Kind.DATA, "", "train/<class>/"),
    "an empty train": (lambda root: remove(root, "train/*"), Kind.DATA, "", "train/<class>/"),
    "empty classes": (lambda root: remove(root, "train/*/*"), Kind.DATA, ": train/dog", ""),
    "an empty test class": (lambda root: remove(root, "test/dog/*"), Kind.DATA, ": test/dog", ""),
    "one class": (lambda root: remove(root, "*/dog"), Kind.DATA, ": train", "'cat'"),
    "one image a class": (lambda root: remove(root, "*/*/*", keep="0.png"), Kind.DATA, "", '"cat" has 1'),
    "more classes in test": (
        lambda root: [(root / "train/dog").rename(root / "train/cow")], Kind.DATA, ": test", "'dog'"
    ),
    "mixed sizes": (saved("x.png", picture(1, (13, 12))), Kind.DATA, "", "12x12 to 13x12"),
    "a zero-byte file": (put("x.png", b""), Kind.DATA, ": train/cat/x.png", "format"),
    "no image, but its name": (put("notes.png", b"hello"), Kind.DATA, ": train/cat/notes.png", ""),
    "EPS, which is a program": (
        put("x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n"),
        Kind.DATA, ": train/cat/x.eps", "EPS",
    ),
    **{
        f"a truncated {kind}": (truncated(kind), Kind.DATA, f": train/cat/cut.{kind}", "")
        for kind in ("jpg", "png", "gif", "bmp")
    },
    "a decompression bomb": (bomb, Kind.DATA, ": train/cat/bomb.png", "3600000000 pixels"),
    "a large picture": (saved("x.png", Image.new("1", (10_000, 10_000))), Kind.DATA, ": train/cat/x.png", "100000000"),
    "a pipe among images": (lambda root: os.mkfifo(root / "train/cat/pipe"), Kind.DATA, ": train/cat/pipe", ""),
    "a link to its folder": (link("train/cat/loop", "train/cat"), Kind.DATA, ": train/cat/loop", "link"),
    "a link to the part": (link("train/loop", "train"), Kind.DATA, ": train/loop", "link"),
    "a link to itself": (link("train/cat/x.png", "train/cat/x.png"), Kind.DATA, ": train/cat/x.png", ""),
    "a dangling link": (link("train/cat/x.png", "nothing"), Kind.DATA, ": train/cat/x.png", ""),
    "a folder that is a loop": (root_link, Kind.PATH, "", ""),
    "a class name that is no text": (bytes_name, Kind.DATA, "", r"c\udcff"),
    "a file for a data set": (lambda root: root / "train/cat/0.png", Kind.PATH, "/train/cat/0.png", "zip"),
    "a device for a data set": (lambda _: Path(os.devnull), Kind.PATH, os.devnull, "zip"),
    "zip-slip": (zipped("../../train/cat/x.png"), Kind.UNSAFE, ".zip: ../../train/cat/x.png", ""),
    "zip-slip within": (zipped("train/../../cat/x.png"), Kind.UNSAFE, ".zip: train/../../cat/x.png", ""),
    "an absolute zip entry": (zipped("/train/cat/x.png"), Kind.UNSAFE, ".zip: /train/cat/x.png", ""),
    "an encrypted zip": (zipped(spoil=encrypt), Kind.DATA, ".zip: ", "encrypted"),
    "fractions, all the same": (all_of(0.5, np.float32), Kind.DATA, "", "0.5"),
    "over 16 bits, all the same": (all_of(70_000, np.int32), Kind.DATA, "", "70000"),
    "no numbers": (all_of(np.nan, np.float32), Kind.DATA, ": train/cat/x.tiff", ""),
    "a zip with a flipped bit": (zipped(spoil=flip), Kind.DATA, ".zip: ", ""),
    "a zip cut off": (zipped(spoil=cut), Kind.PATH, ".zip", "zip"),
    "a zip bomb": (zip_bomb, Kind.DATA, ".zip: train/cat/z.png", "315 MB; expected at most 268 MB"),
}  # fmt: skip


def dry_run(place: Path, data: Path, **changes: Any) -> tuple[list[Problem], str]:
    """The problems that the command exits for, status 2, with a study on these data, and what it says of them."""
    (place / "ablations").mkdir(exist_ok=True)
    study = {"baseline": BASE | {"dataset": f"folder:{data}"} | changes, "seeds": 1}
    (place / "ablations" / "toy.py").write_text(f"STUDY = {study!r}")
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            main(["run", "toy", "--dry-run"])
    except SystemExit as end:
        return problems_of_exit(end) if end.code else [], said.getvalue()
    return [], said.getvalue()


def files(place: Path) -> set[str]:
    """Every path, apart from the cache and the study."""
    found = {str(path.relative_to(place)) for path in place.rglob("*")}
    return {path for path in found if not path.startswith(("data", "ablations"))}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_cannot_be_used_are_refused_in_words(pets: Path, tmp_path: Path, name: str) -> None:
    break_it, kind, where, value = REFUSED[name]
    found = break_it(pets)
    before, beside = files(tmp_path), set(tmp_path.parent.iterdir())
    problems, said = dry_run(tmp_path, found if isinstance(found, Path) else pets)
    assert any(is_about(problem, kind, where, value) for problem in problems), problems
    assert all(str(problem) in said for problem in problems)
    assert "Traceback" not in said
    assert said.replace("\n", "").isprintable()
    assert files(tmp_path) == before
    assert set(tmp_path.parent.iterdir()) == beside


SQUARE = np.arange(144).reshape(12, 12)
WORKS: dict[str, tuple[Break, dict[str, Any]]] = {
    "as it is": (lambda _: None, {}),
    "a zip": (zipped(), {}),
    "a zip with strangers beside": (zipped("README", "docs/a/b.txt", "__MACOSX/x/._y"), {}),
    "no test part": (lambda root: remove(root, "test"), {}),
    "a file where test would be": (lambda root: remove(root, "test") or (root / "test").write_text(""), {}),
    "a class without test images": (lambda root: remove(root, "test/dog"), {}),
    "CMYK": (saved("x.jpg", picture(1).convert("CMYK")), {}),
    "16 bits": (saved("x.png", Image.fromarray((SQUARE * 400).astype(np.uint16))), {}),
    "32 bits": (saved("x.tiff", Image.fromarray((SQUARE * 400 - 5).astype(np.int32))), {}),
    "floats": (saved("x.tiff", Image.fromarray(SQUARE.astype(np.float32))), {}),
    "a palette": (saved("x.png", picture(1).convert("P"), transparency=0), {}),
    "alpha": (saved("x.webp", picture(1).convert("RGBA")), {}),
    "one bit": (saved("x.png", picture(1).convert("1")), {}),
    "LAB": (saved("x.tiff", picture(1).convert("LAB")), {}),
    "animated": (saved("x.gif", picture(1), save_all=True, append_images=[picture(2)]), {}),
    "animated PNG": (saved("x.png", picture(1), save_all=True, append_images=[picture(2)]), {}),
    "mixed sizes, one asked for": (saved("x.png", picture(1, (500, 1))), {"image_size": 8}),
    "a pixel": (saved("x.png", picture(1, (1, 1))), {"image_size": 8}),
    "a link to an image": (link("train/cat/x.png", "train/cat/0.png"), {}),
    "a link to itself as a class": (link("train/loop", "train/loop"), {}),
    "a folder among images": (lambda root: (root / "train/cat/sub").mkdir(), {}),
    "fractions": (saved("x.tiff", Image.fromarray((SQUARE / 144).astype(np.float32))), {}),
    "text and other files": (put("notes.txt", b"hello"), {}),
    "hidden files": (lambda root: [(root / part / ".DS_Store").write_text("x") for part in ("train", "train/cat")], {}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKS)
def test_data_of_every_other_form_are_read(pets: Path, tmp_path: Path, name: str) -> None:
    break_it, changes = WORKS[name]
    found = break_it(pets)
    before = files(tmp_path)
    data = found if isinstance(found, Path) else pets
    problems, said = dry_run(tmp_path, data, **changes)
    assert not problems, said
    assert files(tmp_path) == before
    dataset = load(prepare(Settings.model_validate(BASE | {"dataset": f"folder:{data}"} | changes), Path("data")))
    assert len(dataset.train) + len(dataset.val) + len(dataset.test) >= 40
    assert dataset.shape[0] == 3


def test_one_image_a_class_in_each_part_is_a_data_set(pets: Path) -> None:
    remove(pets, "*/*/*", keep="0.png")
    shutil.copytree(pets / "test", pets / "val")
    dataset = load(prepare(Settings.model_validate(BASE | {"dataset": f"folder:{pets}"}), Path("data")))
    assert [len(part) for part in (dataset.train, dataset.val, dataset.test)] == [2, 2, 2]


def test_a_folder_that_may_not_be_listed_is_refused(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may list everything, so the system's refusal is played."""

    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "cat":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("runner.data._trees.os.scandir", refuse)
    (problem,), _ = dry_run(tmp_path, pets)
    assert is_about(problem, Kind.PATH, str(pets), "Permission denied")


@pytest.mark.slow
def test_any_class_and_file_names_go_through_to_the_reports(pets: Path, tmp_path: Path) -> None:
    names = {"cat": "a 'cat' \"x\"\n| $x_{$ <b>\\ `id` %s {0}", "dog": "; rm -rf $HOME #"}
    for part in ("train", "test"):
        for old, new in names.items():
            (pets / part / old).rename(pets / part / new)
            (pets / part / new / "0.png").rename(pets / part / new / "a 'b' \"c\"\n$(id).png")
    study = {"baseline": BASE | {"dataset": f"folder:{pets}", "epochs": 2}, "variants": {"v": {"lr": 0.1}}, "seeds": 2}
    outcome, _ = run(study, tmp_path)
    assert outcome.failed == 0
    write_all(tmp_path / "runs", outcome.names, tmp_path / "reports", Console(quiet=True))
    folder = next(tmp_path.glob("runs/*/baseline-*/seed0"))
    assert evaluate(folder, Path("data"), tmp_path / "reports").run.dataset.classes == tuple(sorted(names.values()))
