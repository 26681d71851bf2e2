"""Learners and a stream to metrics, yielded epoch by epoch. Knows no files.

The learners of a cohort train in lockstep: each batch is made once and every learner takes its step on
it. Each has its own model, optimizer, random state, early stopping and best weights, so a run is the
same bit for bit alone or in any company, and one that stops or fails leaves the others untouched.
"""

from __future__ import annotations

import copy
import inspect
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from runner.data import Part, Stream
from runner.models import build
from runner.spec import Settings, is_reference
from runner.spec.names import optimizer_class

GRAD_NORM_EVERY = 10  # steps; the norm costs 2-5% of a small model's step
_TRAINING_RANDOMNESS = 2**40  # keeps dropout's seeds apart from those of the initial weights

Metrics = dict[str, float]
State = dict[str, Any]


class NonFiniteLoss(ArithmeticError):
    """The loss is no longer a number: nothing after it means anything."""


class Interrupted(Exception):
    """Asked to stop in the midst of an epoch; the learners' snapshots are of the epoch before."""


@dataclass
class Epoch:
    """One learner has finished an epoch."""

    learner: Learner
    metrics: Metrics
    val_logits: torch.Tensor


@dataclass
class Finished:
    """One learner will train no more: its best weights' logits, N x classes, on the CPU."""

    learner: Learner
    metrics: Metrics
    logits: dict[str, torch.Tensor]


@dataclass
class Failed:
    """One learner is out, and why; the others go on."""

    learner: Learner
    error: Exception


Event = Epoch | Finished | Failed


class Learner:
    """One run in training."""

    def __init__(self, settings: Settings, shape: tuple[int, int, int], classes: int, seed: int, device: torch.device):
        self.settings = settings
        self.device = device
        self.model = build(settings, shape, classes, seed).to(device)
        self.optimizer = _optimizer(settings, self.model)
        self.epoch = 0  # finished epochs
        self.best_epoch = 0
        self.best_loss = math.inf
        self.best: State = {}
        self.failed = False
        self.snapshot: State = {}
        self._own_copy = is_reference(settings.model)  # somebody's model might change its input in place
        self._rng = torch.Generator().manual_seed(_TRAINING_RANDOMNESS + seed).get_state()
        self._tally = _Tally()

    @property
    def done(self) -> bool:
        """Whether it has trained all its epochs or its patience is at an end."""
        patience = self.settings.patience
        return self.epoch >= self.settings.epochs or bool(patience and self.epoch - self.best_epoch >= patience)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """One step of the optimizer on one batch."""
        began = time.perf_counter()
        with self._randomness():
            logits = self.model(images.clone() if self._own_copy else images)
            loss = functional.cross_entropy(logits, labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if len(self._tally.losses) % GRAD_NORM_EVERY == 0:
                gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
                self._tally.grad_norms.append(nn.utils.get_total_norm(gradients))
            self.optimizer.step()
        self._tally.losses.append(loss.detach())
        self._tally.sizes.append(len(labels))
        self._tally.correct.append((logits.detach().argmax(1) == labels).sum())
        self._tally.seconds += time.perf_counter() - began

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """The model's output in evaluation mode."""
        began = time.perf_counter()
        with self._randomness(), torch.inference_mode():
            output: torch.Tensor = self.model(images.clone() if self._own_copy else images)
        self._tally.eval_seconds += time.perf_counter() - began
        return output

    def state(self) -> State:
        """Everything that decides how it goes on, as references into the learner."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": self._rng,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "best": self.best,
        }

    def restore(self, state: State) -> None:
        """Goes on from a state that `state` or a snapshot gave."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self._rng = state["epoch"], state["rng"].cpu()
        self.best_epoch, self.best_loss, self.best = state["best_epoch"], state["best_loss"], state["best"]
        self.snapshot = copy.deepcopy(self.state())

    def end_epoch(self, val_loss: float) -> None:
        """Counts the epoch, keeps the best weights, and a snapshot to go on from."""
        self.epoch += 1
        model = {key: value.detach().clone() for key, value in self.model.state_dict().items()}
        if val_loss < self.best_loss:
            self.best_loss, self.best_epoch, self.best = val_loss, self.epoch, model
        optimizer = copy.deepcopy(self.optimizer.state_dict())
        self.snapshot = self.state() | {"model": model, "optimizer": optimizer}

    def take_tally(self) -> _Tally:
        """What was counted since the last call."""
        tally, self._tally = self._tally, _Tally()
        return tally

    @contextmanager
    def _randomness(self) -> Iterator[None]:
        """The learner's own random state, whoever drew numbers in between."""
        outer = torch.get_rng_state()
        torch.set_rng_state(self._rng)
        cuda = self.device.type == "cuda"
        if cuda:  # a function of the CPU's state, so that one state is the whole of it
            torch.cuda.manual_seed(int(torch.randint(2**62, ())))
        try:
            yield
        finally:
            self._rng = torch.get_rng_state()
            torch.set_rng_state(outer)


@dataclass
class _Tally:
    losses: list[torch.Tensor] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    correct: list[torch.Tensor] = field(default_factory=list)
    grad_norms: list[torch.Tensor] = field(default_factory=list)
    seconds: float = 0.0
    eval_seconds: float = 0.0

    def metrics(self) -> Metrics:
        """Means over the epoch; NonFiniteLoss is for the caller to raise, once these are logged."""
        losses, sizes = torch.stack(self.losses).cpu().double(), torch.tensor(self.sizes).double()
        return {
            "train/loss": float((losses * sizes).sum() / sizes.sum()),
            "train/accuracy": int(torch.stack(self.correct).sum()) / sum(self.sizes),
            "train/grad_norm": float(torch.stack(self.grad_norms).cpu().double().mean()),
        }

    def first_non_finite(self) -> int | None:
        """The step (from 1) whose loss was the first to be no number."""
        bad = (~torch.isfinite(torch.stack(self.losses).cpu())).nonzero()
        return int(bad[0]) + 1 if len(bad) else None


def lockstep(learners: list[Learner], stream: Stream, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Trains the learners to their ends and yields what happens.

    Learners may come with different numbers of epochs behind them (resumed runs): an epoch is streamed
    for those whose turn it is. Raises Interrupted once `stop()` holds; it is asked before every batch.
    """
    for learner in learners:
        if not learner.snapshot:
            learner.snapshot = copy.deepcopy(learner.state())
    finished: list[Learner] = []
    while left := [learner for learner in learners if learner not in finished and not learner.failed]:
        for learner in [learner for learner in left if learner.done]:
            finished.append(learner)
            yield from _guarded(learner, lambda learner=learner: [_finish(learner, stream)])  # type: ignore[misc]
        training = [learner for learner in left if not learner.done]
        if training:
            epoch = min(learner.epoch for learner in training) + 1
            yield from _epoch([learner for learner in training if learner.epoch == epoch - 1], stream, epoch, stop)


def _epoch(learners: list[Learner], stream: Stream, epoch: int, stop: Callable[[], bool]) -> Iterator[Event]:
    """One epoch of training and the evaluation at its end."""
    began = time.perf_counter()
    for learner in learners:
        learner.model.train()
    for images, labels in stream.train(epoch):
        if stop():
            raise Interrupted
        for learner in _alive(learners):
            yield from _guarded(learner, lambda learner=learner: learner.step(images, labels))  # type: ignore[misc]
    train_seconds = time.perf_counter() - began
    tallies = {id(learner): learner.take_tally() for learner in learners}
    shared = (train_seconds - sum(t.seconds for t in tallies.values())) / len(learners)
    began = time.perf_counter()
    evaluated: dict[str, dict[int, tuple[Metrics, torch.Tensor]]] = {}
    for name, part in (("train_eval", stream.train_eval), ("val", stream.dataset.val)):
        results, failures = _evaluate(_alive(learners), stream, part, stop)
        evaluated[name] = results
        yield from failures
    eval_seconds = (time.perf_counter() - began) / len(learners)
    for learner in _alive(learners):
        tally = tallies[id(learner)]
        (train_eval, _), (val, val_logits) = evaluated["train_eval"][id(learner)], evaluated["val"][id(learner)]
        metrics = tally.metrics() | _prefixed("train_eval", train_eval) | _prefixed("val", val)
        metrics["generalization_gap"] = train_eval["accuracy"] - val["accuracy"]
        metrics["train/lr"] = float(learner.optimizer.param_groups[0]["lr"])
        metrics["train/images_per_second"] = sum(tally.sizes) / (tally.seconds + shared)
        metrics["seconds"] = tally.seconds + shared + eval_seconds
        learner.end_epoch(val["loss"])
        yield Epoch(learner, metrics, val_logits)
        yield from _guarded(learner, lambda: _check_finite(tally, epoch, val["loss"]))


def _check_finite(tally: _Tally, epoch: int, val_loss: float) -> None:
    step = tally.first_non_finite()
    if step is not None:
        raise NonFiniteLoss(f"the training loss was {float(tally.losses[step - 1])} at epoch {epoch}, step {step}")
    if not math.isfinite(val_loss):
        raise NonFiniteLoss(f"the validation loss was {val_loss} after epoch {epoch}")


def _evaluate(
    learners: list[Learner], stream: Stream, part: Part, stop: Callable[[], bool]
) -> tuple[dict[int, tuple[Metrics, torch.Tensor]], list[Failed]]:
    """Loss, accuracy and logits of each learner on a part, on one shared stream."""
    outputs: dict[int, list[torch.Tensor]] = {id(learner): [] for learner in learners}
    failures: list[Failed] = []
    for learner in learners:
        learner.model.eval()
    for images, _ in stream.evaluation(part):
        if stop():
            raise Interrupted
        for learner in _alive(learners):
            failures += _guarded(learner, lambda: outputs[id(learner)].append(learner.logits(images)))  # noqa: B023
    labels = torch.from_numpy(part.labels)
    results = {}
    for learner in _alive(learners):
        logits = torch.cat(outputs[id(learner)]).cpu()
        results[id(learner)] = measure(logits, labels), logits
    return results, failures


def measure(logits: torch.Tensor, labels: torch.Tensor) -> Metrics:
    """Mean cross-entropy (nats) and accuracy of logits (N x classes) for labels (N)."""
    return {
        "loss": float(functional.cross_entropy(logits.double(), labels)),
        "accuracy": float((logits.argmax(1) == labels).double().mean()),
    }


def _finish(learner: Learner, stream: Stream) -> Finished:
    """Validation and test at the best epoch's weights: the one time that test is looked at."""
    learner.model.load_state_dict(learner.best)
    parts = {"val": stream.dataset.val, "test": stream.dataset.test}
    metrics: Metrics = {"best_epoch": learner.best_epoch, "epochs": learner.epoch}
    logits = {}
    for name, part in parts.items():
        learner.model.eval()
        logits[name] = torch.cat([learner.logits(images) for images, _ in stream.evaluation(part)]).cpu()
        metrics |= _prefixed(name, measure(logits[name], torch.from_numpy(part.labels)))
    return Finished(learner, metrics, logits)


def _guarded(learner: Learner, action: Callable[[], Iterable[Event] | None]) -> list[Event]:
    """One learner's failure is its own: an event, not an exception."""
    try:
        return list(action() or ())
    except Exception as error:
        learner.failed = True
        return [Failed(learner, error)]


def _alive(learners: list[Learner]) -> list[Learner]:
    return [learner for learner in learners if not learner.failed]


def _prefixed(name: str, metrics: Metrics) -> Metrics:
    return {f"{name}/{key}": value for key, value in metrics.items()}


def _optimizer(settings: Settings, model: nn.Module) -> torch.optim.Optimizer:
    """The named torch.optim optimizer, fused where torch has it: on a CPU Adam's step is 3 times quicker."""
    cls = optimizer_class(settings.optimizer)
    accepted = inspect.signature(cls).parameters
    arguments: dict[str, Any] = {"lr": settings.lr, **settings.optimizer_args}
    if "weight_decay" in accepted:
        arguments["weight_decay"] = settings.weight_decay
    if "fused" in accepted and not arguments.keys() & {"fused", "foreach", "differentiable"}:
        try:
            return cls(model.parameters(), fused=True, **arguments)  # type: ignore[no-any-return]
        except RuntimeError:  # not for this device or type
            pass
    return cls(model.parameters(), **arguments)  # type: ignore[no-any-return]
