"""Data sets arrive as the same uint8 arrays however they came; the stream is a function of (seed, epoch)."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import pickle
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import albumentations
import cv2
import numpy as np
import pytest
import torch
from albumentations.pytorch import ToTensorV2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from runner.data import Dataset, Stream, check_augmentation, draw_split, load, prepare
from runner.data._augmenter import Augmenter
from runner.data._dataset import channel_statistics
from runner.data._form import Form, resize
from runner.spec import Kind, RequestError, Settings
from runner.torchvision import torchvision
from tests.pictures import load_folder, picture, write_pictures
from tests.problems import one, refused
from tests.studies import BASE

Make = Callable[..., Settings]
CPU = torch.device("cpu")
FLIP_AND_TURN = [{"HorizontalFlip": {"p": 0.5}}, {"Affine": {"rotate": [-20, 20], "p": 0.8}}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set whose classes have awkward names."""
    return write_pictures(tmp_path / "pets", ("it's a cat", 'dog "rex"\n'), "image ")


@pytest.mark.parametrize(
    ("name", "sizes", "shape"), [("digits", (1197, 200, 400), (1, 8, 8)), ("mnist5k", (3500, 500, 1000), (1, 28, 28))]
)
def test_embedded_sets_have_their_stated_stratified_splits(
    settings: Make, cache: Path, name: str, sizes: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    dataset = load(prepare(settings(dataset=name), Path("data"), cache))
    parts = (dataset.train, dataset.val, dataset.test)
    assert tuple(len(part) for part in parts) == sizes
    assert dataset.shape == shape
    for part in parts:
        counts = np.bincount(part.labels, minlength=10)
        assert counts.max() - counts.min() <= 0.1 * counts.mean() + 1
        assert part.images.dtype == np.uint8
    rows = {image.tobytes() for part in parts for image in part.images}
    assert len(rows) > 0.99 * sum(sizes)  # no image in two parts (a few are drawn alike)


@pytest.mark.parametrize(
    ("changes", "fingerprint"),
    [
        ({}, "f883592e2e1a3a4d"),
        ({"image_size": 16, "channels": 3}, "6c1f9469f1ecf085"),
        ({"images_per_class": 20}, "058908c4df279945"),
        ({"dataset": "mnist5k"}, "996d435eeb15199b"),
        ({"dataset": "tests.fakes:stripes"}, "97be608594a5c943"),
    ],
)
def test_existing_data_keep_their_fingerprints(
    settings: Make, cache: Path, changes: dict[str, Any], fingerprint: str
) -> None:
    """Else finished runs would seem to be of other data."""
    assert load(prepare(settings(**changes), Path("data"), cache)).fingerprint == fingerprint


@pytest.mark.parametrize(
    ("changes", "fingerprint"),
    [
        ({}, "283e32b76b4442e5"),
        ({"image_size": 8, "channels": 1}, "d674e6d3a46b95c5"),
    ],
)
def test_existing_folders_of_8_bits_keep_theirs(
    tmp_path: Path, cache: Path, changes: dict[str, Any], fingerprint: str
) -> None:
    root = write_pictures(tmp_path / "pets", ("cat", "dog"))
    assert load_folder(root, cache, **changes).fingerprint == fingerprint


def test_a_folder_of_many_modes_keeps_its_fingerprint(tmp_path: Path, cache: Path) -> None:
    root = write_pictures(tmp_path / "pets", ("cat", "dog"))
    for number, mode in enumerate(("L", "P", "1", "RGB")):
        picture(50 + number, (30, 17), mode).save(root / "train" / "cat" / f"{mode}.png")
    picture(90, (30, 17)).convert("RGBA").save(root / "train" / "dog" / "opaque.png")
    assert load_folder(root, cache, image_size=10).fingerprint == "f74e2c2d4e77643d"


def test_the_cache_is_mapped_and_made_once(settings: Make, cache: Path) -> None:
    folder = prepare(settings(), Path("data"), cache)
    before = (folder / "train.npy").stat().st_mtime_ns
    assert prepare(settings(dropout=0.5), Path("data"), cache) == folder
    assert (folder / "train.npy").stat().st_mtime_ns == before
    assert isinstance(load(folder).train.images, np.memmap)
    assert prepare(settings(image_size=16), Path("data"), cache) != folder


def test_a_flipped_bit_in_the_cache_is_noticed(settings: Make, tmp_path: Path) -> None:
    folder = prepare(settings(), Path("data"), tmp_path)
    whole = (folder / "val.npy").read_bytes()
    (folder / "val.npy").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert prepare(settings(), Path("data"), tmp_path) == folder
    assert (folder / "val.npy").read_bytes() == whole


def test_ones_own_images_do_not_pass_for_cifar(settings: Make, folder: Path, cache: Path) -> None:
    with refused(Kind.DATA, str(folder), "2", "cifar10", "10", "folder:PATH"):
        prepare(settings(dataset="cifar10"), folder, cache)


def test_normalization_equals_albumentations(settings: Make, digits: Dataset, folder: Path, cache: Path) -> None:
    for dataset in (digits, load_folder(folder, cache)):
        for normalize, reference in (
            ("train", albumentations.Normalize(mean=dataset.mean, std=dataset.std)),
            ("none", albumentations.Normalize(mean=[0] * dataset.shape[0], std=[1] * dataset.shape[0])),
        ):
            stream = Stream(dataset, settings(normalize=normalize), 0, CPU)
            compose = albumentations.Compose([reference, ToTensorV2()])
            images, labels = next(iter(stream.evaluation(dataset.val)))
            expected = torch.stack([compose(image=np.array(image))["image"] for image in dataset.val.images])
            torch.testing.assert_close(images, expected, rtol=0, atol=1e-6)
            assert labels.tolist() == dataset.val.labels.tolist()


def test_train_statistics_are_those_of_train_alone(digits: Dataset) -> None:
    pixels = digits.train.images.astype(np.float64) / 255
    assert digits.mean[0] == pytest.approx(pixels.mean(), abs=1e-12)
    assert digits.std[0] == pytest.approx(pixels.std(), abs=1e-12)
    assert channel_statistics([np.full((3, 2, 2, 1), 7, dtype=np.uint8)])[1] == [1.0]


def test_every_epoch_shows_every_image_once_in_an_order_of_its_own(settings: Make, digits: Dataset) -> None:
    stream = Stream(digits, settings(), 3, CPU)
    orders = [np.concatenate(stream.order(epoch)) for epoch in (1, 2)]
    for order in orders:
        assert sorted(order) == list(range(len(digits.train)))
    assert not np.array_equal(orders[0], orders[1])
    again = Stream(digits, settings(lr=0.5, model="perceptron"), 3, CPU)
    assert np.array_equal(np.concatenate(again.order(1)), orders[0])
    other_seed = np.concatenate(Stream(digits, settings(), 4, CPU).order(1))
    assert not np.array_equal(other_seed, orders[0])


def test_a_last_batch_of_one_image_is_left_out(settings: Make, digits: Dataset) -> None:
    sizes = [len(batch) for batch in Stream(digits, settings(batch_size=4), 0, CPU).order(1)]  # 1197 = 299 * 4 + 1
    assert set(sizes) == {4}
    assert len(Stream(digits, settings(batch_size=1), 0, CPU).order(1)) == 1197


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10_000), st.integers(0, 49_999), st.data())
def test_law_1_augmentation_is_a_function_of_seed_epoch_and_index(
    seed: int, epoch: int, index: int, data: st.DataObject
) -> None:
    augmenter = Augmenter(Settings.model_validate(BASE | {"augment": FLIP_AND_TURN}), seed)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    expected = augmenter(image.copy(), epoch, index)
    for _ in range(data.draw(st.integers(0, 3))):  # whatever came in between
        augmenter(image.copy(), data.draw(st.integers(1, 9)), data.draw(st.integers(0, 9)))
    assert np.array_equal(augmenter(image.copy(), epoch, index), expected)


def test_augmentation_varies_with_seed_epoch_and_index() -> None:
    chosen = Settings.model_validate(BASE | {"augment": [{"Affine": {"rotate": [-90, 90], "p": 1.0}}]})
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    seen = {
        Augmenter(chosen, seed)(image.copy(), epoch, index).tobytes()
        for seed in range(3)
        for epoch in range(1, 4)
        for index in range(3)
    }
    assert len(seen) == 27


def test_law_3_batch_size_changes_neither_order_nor_augmentation(settings: Make, digits: Dataset) -> None:
    small, large = (
        torch.cat([x for x, _ in Stream(digits, settings(augment=FLIP_AND_TURN, batch_size=size), 1, CPU).train(1)])
        for size in (64, 100)
    )
    assert torch.equal(small, large)


@pytest.mark.parametrize("changes", [{"image_size": 16}, {"channels": 3}, {"image_size": 6, "channels": 3}])
def test_law_3_the_split_is_the_same_in_every_size_and_number_of_channels(
    settings: Make, digits: Dataset, cache: Path, changes: dict[str, Any]
) -> None:
    other = load(prepare(settings(**changes), Path("data"), cache))
    _, height, width = other.shape
    for name in ("train", "val", "test"):
        part, same = getattr(digits, name), getattr(other, name)
        assert (part.labels == same.labels).all()
        expected = np.stack([resize(image, (height, width), Form()) for image in part.images])
        assert (same.images == expected).all()  # image by image the same pictures


@pytest.mark.parametrize("changes", [{}, {"images_per_class": 20}])
def test_a_split_by_seed_redraws_train_and_validation(settings: Make, cache: Path, changes: dict[str, Any]) -> None:
    by_seed = settings(split="seed", **changes)
    fixed, whole = (load(prepare(own, cache, cache)) for own in (settings(**changes), by_seed))
    zero, again, one_more = (draw_split(whole, by_seed, seed) for seed in (0, 0, 1))
    assert draw_split(fixed, settings(**changes), 1) is fixed
    for drawn in (zero, one_more):
        assert [len(part) for part in (drawn.train, drawn.val, drawn.test)] == [
            len(part) for part in (fixed.train, fixed.val, fixed.test)
        ]
        counts = [np.bincount(part.labels) for part in (drawn.val, fixed.val)]
        assert np.abs(counts[0] - counts[1]).max() <= 1
        assert np.array_equal(drawn.test.images, fixed.test.images)
        assert drawn.mean == tuple(channel_statistics([drawn.train.images])[0])
        pool = {image.tobytes() for part in (whole.train, whole.val) for image in part.images}
        assert {image.tobytes() for part in (drawn.train, drawn.val) for image in part.images} <= pool
    assert np.array_equal(zero.train.images, again.train.images)
    assert not np.array_equal(zero.val.images, one_more.val.images)
    assert not {image.tobytes() for image in zero.val.images} & {image.tobytes() for image in zero.train.images}


def test_law_3_the_split_of_a_folder_is_too(folder: Path, cache: Path) -> None:
    shutil.rmtree(folder / "test")
    native, gray = load_folder(folder, cache), load_folder(folder, cache, channels=1)
    for name in ("train", "val", "test"):
        for image, other in zip(getattr(native, name).images, getattr(gray, name).images, strict=True):
            assert (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) == other[..., 0]).all()


@pytest.mark.parametrize(
    "augment",
    [
        [{"Resize": {"height": 4, "width": 4}}],
        ["ToFloat"],
        ["ToGray", "HueSaturationValue"],
        [{"CenterCrop": {"height": 4, "width": 4, "p": 0.01}}],  # seldom is too often
        [{"PadIfNeeded": {"min_height": 12, "min_width": 12}}, {"RandomCrop": {"height": 8, "width": 8, "p": 0.9}}],
    ],
)
def test_transforms_that_do_not_fit_the_images_are_refused(settings: Make, digits: Dataset, augment: Any) -> None:
    with refused(Kind.VALUE, "digits: augment", "(8, 8, 1)"):
        check_augmentation(settings(augment=augment), digits)


def test_a_folder_may_lie_where_the_command_is_given(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    chosen = Settings.model_validate(BASE | {"dataset": f"folder:{folder.name}", "image_size": 10})
    assert load(prepare(chosen, Path("data"), cache)).classes == load_folder(folder, cache, image_size=10).classes


def test_a_folder_and_its_zip_are_the_same_data(folder: Path, cache: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png"), reverse=True):
            archive.write(path, Path("some", "where") / path.relative_to(folder))
    from_folder, from_zip = load_folder(folder, cache), load_folder(tmp_path / "pets.zip", cache)
    assert from_folder.fingerprint == from_zip.fingerprint
    assert from_folder.classes == ('dog "rex"\n', "it's a cat")
    assert (len(from_folder.train), len(from_folder.val), len(from_folder.test)) == (36, 4, 8)  # 10% carved
    assert from_folder.shape == (3, 12, 12)


def test_a_missing_test_part_is_carved_too(folder: Path, cache: Path) -> None:
    for path in sorted((folder / "test").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    dataset = load_folder(folder, cache)
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (30, 4, 6)


def test_a_changed_image_is_noticed(folder: Path, cache: Path) -> None:
    before = load_folder(folder, cache).fingerprint
    picture(77).save(next((folder / "train").rglob("*.png")))
    assert load_folder(folder, cache).fingerprint != before


def test_any_sizes_and_modes_are_resized_to_one(folder: Path, cache: Path) -> None:
    place = folder / "train" / "it's a cat"
    for mode, ending in (("L", "png"), ("P", "png"), ("RGBA", "png"), ("1", "png"), ("CMYK", "jpg"), ("LA", "webp")):
        image = picture(5, (30, 17), mode if mode != "LA" else "RGBA")
        image.save(place / f"{mode}.{ending}")
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 160).save(place / "16 bit.png")
    picture(1).save(place / "animated.gif", save_all=True, append_images=[picture(2)])
    with refused(Kind.DATA, str(folder), "3 sizes", "12x12", "20x20", "image_size=64"):
        load_folder(folder, cache)
    assert load_folder(folder, cache, image_size=10).shape == (3, 10, 10)
    gray = load_folder(folder, cache, image_size=10, channels=1)
    assert gray.shape == (1, 10, 10)


def test_few_images_of_each_class_are_contained_in_more(settings: Make, cache: Path) -> None:
    few, more = (load(prepare(settings(images_per_class=count), cache, cache)) for count in (3, 10))
    assert (np.bincount(few.train.labels) == 3).all()
    assert (np.bincount(more.train.labels) == 10).all()
    pictures = {image.tobytes() for image in more.train.images}
    assert all(image.tobytes() in pictures for image in few.train.images)
    whole = load(prepare(settings(), cache, cache))
    assert (few.val.images == whole.val.images).all()
    assert few.mean != whole.mean
    with refused(Kind.VALUE, "digits: images_per_class", "5000"):
        prepare(settings(images_per_class=5000), cache, cache)


def test_gray_images_stay_gray_unless_told(tmp_path: Path, cache: Path) -> None:
    for part in ("train", "test"):
        for number, name in enumerate("ab"):
            (tmp_path / part / name).mkdir(parents=True)
            for k in range(20):
                picture(100 * number + k + 50 * (part == "test"), mode="L").save(tmp_path / part / name / f"{k}.png")
    assert load_folder(tmp_path, cache).shape == (1, 12, 12)
    assert load_folder(tmp_path, cache, channels=3).shape == (3, 12, 12)


def test_unreadable_files_are_all_listed(folder: Path, cache: Path) -> None:
    place = folder / "train" / "it's a cat"
    whole = next(place.glob("*.png")).read_bytes()
    (place / "cut.png").write_bytes(whole[: len(whole) // 2])
    (place / "empty.png").write_bytes(b"")
    (place / "notes.txt").write_text("not an image, and ignored")
    with pytest.raises(RequestError) as caught:
        load_folder(folder, cache)
    for name in ("cut.png", "empty.png"):
        one(caught.value.problems, Kind.DATA, f"{folder}: train/it's a cat/{name}")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("break_it", "where", "value"),
    [
        (lambda root: (root / "train").rename(root / "dev"), "", "train/<class>/"),
        (lambda root: (root / "test" / "bird").mkdir(), ": test", "'bird'"),
        (lambda root: (root / "train" / "bird").mkdir(), ": train/bird", ""),
    ],
)
def test_a_wrong_layout_is_said(
    folder: Path, cache: Path, break_it: Callable[[Path], object], where: str, value: str
) -> None:
    break_it(folder)
    with refused(Kind.DATA, f"{folder}{where}", value):
        load_folder(folder, cache)


def test_a_missing_folder_and_a_broken_zip(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"not a zip")
    for name in ("nowhere", "x.zip"):
        with refused(Kind.PATH, str(tmp_path / name)):
            load_folder(tmp_path / name, cache)


def test_a_function_brings_its_own_data(settings: Make, cache: Path) -> None:
    dataset = load(prepare(settings(dataset="tests.fakes:stripes"), Path("data"), cache))
    assert dataset.classes == ("across", "down")
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (90, 12, 18)
    for name, values in (("wrong_type", ("float64", "uint8")), ("nameless", ("1 classes", "2 names"))):
        with refused(Kind.CODE, f"tests.fakes:{name}", *values):
            prepare(settings(dataset=f"tests.fakes:{name}"), Path("data"), cache)


def test_what_a_function_draws_is_the_same_at_each_call(settings: Make, cache: Path) -> None:
    chosen = settings(dataset="tests.fakes:drawn")
    prints = {load(prepare(chosen, Path("data"), cache / str(number))).fingerprint for number in range(2)}
    assert len(prints) == 1


def cifar_files(name: str, classes: list[str]) -> dict[str, Any]:
    """What the archive of CIFAR-10 or CIFAR-100 holds, with fewer images of noise in it, in the original's format."""
    rng = np.random.default_rng(0)
    labels, names = ("labels", "label_names") if name == "cifar10" else ("fine_labels", "fine_label_names")

    def batch(count: int) -> dict[str, Any]:
        numbers = [number % len(classes) for number in range(count)]
        return {"data": rng.integers(0, 256, (count, 3072), dtype=np.uint8), labels: numbers}

    if name == "cifar10":
        parts = {f"data_batch_{number}": batch(2400) for number in range(1, 6)} | {"test_batch": batch(2000)}
        return parts | {"batches.meta": {names: classes}}
    return {"train": batch(12_000), "test": batch(2000), "meta": {names: classes}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on loopback, and the folder that it serves."""
    place = tmp_path / "www"
    place.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", place
        httpd.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("cifar10", 10), ("cifar100", 100)])
def test_cifar_is_downloaded_and_its_checksum_verified(
    name: str, count: int, settings: Make, server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, place = server
    cls: Any = getattr(torchvision().datasets, name.upper())
    classes = [f"class {number}" for number in range(count)]
    contents = {key: pickle.dumps(content) for key, content in cifar_files(name, classes).items()}
    with tarfile.open(place / cls.filename, "w:gz") as archive:
        for key, data in contents.items():
            info = tarfile.TarInfo(f"{cls.base_folder}/{key}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    monkeypatch.setattr(cls, "url", f"{url}/{cls.filename}")
    monkeypatch.setattr(cls, "tgz_md5", "0" * 32)
    location = tmp_path / "data"
    location.mkdir()
    with refused(Kind.PATH, "data", name, str(location), "--data"):
        prepare(settings(dataset=name), location, tmp_path / "cache")

    monkeypatch.setattr(cls, "tgz_md5", hashlib.md5((place / cls.filename).read_bytes()).hexdigest())
    monkeypatch.setattr(cls, "_check_integrity", lambda self: (location / cls.base_folder).is_dir())
    monkeypatch.setitem(cls.meta, "md5", hashlib.md5(contents[cls.meta["filename"]]).hexdigest())
    dataset = load(prepare(settings(dataset=name), location, tmp_path / "cache"))
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (7000, 5000, 2000)
    assert dataset.classes == tuple(classes)
    assert np.bincount(dataset.test.labels).tolist() == [2000 // count] * count

    def read_only(_: Path) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("runner.data._sources.lock", read_only)  # what is there already needs no place to write
    again = load(prepare(settings(dataset=name), location, tmp_path / "other"))
    assert again.fingerprint == dataset.fingerprint


def test_fashion_mnist_is_downloaded_and_its_checksum_verified(
    settings: Make, server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, place = server
    cls: Any = torchvision().datasets.FashionMNIST
    rng = np.random.default_rng(0)
    images = {
        part: rng.integers(0, 256, (count, 28, 28), np.uint8) for part, count in (("train", 7000), ("t10k", 1000))
    }
    for part, pixels in images.items():  # in the original's format: a type, the sizes, the bytes
        labels = (np.arange(len(pixels)) % 10).astype(np.uint8)
        for kind, values in (("images-idx3", pixels), ("labels-idx1", labels)):
            sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
            data = bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()
            (place / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(data, compresslevel=1))
    monkeypatch.setattr(cls, "mirrors", [f"{url}/"])
    location = tmp_path / "data"
    location.mkdir()
    with refused(Kind.PATH, "data", "fashion_mnist", str(location), "--data"):
        prepare(settings(dataset="fashion_mnist"), location, tmp_path / "cache")

    sums = [(name, hashlib.md5((place / name).read_bytes()).hexdigest()) for name, _ in cls.resources]
    monkeypatch.setattr(cls, "resources", sums)
    dataset = load(prepare(settings(dataset="fashion_mnist"), location, tmp_path / "cache"))
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (2000, 5000, 1000)
    assert dataset.shape == (1, 28, 28)
    assert dataset.classes[0] == "T-shirt/top"
    assert np.bincount(dataset.val.labels).tolist() == [500] * 10
    assert {image.tobytes() for image in dataset.test.images} == {image.tobytes() for image in images["t10k"]}
    for name, _ in sums:
        (place / name).unlink()  # what is there already is not downloaded again
    again = load(prepare(settings(dataset="fashion_mnist"), location, tmp_path / "other"))
    assert again.fingerprint == dataset.fingerprint


@pytest.mark.slow
def test_real_cifar10_has_its_known_statistics(settings: Make) -> None:
    archive = Path("../shared/data/cifar10.zip")
    if not archive.is_file():
        pytest.skip("no copy of CIFAR-10 beside the project")
    dataset = load(prepare(settings(dataset="cifar10"), archive))
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (45000, 5000, 10000)
    assert dataset.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=2e-3)
    assert dataset.std == pytest.approx((0.2470, 0.2435, 0.2616), abs=2e-3)
    assert dataset.classes[0] == "airplane"
    assert dataset.fingerprint == "c16f0182663130cb"
