"""The torchvision package, also beside a build of torch that its compiled ops do not fit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
_MISSING = "torchvision::nms"  # what torch names where the compiled ops did not load


@cache
def torchvision() -> Any:
    """Imports torchvision. Where its compiled ops can't load (a CPU-only torch beside the usual wheel),
    the plain import dies over two operators that are missing; data sets, models and grids need neither,
    so their schemas alone are declared, and the import tried again."""
    try:
        import torchvision as package
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
            del sys.modules[name]
        from torch import library

        ops: Any = library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        ops.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        ops.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision as package

        package._declared_ops = ops  # they vanish with the object
    return package


def repaired(action: Callable[[], T]) -> T:
    """What `action` gives; where it fails because it imports torchvision by itself, once more after the repair."""
    try:
        return action()
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
    torchvision()
    return action()
