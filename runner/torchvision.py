"""Imports torchvision, also beside a build of torch that does not fit its compiled operators."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
_AUXILIARY = ("aux1", "aux2", "AuxLogits")
_MISSING = "torchvision::nms"  # torch's error names this operator where the compiled ones did not load


@cache
def torchvision() -> Any:
    """Imports torchvision.

    Where its compiled operators can't load (a CPU-only torch beside the usual wheel), a plain import fails because two
    operators are missing. Data sets and models need neither. So this function declares their schemas and imports again.
    """
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

        package._declared_ops = ops  # the operators are there as long as this object is
    return package


def classifiers() -> list[str]:
    """Returns the names of torchvision's image classifiers."""
    models = torchvision().models
    return models.list_models(module=models)  # type: ignore[no-any-return]


def classifier(name: str, classes: int, **arguments: Any) -> Any:
    """Builds torchvision's classifier of this name for RGB images, with its own random weights.

    Auxiliary classifiers are switched off, as torchvision does when it loads weights: it returns logits alone.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about the initialization of GoogLeNet and Inception
        model = torchvision().models.get_model(name, weights=None, num_classes=classes, **arguments)
    for part in _AUXILIARY:
        if hasattr(model, part):
            setattr(model, part, None)
            model.aux_logits = False
    return model


def repaired(action: Callable[[], T]) -> T:
    """Calls `action` and returns its result; where it fails to import torchvision, repairs that and calls it again."""
    try:
        return action()
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
    torchvision()
    return action()
