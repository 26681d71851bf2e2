"""Models and data sets as a user would bring them, some of them broken; named in specs as tests.fakes:NAME."""

from __future__ import annotations

import os
import random
import signal
import sys
import warnings
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn


def small(shape: tuple[int, int, int], classes: int, width: int = 8) -> nn.Module:
    """A good citizen with an argument of its own."""
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], width), nn.Linear(width, classes))


def from_file(shape: tuple[int, int, int], classes: int, file: str) -> nn.Module:
    """Its first weights are what a file says."""
    linear = nn.Linear(shape[0] * shape[1] * shape[2], classes)
    with open(file) as text, torch.no_grad():
        linear.weight.fill_(float(text.read()))
    return nn.Sequential(nn.Flatten(), linear)


def raising(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Its constructor fails."""
    raise RuntimeError("no such model today")


def leaving(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Its constructor asks the process to end."""
    raise SystemExit("enough")


def deadly(shape: tuple[int, int, int], classes: int, code: int = 0) -> nn.Module:
    """Its constructor ends its process: by exit, or where there is no code by SIGKILL."""
    if code:
        raise SystemExit(code)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class _Late(nn.Module):
    """Works for some steps, then does `what`; where `counter` names a file, only so many `times`."""

    def __init__(self, inputs: int, classes: int, what: str, counter: str, times: int, after: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, classes)
        self.what = what
        self.counter = counter
        self.times = times
        self.after = after
        self.steps = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        logits: torch.Tensor = self.linear(images.flatten(1))
        if self.steps > self.after and self._again():
            if self.what == "raise":
                raise RuntimeError("out of ideas")
            if self.what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.what == "lock":
                sys.setprofile(_die_with_lock)
            if self.what == "nan":
                return logits * float("nan")
        return logits

    def _again(self) -> bool:
        if not self.counter:
            return True
        with open(self.counter, "ab") as file:
            file.write(b".")
            return file.tell() <= self.times


def late(
    shape: tuple[int, int, int], classes: int, what: str, counter: str = "", times: int = 1, after: int = 25
) -> nn.Module:
    """Fails after so many training steps (25: in the second epoch of the small study), which measuring does not reach.

    `what` is raise, die, lock (die with a lock of multiprocessing's in hand) or nan.
    """
    return _Late(shape[0] * shape[1] * shape[2], classes, what, counter, times, after)


def failing(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Fails in its first epoch, after the steps that measuring takes."""
    return late(shape, classes, "raise", after=10)


def _die_with_lock(frame: FrameType, event: str, _: Any) -> None:
    """A profiler that kills its process as soon as it holds a lock that other processes wait for."""
    if event == "c_return" and "synchronize" in frame.f_code.co_filename:
        os.kill(os.getpid(), signal.SIGKILL)


class _Vandal(nn.Module):
    """Changes its input in place and draws global random numbers."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear(images.mul_(0).add_(torch.rand(1)).flatten(1))
        return logits


def vandal(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """What it does must stay its own."""
    return _Vandal(shape[0] * shape[1] * shape[2], classes)


def stripes() -> dict[str, Any]:
    """A data set of one's own: 60 gray images a class, horizontal or vertical stripes."""
    noise = np.random.default_rng(0).integers(0, 60, (120, 8, 8), dtype=np.uint8)
    noise[:60, ::2] += 150
    noise[60:, :, ::2] += 150
    return {"all": (noise, np.repeat([0, 1], 60)), "classes": ["across", "down"]}


def photos() -> dict[str, Any]:
    """Real images in colour: 120 tiles of 16 x 16 pixels from each of scikit-learn's two photographs."""
    from sklearn.datasets import load_sample_images

    tiles = [
        photo[:416].reshape(26, 16, 40, 16, 3).swapaxes(1, 2).reshape(-1, 16, 16, 3)[4::8][:120]
        for photo in load_sample_images().images
    ]
    return {"all": (np.concatenate(tiles), np.repeat([0, 1], 120)), "classes": ["temple", "flower"]}


def many() -> dict[str, Any]:
    """Four images of noise for each of 400 classes."""
    labels = np.repeat(np.arange(400), 4)
    noise = np.random.default_rng(0).integers(0, 255, (3, 1600, 8, 8), dtype=np.uint8)
    return {part: (images, labels) for part, images in zip(("train", "val", "test"), noise, strict=True)}


def drawn() -> dict[str, Any]:
    """Images and classes that NumPy's and Python's global generators draw."""
    labels = np.arange(120) % 2
    images = np.random.randint(0, 99, (120, 8, 8)) + 100 * labels[:, None, None] + random.randrange(50)
    return {"all": (images.astype(np.uint8), labels)}


def wrong_type() -> dict[str, Any]:
    """Floats, where bytes are expected."""
    return {"all": (np.zeros((10, 8, 8)), np.zeros(10, dtype=int))}


def nameless() -> dict[str, Any]:
    """Fewer names than classes."""
    return stripes() | {"classes": ["across"]}


def two_digits() -> dict[str, Any]:
    """Real images of 100 classes: the numbers 00 to 99, each in 12 pairs of scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images * 15).astype(np.uint8)
    rng = np.random.default_rng(0)
    by_class = [np.flatnonzero(digits.target == k) for k in range(10)]
    labels = np.repeat(np.arange(100), 12)
    tens, ones = (np.array([rng.choice(by_class[k]) for k in part]) for part in (labels // 10, labels % 10))
    return {"all": (np.concatenate([images[tens], images[ones]], axis=2), labels)}


def frozen(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Nothing of it can be trained."""
    return small(shape, classes).requires_grad_(False)


class _Gives(nn.Module):
    """Gives other things than logits, images x classes."""

    def __init__(self, inputs: int, classes: int, what: str) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, classes + (what == "one more"))
        self.what = what

    def forward(self, images: torch.Tensor) -> Any:
        logits = self.linear(images.flatten(1))
        given = {"tuple": (logits, images), "none": None, "map": logits[..., None], "squeezed": logits[:, 0]}
        return given.get(self.what, logits.argmax(1) if self.what == "whole numbers" else logits)


def gives(shape: tuple[int, int, int], classes: int, what: str) -> nn.Module:
    """As research models do: a tuple with features, a map that is not flattened, a class too many."""
    return _Gives(shape[0] * shape[1] * shape[2], classes, what)


def passed(shape: tuple[int, int, int], classes: int, **options: Any) -> nn.Module:
    """Passes its arguments on, so that only a call shows which there are."""
    return small(shape, classes, **options)


def lazy(shape: tuple[int, int, int], classes: int, unused: bool = False) -> nn.Module:
    """Layers that take their sizes from the first batch; one may never see any."""
    model = nn.Sequential(
        nn.LazyConv2d(4, 3, padding=1), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(classes)
    )
    if unused:
        model[1].spare = nn.LazyLinear(3)
    return model


class _Constant(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.bias.expand(len(images), -1)


def constant(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Has no layer that an initialization could reach."""
    return _Constant(classes)


def normed(shape: tuple[int, int, int], classes: int, how: str) -> nn.Module:
    """Its first layer's weight is computed from others: by the old or the new weight_norm, or spectral_norm."""
    from torch.nn.utils import parametrizations, weight_norm

    wrap: Any = {"old": weight_norm, "new": parametrizations.weight_norm, "spectral": parametrizations.spectral_norm}
    inputs = shape[0] * shape[1] * shape[2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old one is deprecated, and still what people have
        return nn.Sequential(nn.Flatten(), wrap[how](nn.Linear(inputs, 16)), nn.ReLU(), nn.Linear(16, classes))


class _Dice(nn.Module):
    """Draws weights and skipped layers from Python's and NumPy's global generators."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(inputs, 8), nn.Linear(8, 8), nn.Linear(8, classes)
        with torch.no_grad():
            self.first.weight.copy_(torch.from_numpy(np.random.normal(0, 0.1, (8, inputs))))
            self.last.bias.copy_(torch.tensor([random.gauss(0, 0.1) for _ in range(classes)]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = self.first(images.flatten(1)).relu()
        if not self.training or (np.random.rand() > 0.3 and random.random() > 0.3):
            hidden = hidden + self.middle(hidden).relu()
        logits: torch.Tensor = self.last(hidden)
        return logits


def dice(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """As many published models: random numbers that are not torch's."""
    return _Dice(shape[0] * shape[1] * shape[2], classes)


class _Auxiliary(nn.Module):
    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 8), nn.ReLU())
        self.head, self.aux = nn.Linear(8, classes), nn.Linear(8, classes)

    def forward(self, images: torch.Tensor) -> Any:
        features = self.body(images)
        return (self.head(features), self.aux(features)) if self.training else self.head(features)


def auxiliary(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Returns a second output in training, as GoogLeNet does."""
    return _Auxiliary(shape[0] * shape[1] * shape[2], classes)


class _Wrapped(nn.Module):
    def __init__(self, inputs: int, classes: int, form: str) -> None:
        super().__init__()
        self.inner, self.form = nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes)), form

    def forward(self, images: torch.Tensor) -> Any:
        logits = self.inner(images)
        forms: dict[str, Any] = {
            "plain": logits, "tuple": (logits, images), "list": [logits], "dict": {"features": 0, "logits": logits},
            "object": SimpleNamespace(logits=logits),
        }  # fmt: skip
        return forms[self.form]


def wrapped(shape: tuple[int, int, int], classes: int, form: str) -> nn.Module:
    """Returns logits as other libraries do."""
    return _Wrapped(shape[0] * shape[1] * shape[2], classes, form)


def patients(count: int = 40, grouped: bool = True, leak: bool = False) -> dict[str, Any]:
    """Five images of noise for each patient; the first pixel is the patient's number."""
    numbers = np.repeat(np.arange(count), 5)
    images = np.random.default_rng(0).integers(100, 255, (len(numbers), 8, 8), dtype=np.uint8)
    images[:, 0, 0] = numbers
    groups = [f"patient {number}" for number in numbers]
    labels = numbers % 2
    if leak:
        half = len(numbers) // 2 - 2
        return {
            "train": (images[:half], labels[:half], groups[:half]),
            "test": (images[half:], labels[half:], groups[half:]),
        }
    return {"all": (images, labels, groups) if grouped else (images, labels)}
