"""Images that are not square are squeezed, padded or cropped; and means and deviations of ImageNet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from runner.data import Dataset, Stream
from runner.data._form import Form, resize
from runner.evaluate import classify
from runner.spec import Kind, Settings, problems_of
from tests.commands import train
from tests.learners import CPU
from tests.pictures import load_folder, picture, write_pictures
from tests.problems import refused
from tests.studies import BASE

Make = Callable[..., Settings]


def bars(height: int, width: int) -> np.ndarray:
    """Black at the two ends of the longer side, red else."""
    image = np.full((height, width, 3), (200, 0, 0), np.uint8)
    end = max(height, width) // 4
    if width > height:
        image[:, :end] = image[:, -end:] = 0
    else:
        image[:end] = image[-end:] = 0
    return image


@pytest.mark.parametrize(("height", "width"), [(20, 40), (40, 20)])
@pytest.mark.parametrize("side", [10, 30])
def test_a_crop_is_the_square_in_the_middle(height: int, width: int, side: int) -> None:
    found = resize(bars(height, width), (side, side), Form("crop"))
    assert found.shape == (side, side, 3)
    assert (found == (200, 0, 0)).all()


@pytest.mark.parametrize(("background", "level"), [("white", 255), ("black", 0)])
def test_padding_keeps_all_of_the_image_and_its_shape(background: str, level: int) -> None:
    wide = resize(np.full((10, 20, 1), 100, np.uint8), (20, 20), Form("pad", background))
    assert (wide[5:15] == 100).all()
    assert (wide[:5] == level).all()
    assert (wide[15:] == level).all()
    tall = resize(np.full((30, 20, 1), 100, np.uint8), (12, 12), Form("pad", background))
    assert (tall[:, 2:10] == 100).all()
    assert (tall[:, [0, 1, 10, 11]] == level).all()


@pytest.mark.parametrize("how", ["squeeze", "pad", "crop"])
def test_square_images_are_the_same_in_every_form(how: str) -> None:
    square = np.array(picture(1, (20, 20)))
    assert (resize(square, (8, 8), Form(how)) == resize(square, (8, 8), Form())).all()
    assert resize(square, (20, 20), Form(how)) is square


def test_the_setting_reaches_folders_and_your_own_images(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "photos", ("a", "b"))
    for path in root.rglob("*.png"):
        wide = np.zeros((12, 36, 3), np.uint8)
        wide[:, 12:24] = np.array(Image.open(path))
        Image.fromarray(wide).save(path)
    squeezed, cropped = (
        load_folder(root, tmp_path / "cache", image_size=12, resize=how) for how in ("squeeze", "crop")
    )
    assert squeezed.fingerprint != cropped.fingerprint
    levels = np.sort(cropped.train.images.reshape(-1))
    originals = [np.array(Image.open(path))[:, 12:24].ravel() for path in root.rglob("train/*/*.png")]
    assert set(levels[:5]) <= set(np.concatenate(originals).tolist())
    assert (cropped.train.images[:, :, 0] > 0).mean() > 0.9  # the black sides are gone
    changes = {"dataset": f"folder:{root}", "image_size": 12, "resize": "crop", "epochs": 1}
    folder = train({"baseline": BASE | changes, "seeds": 1}, tmp_path)
    one = next(root.rglob("test/a/*.png"))
    middle = tmp_path / "middle.png"
    Image.fromarray(np.array(Image.open(one))[:, 12:24]).save(middle)
    whole, part = (classify(folder, [path], Path("data")).shares[0] for path in (one, middle))
    assert whole.to_dict() == part.to_dict()


def test_resize_without_a_size_is_refused(settings: Make) -> None:
    assert problems_of(settings(resize="pad"))["resize"].kind is Kind.IGNORED
    assert "resize" not in problems_of(settings(resize="pad", image_size=8))


def test_imagenets_means_and_deviations(settings: Make, tmp_path: Path, digits: Dataset) -> None:
    dataset = load_folder(write_pictures(tmp_path / "x", ("a", "b")), tmp_path / "cache")
    stream = Stream(dataset, settings(normalize="imagenet"), 0, CPU)
    pixels = torch.from_numpy(np.array(dataset.train.images[:2]))
    expected = (pixels.double() / 255 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(stream.normalized(pixels).permute(0, 2, 3, 1).double(), expected, rtol=1e-5, atol=1e-5)
    with refused(Kind.CONFLICT, "normalize", "channels=3"):
        Stream(digits, settings(normalize="imagenet"), 0, CPU)
