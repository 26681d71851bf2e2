"""Pixels: gray values of more than 8 bits keep their levels, and what is transparent shows its shape."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from runner.data import Dataset, Form, decode_image
from runner.data._images import Window, decode, open_image, read_header
from runner.evaluate import classify
from runner.spec import Kind
from tests.commands import train
from tests.pictures import load_folder, picture
from tests.problems import refused
from tests.studies import BASE


def saved(image: Image.Image, kind: str = "png", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write(root: Path, make: Callable[[int], Image.Image], ending: str = "tif") -> Path:
    """20 images a class; `make` gets each image's number."""
    for number in range(40):
        folder = root / "train" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        make(number).save(folder / f"{number}.{ending}")
    return root


def ramp(low: float, high: float, kind: Any) -> Callable[[int], Image.Image]:
    """Images of one data set whose values go from `low` to `high`, each image through a part of it."""
    values = np.linspace(low, high, 40 * 64).reshape(40, 8, 8)
    return lambda number: Image.fromarray(
        (values[number] if kind == np.float32 else values[number].round()).astype(kind)
    )


def levels(dataset: Dataset) -> list[int]:
    return sorted({int(v) for part in (dataset.train, dataset.val, dataset.test) for v in np.unique(part.images)})


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (0, 65535, np.uint16),
        (0, 4095, np.uint16),  # 12 bits in a file of 16
        (100, 1023, np.uint16),
        (-1000, 2000, np.int32),  # Hounsfield units
        (0, 70_000, np.int32),
        (0, 1, np.float32),
        (-1000, 2000, np.float32),
    ],
)
def test_deep_gray_images_keep_256_levels_and_the_note_says_the_range(
    low: float, high: float, kind: Any, tmp_path: Path, cache: Path
) -> None:
    dataset = load_folder(write(tmp_path / "x", ramp(low, high, kind)), cache)
    assert levels(dataset) == list(range(256))
    assert dataset.window == Window(low, high)
    assert dataset.shape == (1, 8, 8)
    (note,) = dataset.notes
    assert f"{low:g} to {high:g}" in note


def test_values_of_8_bits_in_files_of_32_stay_as_they_are(tmp_path: Path, cache: Path) -> None:
    for kind in (np.int32, np.float32):
        dataset = load_folder(write(tmp_path / kind.__name__, ramp(0, 200, np.int32)), cache)
        assert levels(dataset) == list(range(201))
        assert (dataset.window, dataset.notes) == (None, ())


def test_two_neighbours_in_one_data_set_stay_neighbours(tmp_path: Path, cache: Path) -> None:
    """250 was read as 250, and 260 as 1."""
    make = lambda n: Image.fromarray(np.full((4, 4), 100 + 10 * n, np.int32))  # noqa: E731
    found = levels(load_folder(write(tmp_path / "x", make), cache))
    assert len(found) == 40
    assert (found[0], found[-1]) == (0, 255)


def test_deep_images_among_others_are_counted_in_the_note(tmp_path: Path, cache: Path) -> None:
    root = write(tmp_path / "x", lambda n: picture(n, (8, 8)), "png")
    ramp(0, 4095, np.uint16)(39).save(root / "train" / "a" / "deep.png")
    (note,) = load_folder(root, cache).notes
    assert "1 gray image" in note
    assert "40 other" in note


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_not_finite_are_refused_by_name(value: float, tmp_path: Path, cache: Path) -> None:
    root = write(tmp_path / "x", ramp(0, 1, np.float32))
    Image.fromarray(np.full((8, 8), value, np.float32)).save(root / "train" / "a" / "hole.tif")
    with refused(Kind.DATA, f"{root}: train/a/hole.tif"):
        load_folder(root, cache)


def test_own_images_get_the_window_of_the_data_set(tmp_path: Path) -> None:
    root = write(tmp_path / "x", ramp(0, 4095, np.uint16), "png")
    run = train({"baseline": BASE | {"dataset": f"folder:{root}", "epochs": 1}, "seeds": 1}, tmp_path)
    dark, bright = tmp_path / "dark.png", tmp_path / "bright.png"
    for file, value in ((dark, 3000), (bright, 60_000)):  # the second is beyond the data set's range
        Image.fromarray(np.full((8, 8), value, np.uint16)).save(file)
    eight = tmp_path / "eight.png"
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(eight)
    shares = [found["a"] for found in classify(run, [dark, bright, eight], Path("data")).shares]
    assert shares[0] != shares[1] == shares[2]
    assert decode_image(dark.read_bytes(), 1, (8, 8), Form(), Window(0, 4095))[0, 0, 0] == round(3000 / 4095 * 255)
    with pytest.raises(ValueError, match="8 bits"):
        decode(dark.read_bytes())  # of a data set of 8 bits


def icon(number: int, mode: str) -> Image.Image:
    """Black, its shape in alpha alone."""
    alpha = np.zeros((8, 8), np.uint8)
    alpha[number % 7 :, number % 5 :] = 255 - number
    black = Image.new("L", (8, 8), 0)
    layers = {"RGBA": (black, black, black), "LA": (black,)}[mode if mode in ("RGBA", "LA") else "RGBA"]
    image = Image.merge("RGBA" if len(layers) == 3 else "LA", (*layers, Image.fromarray(alpha)))
    return image.quantize(8) if mode == "P" else image


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize(("background", "corner"), [("white", 255), ("black", 0)])
def test_alpha_is_put_on_the_background(mode: str, background: str, corner: int, tmp_path: Path, cache: Path) -> None:
    root = write(tmp_path / "x", lambda n: picture(n, (8, 8)) if n < 20 else icon(n, mode), "png")
    dataset = load_folder(root, cache, background=background)
    (note,) = dataset.notes
    assert "20 images" in note
    assert background in note
    data = saved(icon(20, mode))
    assert decode(data, background)[0, 0].tolist() == [corner] * 3
    assert decode(data, background)[-1, -1].tolist() == pytest.approx([20 if corner else 0] * 3, abs=3)


def test_an_opaque_image_with_alpha_stays_as_it_is() -> None:
    assert (decode(saved(picture(1).convert("RGBA"))) == np.asarray(picture(1))).all()


def test_a_data_set_whose_images_are_all_alike_is_refused_and_nearly_so_is_named(tmp_path: Path, cache: Path) -> None:
    root = write(tmp_path / "x", lambda n: icon(n, "RGBA"), "png")  # black on black
    with refused(Kind.DATA, str(root), "40"):
        load_folder(root, cache, background="black")
    picture(1, (8, 8)).save(root / "train" / "a" / "0.png")
    assert any("39 of 40" in note for note in load_folder(root, cache, background="black").notes)
    assert not any("same pixels" in note for note in load_folder(root, cache).notes)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_headers_say_the_upright_size_without_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    data = saved(picture(1, (30, 20)), kind, exif=exif)
    upright = open_image(data)
    assert upright.size == (20, 30)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    header = read_header(io.BytesIO(data))
    assert (header.width, header.height) == upright.size


def test_heic_names_the_package_that_reads_it() -> None:
    data = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
    with pytest.raises(ValueError, match="pillow-heif"):
        open_image(data, "photo.HEIC")
