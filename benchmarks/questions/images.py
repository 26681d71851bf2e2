"""Measurements for sections 1 and 2: what transforms do to an image, and how long they take."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.questions.common import mean, mnist, settings, table
from runner.models import build
from runner.spec import albumentations
from runner.torchvision import torchvision

Image = Any  # uint8, height x width x channels


def photo(size: int | None = None) -> Image:
    """Returns a photograph of scikit-learn (uint8, 427 x 640 x 3), or its middle resized to `size` x `size`."""
    import cv2
    from sklearn.datasets import load_sample_images

    image = load_sample_images().images[0].copy()
    return image if size is None else cv2.resize(np.ascontiguousarray(image[:, 106:533]), (size, size))


def fixed_size() -> str:
    """A network of fully connected layers takes only the size it was built for. A convolutional network that averages
    over all places (global pooling) takes any size. Each gets random images."""
    mlp = build(settings(), (1, 28, 28), 10, seed=0)
    pooled = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)
    )  # fmt: skip
    return table(
        ["images", "MLP built for 28 x 28", "convolution and global pooling"],
        [[f"{side} x {side}", *(_tried(model, side) for model in (mlp, pooled))] for side in (28, 32, 64)],
    )


def _tried(model: nn.Module, side: int) -> str:
    try:
        return f"logits {tuple(model(torch.rand(2, 1, side, side)).shape)}"
    except RuntimeError as error:
        return f"refused: {error}"


def normalize() -> str:
    """Channel means and deviations of a real photograph after each way of normalizing. `A.Normalize()` uses ImageNet's
    statistics by default, so mean 0 and deviation 1 hold only on average over ImageNet. For an image of one channel it
    silently uses the first channel's statistics."""
    package = albumentations()
    image = photo()
    own = {"mean": (image / 255).mean((0, 1)), "std": (image / 255).std((0, 1))}
    ways = {
        "pixels / 255": image / 255,
        "`A.Normalize()`": package.Normalize()(image=image)["image"],
        "`A.Normalize(mean, std)` of these pixels": package.Normalize(**own)(image=image)["image"],
        '`A.Normalize(normalization="image_per_channel")`': package.Normalize(normalization="image_per_channel")(
            image=image
        )["image"],
        "`A.Normalize()` on one channel, the first": package.Normalize()(image=image[..., :1].copy())["image"],
    }
    return table(
        ["", "means", "deviations"],
        [[name, _triple(pixels.mean((0, 1))), _triple(pixels.std((0, 1)))] for name, pixels in ways.items()],
    )


def _triple(values: Any) -> str:
    return ", ".join(f"{value:+.2f}" for value in values)


def to_tensor() -> str:
    """The same uint8 photograph after each last step. `ToTensorV2` turns H x W x C into C x H x W and changes neither
    type nor values. The step before it, `Normalize`, makes the floats."""
    from albumentations.pytorch import ToTensorV2

    transforms = torchvision().transforms
    image = photo()
    ways = {
        "before": torch.from_numpy(image),
        "`ToTensorV2()`": ToTensorV2()(image=image)["image"],
        "`A.Normalize()`, then `ToTensorV2()`": ToTensorV2()(image=albumentations().Normalize()(image=image)["image"])[
            "image"
        ],
        "`torchvision.transforms.ToTensor()`": transforms.ToTensor()(image),
    }
    return table(
        ["", "shape", "type", "smallest", "largest"],
        [[k, tuple(v.shape), f"`{v.dtype}`", f"{v.min():.2f}", f"{v.max():.2f}"] for k, v in ways.items()],
    )


def flatten() -> str:
    """`Flatten` reads the tensor in its own order: channel by channel, row by row. The image has 2 channels, 2 rows and
    3 columns. Its numbers are 100 x channel + 10 x row + column."""
    channel, row, column = torch.meshgrid(torch.arange(2), torch.arange(2), torch.arange(3), indexing="ij")
    tensor = (100 * channel + 10 * row + column)[None]
    orders = {
        "C x H x W, as PyTorch has it": tensor,
        "H x W x C, as NumPy and OpenCV have it": tensor.permute(0, 2, 3, 1),
    }
    return table(["tensor", "after `Flatten`"], [[k, nn.Flatten()(v)[0].tolist()] for k, v in orders.items()])


def transform_speed() -> str:
    """Torchvision's time divided by Albumentations' time on one photograph. Above 1, Albumentations is faster.
    Torchvision works on a PIL image (its usual way) and, in version 2, on a uint8 tensor. One thread. Mean of 10
    alternating rounds of 100 images (20 at 224 pixels), with its 95% interval over the rounds."""
    rows = []
    for side, count in ((32, 100), (224, 20)):
        image = photo(side)
        for name, ways in _ways(image).items():
            rounds = np.array([[_seconds(way, count) for way in ways] for _ in range(10)])
            ratios = rounds[:, 1:] / rounds[:, :1]
            ours = mean(rounds[:, 0] / count * 1e6, 0)
            rows.append([f"{name}, {side} x {side}", ours, *(mean(ratio, 1) for ratio in ratios.T)])
    return table(["", "Albumentations, us an image", "torchvision, PIL", "torchvision v2, tensor"], rows)


def _ways(image: Image) -> dict[str, list[Callable[[], object]]]:
    """Returns each operation three times: Albumentations on an array, torchvision on a PIL image, v2 on a tensor."""
    from albumentations.pytorch import ToTensorV2
    from PIL import Image as Pillow

    package, vision = albumentations(), torchvision().transforms
    v2: Any = importlib.import_module("torchvision.transforms.v2")
    colour = {"brightness": 0.2, "contrast": 0.2}
    bilinear = vision.InterpolationMode.BILINEAR
    move = {"degrees": 15, "translate": (0.0625, 0.0625), "scale": (0.9, 1.1), "interpolation": bilinear}
    affine = package.Affine(translate_percent=(-0.0625, 0.0625), scale=(0.9, 1.1), rotate=(-15, 15), p=1)
    imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    steps: dict[str, tuple[list[Any], ...]] = {
        "resize to 64 x 64": ([package.Resize(64, 64)], [vision.Resize((64, 64))], [v2.Resize((64, 64))]),
        "flip": ([package.HorizontalFlip(p=1)], [vision.RandomHorizontalFlip(1)], [v2.RandomHorizontalFlip(1)]),
        "brightness, contrast": (
            [package.RandomBrightnessContrast(0.2, 0.2, p=1)],
            [vision.ColorJitter(**colour)],
            [v2.ColorJitter(**colour)],
        ),
        "shift, scale, turn": ([affine], [vision.RandomAffine(**move)], [v2.RandomAffine(**move)]),
        "normalize, to tensor": (
            [package.Normalize(), ToTensorV2()],
            [vision.ToTensor(), vision.Normalize(*imagenet)],
            [v2.ToDtype(torch.float32, scale=True), v2.Normalize(*imagenet)],
        ),
    }  # fmt: skip
    after_resizing = list(steps.values())[1:]
    steps["the last four together"] = tuple([t for step in after_resizing for t in step[k]] for k in range(3))
    pil, tensor = Pillow.fromarray(image), torch.from_numpy(image).permute(2, 0, 1).contiguous()
    return {
        name: [
            partial(package.Compose(ours), image=image),
            partial(vision.Compose(theirs), pil),
            partial(v2.Compose(newer), tensor),
        ]
        for name, (ours, theirs, newer) in steps.items()
    }


def _seconds(function: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        function()
    return time.perf_counter() - began


def gray_images() -> str:
    """What color transforms do to an image of one channel. They skip what needs colors, some with a warning."""
    import warnings

    package = albumentations()
    image = np.ascontiguousarray(mnist().train.images[0])
    rows = []
    for name in ("HueSaturationValue", "ToGray", "ChannelShuffle", "RandomBrightnessContrast"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = getattr(package, name)(p=1.0)(image=image)["image"]
        changed = "changed" if not np.array_equal(result, image) else "as it was"
        rows.append([f"`{name}`", f"{result.shape}, {changed}", str(caught[0].message) if caught else "-"])
    return table(["transform", "a 28 x 28 x 1 image comes out as", "warning"], rows)
