"""Measurements for sections 3 to 5: evaluation, metrics and logs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, recall_score
from torch import nn

from benchmarks.questions.common import SEEDS, Kinds, accuracy, mnist, percent, table, tensors, trained


def eval_mode() -> str:
    """Validation accuracy in % of networks trained for 6 epochs, in evaluation mode and in training mode. Training mode
    has batches of 128, 16 and 2 in random order, of 16 in the order of the classes, and of one image. The last row is
    evaluation mode again, after validation in training mode has changed BatchNorm's running statistics. Mean of 5 seeds
    with its 95% interval."""
    kinds: Kinds = {"BatchNorm": {"batch_norm": True}, "Dropout 0.5": {"dropout": 0.5}}
    images, labels = tensors(mnist().val)
    shuffled = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)))
    rows: dict[str, list[str]] = {}
    for changes in kinds.values():
        found: dict[str, list[float]] = {}
        for seed in SEEDS:
            model, _ = trained(seed, epochs=6, **changes)
            torch.manual_seed(seed)
            result = {"`model.eval()`": accuracy(model, images, labels)}
            model.train()
            for size in (128, 16, 2):
                result[f"training mode, {size} at random"] = _in_batches(
                    model, images[shuffled], labels[shuffled], size
                )
            result["training mode, 16 of a class"] = _in_batches(model, images, labels, 16)
            result["training mode, one by one"] = _in_batches(model, images, labels, 1)
            after = accuracy(model.eval(), images, labels)
            result["`model.eval()` afterwards, minus before"] = after - result["`model.eval()`"]
            for name, value in result.items():
                found.setdefault(name, []).append(value)
        for name, values in found.items():
            rows.setdefault(name, []).append("refused" if np.isnan(values).any() else percent(values))
    return table(["", *kinds], [[name, *cells] for name, cells in rows.items()])


def _in_batches(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, size: int) -> float:
    places = [slice(start, start + size) for start in range(0, len(labels), size)]
    try:
        shares = [accuracy(model, images[place], labels[place]) * len(labels[place]) for place in places]
    except ValueError:  # BatchNorm can't compute the variance of one value
        return float("nan")
    return sum(shares) / len(labels)


def beyond_accuracy() -> str:
    """What accuracy alone does not show, on the 1,000 test images, in %. The table has a detector of eights that always
    says no, and the default MLP used as such a detector. The list has the MLP's ten classes. Mean of 5 seeds with its
    95% interval."""
    images, labels = tensors(mnist().test)
    truth = labels.numpy()
    models = [trained(seed)[0] for seed in SEEDS]
    with torch.inference_mode():
        guesses = [model(images).argmax(1).numpy() for model in models]
    never = _scores(truth == 8, np.zeros(len(truth), dtype=bool))
    scores = np.array([_scores(truth == 8, guess == 8) for guess in guesses])
    rows = [
        ["never an 8", *(f"{score:.0%}" for score in never)],
        ["MLP: an 8 or not", *(percent(values) for values in scores.T)],
    ]
    matrix = sum(confusion_matrix(truth, guess) for guess in guesses)
    errors = matrix - np.diag(matrix.diagonal())
    worst = [divmod(int(place), 10) for place in errors.ravel().argsort()[::-1][:3]]
    recalls = np.array([recall_score(truth, guess, average=None) for guess in guesses])
    low, high = recalls.mean(0).argmin(), recalls.mean(0).argmax()
    micro = [abs(f1_score(truth, guess, average="micro") - (truth == guess).mean()) for guess in guesses]
    lines = [
        f"- all ten digits: accuracy {percent([(truth == guess).mean() for guess in guesses])}",
        f"- recall of digit {low} {percent(recalls[:, low])}, of digit {high} {percent(recalls[:, high])}",
        f"- of {errors.sum()} errors in 5,000: "
        + ", ".join(f"{i} mistaken for {j} {errors[i, j]} times" for i, j in worst),
        f"- micro-averaged F1 and accuracy differ by at most {max(micro):.0e}",
    ]
    return table(["", "accuracy", "balanced accuracy", "recall", "F1"], rows) + "\n\n" + "\n".join(lines)


def _scores(truth: npt.NDArray[np.bool_], guess: npt.NDArray[np.bool_]) -> list[float]:
    return [
        float((truth == guess).mean()), float(balanced_accuracy_score(truth, guess)),
        float(recall_score(truth, guess)), float(f1_score(truth, guess, zero_division=0)),
    ]  # fmt: skip


def one_directory() -> str:
    """What TensorBoard reads where two SummaryWriters write the same tag to one directory, one after the other. Nothing
    is overwritten: each writes its own file, and the points of both are in one curve."""
    import tempfile
    from pathlib import Path

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with tempfile.TemporaryDirectory() as place:
        for level in (0.5, 0.9):
            writer = SummaryWriter(place)
            for step in range(3):
                writer.add_scalar("val/accuracy", level + step / 100, step)
            writer.close()
        files = len(list(Path(place).iterdir()))
        reader = EventAccumulator(place)
        reader.Reload()
        points = [(event.step, round(event.value, 2)) for event in reader.Scalars("val/accuracy")]
    return f"{files} files; steps and values as read: {', '.join(map(str, points))}."
