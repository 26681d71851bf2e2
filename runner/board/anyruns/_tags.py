"""What a tag's name tells: which values are better, and which tags to show first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from runner.board.anyruns._grouping import natural
from runner.board.anyruns._query import Better


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOSSES = _names(
    "loss losses err error errors perplexity ppl mae mse rmse msle mape nll bce ce entropy wer cer ter fid lpips brier "
    "ece kl divergence gap regret"
)
_COSTS = _names("latency time seconds duration memory")
_HIGHER = _names(
    "acc accuracy f1 auc auroc auprc ap map precision recall iou miou dice psnr ssim bleu rouge top1 top5 r2 reward "
    "return score kappa mcc"
)
_VALIDATION = _names("val valid validation eval evaluation dev")
_TEST = _names("test testing")
_BOOKKEEPING = _COSTS | _names("lr learning rate epoch step hp metric grad norm")
_LAST = 7  # the rank of bookkeeping


def _words(tag: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", tag)
    words = re.findall(r"[a-z]+[0-9]*", spaced.lower())
    return {*words, *(word.rstrip("0123456789") for word in words)}


def _ends(tag: str, words: Iterable[str]) -> bool:
    """Whether a name such as "valloss" or "trainacc" ends with one of these."""
    return any(word.endswith(end) for word in _words(tag) for end in words)


def is_lower_better(tag: str) -> bool:
    """Whether small values of a tag are better, by its name: losses, errors, perplexities, times.

    >>> is_lower_better("val/loss"), is_lower_better("val_accuracy"), is_lower_better("testMSE")
    (True, False, True)
    """
    return _is_loss(tag) or bool(_words(tag) & _COSTS)


def _is_loss(tag: str) -> bool:
    return bool(_words(tag) & _LOSSES) or _ends(tag, ("loss", "error", "perplexity", "mse", "mae"))


def better_of(tag: str, asked: Better | Literal[""] = "") -> Better:
    """Returns which values are better: what was asked for, or what the tag's name says."""
    return asked or ("min" if is_lower_better(tag) else "max")


def sorted_tags(tags: Iterable[str]) -> list[str]:
    """Returns tags, the most useful first: validation accuracy, validation loss, the test's, the others, bookkeeping.

    >>> sorted_tags(["epoch", "train/loss", "val/loss", "val/accuracy"])
    ['val/accuracy', 'val/loss', 'train/loss', 'epoch']
    """
    return sorted(tags, key=lambda tag: (_rank(tag), natural(tag), tag))


def _rank(tag: str) -> int:
    words = _words(tag)
    place = 0 if words & _VALIDATION else 2 if words & _TEST else 4
    if _is_loss(tag):
        return place + 1
    if words & _HIGHER or _ends(tag, ("acc", "accuracy")):
        return place
    return _LAST if words & _BOOKKEEPING else 6


def useful_tags(ordered: Sequence[str]) -> list[str]:
    """Returns the tags that measure success, in their order; all where none does.

    >>> useful_tags(["val/f1", "train/loss", "epoch", "lr"])
    ['val/f1', 'train/loss']
    """
    return [tag for tag in ordered if _rank(tag) < _LAST] or list(ordered)


def chosen_tags(ordered: Sequence[str]) -> list[str]:
    """Returns the two tags to show where none is asked for: the first, and the first that differs in direction.

    >>> chosen_tags(["val/accuracy", "val/f1", "val/loss"])
    ['val/accuracy', 'val/loss']
    """
    useful = useful_tags(ordered)
    others = [tag for tag in useful[1:] if is_lower_better(tag) != is_lower_better(useful[0])]
    return [*useful[:1], *(others or useful[1:])[:1]]
