"""Trains a cohort in lockstep: each batch is made once, and every learner takes a step on it.

Each learner has its own model, optimizer and random state. So a run is bit for bit the same alone or in any cohort,
and a run that stops or fails does not change the others.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import torch
from torch.nn import functional

from runner.confusion import confusion, macro_f1
from runner.data import Part, Stream
from runner.models import distinct_units, weight_layers
from runner.train._lane import abreast
from runner.train._learner import Learner, State
from runner.train._tally import Counts, Metrics

P = ParamSpec("P")
T = TypeVar("T")


class NonFiniteLoss(ArithmeticError):
    """The loss became nan or infinite."""


class Interrupted(Exception):
    """Training was asked to stop during an epoch; the learners' snapshots are from the epoch before."""


@dataclass
class Epoch:
    """One learner has finished an epoch. All of it stays as it is while the learner trains on.

    number       of the epoch, from 1
    val_logits   N x classes, on the CPU
    snapshot     what training resumes from
    weights      the model's, by name
    gradients    of its last step, by name
    first_layer  the weight of the first linear or convolution layer; None without one
    """

    learner: Learner
    metrics: Metrics
    val_logits: torch.Tensor
    number: int
    snapshot: State
    weights: dict[str, torch.Tensor]
    gradients: dict[str, torch.Tensor]
    first_layer: torch.Tensor | None


@dataclass
class Finished:
    """One learner has finished training.

    metrics  validation and test metrics of the best epoch's weights
    logits   part -> logits of the best epoch's weights, N x classes, on the CPU
    """

    learner: Learner
    metrics: Metrics
    logits: dict[str, torch.Tensor]


@dataclass
class Failed:
    """One learner has failed with an error; the others continue."""

    learner: Learner
    error: Exception


Event = Epoch | Finished | Failed


def lockstep(learners: list[Learner], stream: Stream, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Trains the learners until each has finished or failed, and yields events.

    Resumed learners may start with different numbers of finished epochs: each epoch is streamed for the learners
    that have not trained it. Raises Interrupted where `stop()` returns true; it is called before every batch.
    """
    for learner in learners:
        if not learner.snapshot:
            learner.snapshot = copy.deepcopy(learner.state())
    finished: list[Learner] = []
    while left := [learner for learner in learners if learner not in finished and not learner.failed]:
        for learner in [learner for learner in left if learner.done]:
            finished.append(learner)
            learner.recorded.forget()
            yield _attempt(learner, _finish, learner, stream)
        training = [learner for learner in left if not learner.done]
        if training:
            epoch = min(learner.epoch for learner in training) + 1
            yield from _epoch([learner for learner in training if learner.epoch == epoch - 1], stream, epoch, stop)


def _epoch(learners: list[Learner], stream: Stream, epoch: int, stop: Callable[[], bool]) -> Iterator[Event]:
    """Trains and then evaluates one epoch."""
    began = time.perf_counter()
    for learner in learners:
        learner.begin_epoch()
    for images, labels in stream.train(epoch):
        if stop():
            raise Interrupted
        with abreast(learner.lane for learner in _alive(learners)):
            steps = [_attempt(learner, learner.step, images, labels) for learner in _alive(learners)]
        yield from filter(None, steps)
    _settle(learners[0].device)
    train_seconds = time.perf_counter() - began
    counted = {id(learner): learner.take_counts() for learner in learners}
    shared = (train_seconds - sum(counts.seconds for counts in counted.values())) / len(learners)
    began = time.perf_counter()
    evaluated: dict[str, dict[int, tuple[Metrics, torch.Tensor]]] = {}
    for name, part in (("train_eval", stream.train_eval), ("val", stream.dataset.val)):
        results, failures = _evaluate(_alive(learners), stream, part, stop)
        evaluated[name] = results
        yield from failures
    eval_seconds = (time.perf_counter() - began) / len(learners)
    for learner in _alive(learners):
        counts = counted[id(learner)]
        (train_eval, _), (val, val_logits) = evaluated["train_eval"][id(learner)], evaluated["val"][id(learner)]
        metrics = counts.metrics() | _prefixed("train_eval", train_eval) | _prefixed("val", val)
        metrics["generalization_gap"] = train_eval["accuracy"] - val["accuracy"]
        metrics["train/lr"] = learner.rate.value
        metrics["train/images_per_second"] = sum(counts.sizes) / (counts.seconds + shared)
        metrics["seconds"] = counts.seconds + shared + eval_seconds
        metrics[learner.settings.monitor] = _monitored(learner, val, val_logits, stream)
        learner.end_epoch(metrics[learner.settings.monitor], val_logits)
        yield _ended(learner, metrics, val_logits)
        failure = _attempt(learner, _check_finite, counts, epoch, val["loss"])
        if failure:
            yield failure


def _monitored(learner: Learner, val: Metrics, val_logits: torch.Tensor, stream: Stream) -> float:
    """Returns the value of the measure that chooses the learner's best epoch."""
    name = learner.settings.monitor.removeprefix("val/")
    if name != "f1":
        return val[name]
    labels = stream.dataset.val.labels
    return macro_f1(confusion(labels, val_logits.argmax(1).numpy(), learner.classes))


def _ended(learner: Learner, metrics: Metrics, val_logits: torch.Tensor) -> Epoch:
    parameters = dict(learner.model.named_parameters())
    weights = {name: learner.snapshot["model"][name] for name in parameters}
    gradients = {name: weight.grad.clone() for name, weight in parameters.items() if weight.grad is not None}
    layers = weight_layers(learner.model)
    first: torch.Tensor | None = layers[0].weight.detach().clone() if layers else None  # type: ignore[operator]
    return Epoch(learner, metrics, val_logits, learner.epoch, learner.snapshot, weights, gradients, first)


def _settle(device: torch.device) -> None:
    """Waits for a GPU: it is still computing when a step returns, and this time counts."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _check_finite(counts: Counts, epoch: int, val_loss: float) -> None:
    if found := counts.first_non_finite():
        step, loss = found
        raise NonFiniteLoss(f"the training loss was {loss} at epoch {epoch}, step {step}")
    if not math.isfinite(val_loss):
        raise NonFiniteLoss(f"the validation loss was {val_loss} after epoch {epoch}")


def _evaluate(
    learners: list[Learner], stream: Stream, part: Part, stop: Callable[[], bool]
) -> tuple[dict[int, tuple[Metrics, torch.Tensor]], list[Failed]]:
    """Evaluates each learner on a part, from one shared stream.

    Returns loss, accuracy and logits (N x classes, on the CPU) by the learner's id, and the failures.
    """
    outputs: dict[int, list[torch.Tensor]] = {id(learner): [] for learner in learners}
    failures: list[Failed] = []
    for learner in learners:
        learner.evaluated.eval()
    for size in sorted({learner.evaluation_batch for learner in learners}):
        alike = [learner for learner in learners if learner.evaluation_batch == size]
        for images, _ in stream.evaluation(part, size):
            if stop():
                raise Interrupted
            with abreast(learner.lane for learner in _alive(alike)):
                answers = [(learner, _attempt(learner, learner.logits, images)) for learner in _alive(alike)]
            for learner, output in answers:
                if isinstance(output, Failed):
                    failures.append(output)
                else:
                    outputs[id(learner)].append(output)
    labels = torch.from_numpy(part.labels)
    results = {}
    for learner in _alive(learners):
        logits = torch.cat(outputs[id(learner)]).cpu()
        results[id(learner)] = measure(logits, labels), logits
    return results, failures


def measure(logits: torch.Tensor, labels: torch.Tensor) -> Metrics:
    """Returns the mean cross-entropy (nats) and the accuracy (0 to 1) of logits (N x classes) for labels (int64, N).

    >>> measure(torch.zeros(2, 4), torch.tensor([0, 1]))  # the loss is ln 4
    {'loss': 1.3862943611198906, 'accuracy': 0.5}
    """
    return {
        "loss": float(functional.cross_entropy(logits.double(), labels)),
        "accuracy": float((logits.argmax(1) == labels).double().mean()),
    }


def _finish(learner: Learner, stream: Stream) -> Finished:
    """Measures test at the best epoch's weights, once, and adds that epoch's validation."""
    dataset = stream.dataset
    learner.evaluated.load_state_dict(learner.best)
    learner.evaluated.eval()
    batches = stream.evaluation(dataset.test, learner.evaluation_batch)
    outputs = []
    for images, _ in batches:
        with abreast([learner.lane]):  # for each batch, which must be complete before
            outputs.append(learner.logits(images))
    test = torch.cat(outputs).cpu()
    logits = {"val": learner.best_logits, "test": test}
    distinct, units = distinct_units(learner.evaluated)
    metrics: Metrics = {"best_epoch": learner.best_epoch, "epochs": learner.epoch}
    metrics |= {"distinct_units": distinct, "units": units}
    for name, part in (("val", dataset.val), ("test", dataset.test)):
        metrics |= _prefixed(name, measure(logits[name], torch.from_numpy(part.labels)))
    return Finished(learner, metrics, logits)


def _attempt(learner: Learner, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failed:
    """Calls `action`; an exception becomes the learner's failure, so that the other learners continue."""
    try:
        return action(*args, **kwargs)
    except Exception as error:
        learner.failed = True
        learner.recorded.forget()
        return Failed(learner, error)


def _alive(learners: list[Learner]) -> list[Learner]:
    return [learner for learner in learners if not learner.failed]


def _prefixed(name: str, metrics: Metrics) -> Metrics:
    return {f"{name}/{key}": value for key, value in metrics.items()}
