"""One run in training: its model, optimizer, random state, early stopping and best weights."""

from __future__ import annotations

import copy
import inspect
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from runner import data
from runner.catalog import SCHEDULES, Shape
from runner.data import Dataset, batches
from runner.models import autocast, build, most_values, torch_seed
from runner.randomness import Generators, run_seed
from runner.spec import Settings, is_reference, optimizer_class

GRAD_NORM_EVERY = 10  # steps; the norm takes 2-5% of a small model's step
_MOST_BYTES = 2**30  # of activations in a batch of evaluation
_DROPOUT = 2  # gives training other random numbers than the initial weights

Metrics = dict[str, float]
State = dict[str, Any]


@dataclass
class Tally:
    """What a learner counts during an epoch; tensors stay on its device until the end.

    losses      mean cross-entropy (nats) of each step
    sizes       images of each step
    correct     images that each step predicts correctly
    grad_norms  L2 norm of all gradients, at every tenth step
    """

    losses: list[torch.Tensor] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    correct: list[torch.Tensor] = field(default_factory=list)
    grad_norms: list[torch.Tensor] = field(default_factory=list)
    seconds: float = 0.0
    eval_seconds: float = 0.0

    def metrics(self) -> Metrics:
        """Returns means over the epoch. They may be nan: the caller logs them and then raises NonFiniteLoss."""
        losses, sizes = torch.stack(self.losses).cpu().double(), torch.tensor(self.sizes).double()
        return {
            "train/loss": float((losses * sizes).sum() / sizes.sum()),
            "train/accuracy": int(torch.stack(self.correct).sum()) / sum(self.sizes),
            "train/loss_max": float(losses.max()),
            "train/grad_norm": float(torch.stack(self.grad_norms).cpu().double().mean()),
        }

    def first_non_finite(self) -> int | None:
        """Returns the first step (from 1) whose loss was nan or infinite; None where all were finite."""
        bad = (~torch.isfinite(torch.stack(self.losses).cpu())).nonzero()
        return int(bad[0]) + 1 if len(bad) else None


class Learner:
    """One run in training.

    Raises ValueError where the model has no parameter to train, and as `build` does.
    """

    def __init__(self, settings: Settings, dataset: Dataset, seed: int, device: torch.device) -> None:
        self.settings = settings
        self.device = device
        self.classes = len(dataset.classes)
        self.model = build(settings, dataset.shape, self.classes, seed).to(device)
        if not any(parameter.requires_grad for parameter in self.model.parameters()):
            raise ValueError("the model has no parameter to train: none has requires_grad=True")
        self.evaluation_batch = evaluation_batch(self.model, settings, dataset.shape)
        self.optimizer = make_optimizer(settings, self.model.parameters())
        total_steps = settings.epochs * len(batches(len(dataset.train), settings.batch_size))
        self._schedule = SCHEDULES[settings.schedule].make(self.optimizer, settings.lr, total_steps)
        self._average = _average(settings, self.model)
        self.evaluated: nn.Module = self._average.module if self._average else self.model
        self._parameters = list(self.model.parameters())
        self.epoch = 0  # finished epochs
        self.best_epoch = 0
        self.best_loss = math.inf
        self.best: State = {}
        self.best_logits = torch.empty(0)  # of validation, N x classes, on the CPU
        self.failed = False
        self.snapshot: State = {}
        self._own_code = is_reference(settings.model)
        self._generators = Generators(torch_seed(run_seed(settings.stream, seed), _DROPOUT), self._own_code)
        self._tally = Tally()

    @property
    def done(self) -> bool:
        """Whether it has trained all its epochs, or `patience` epochs have brought no better validation loss."""
        patience = self.settings.patience
        return self.epoch >= self.settings.epochs or bool(patience and self.epoch - self.best_epoch >= patience)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Takes one optimizer step on a batch: images float32, N x C x H x W, and labels int64, N.

        Raises TypeError or ValueError where your own model returns no logits.
        """
        began = time.perf_counter()
        with self._randomness():
            logits = self._output(self.model, images)
            loss = functional.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)
            for parameter in self._parameters:  # does what zero_grad does, without its 0.2 ms of bookkeeping
                parameter.grad = None
            loss.backward()  # type: ignore[no-untyped-call]
            if len(self._tally.losses) % GRAD_NORM_EVERY == 0:
                gradients = [p.grad for p in self._parameters if p.grad is not None]
                self._tally.grad_norms.append(nn.utils.get_total_norm(gradients))
            self.optimizer.step()
            if self._schedule:
                self._schedule.step()
            if self._average:
                self._average.update_parameters(self.model)
        self._tally.losses.append(loss.detach())
        self._tally.sizes.append(len(labels))
        self._tally.correct.append((logits.detach().argmax(1) == labels).sum())
        self._tally.seconds += time.perf_counter() - began

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the logits of images, N x classes, by the averaged weights where there are any."""
        began = time.perf_counter()
        with self._randomness(), torch.inference_mode():
            output = self._output(self.evaluated, images)
        self._tally.eval_seconds += time.perf_counter() - began
        return output

    def _output(self, model: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Returns logits, float32, N x classes. The layers compute in the precision that the settings name."""
        with autocast(self.settings, self.device):
            output: Any = model(images.clone() if self._own_code else images)  # it may change its input in place
        if self._own_code:
            _check_output(output, len(images), self.classes)
        logits: torch.Tensor = output.float()
        return logits

    def state(self) -> State:
        """Returns everything that training resumes from, as references to the learner's own tensors."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self._schedule.state_dict() if self._schedule else {},
            "average": self._average.state_dict() if self._average else {},
            "generators": self._generators.state(),
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "best": self.best,
            "best_logits": self.best_logits,
        }

    def restore(self, state: State) -> None:
        """Resumes from a state that `state` returned, or from a snapshot."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self._schedule:
            self._schedule.load_state_dict(state["schedule"])
        if self._average:
            self._average.load_state_dict(state["average"])
        self._generators.restore(state["generators"])
        self.epoch = state["epoch"]
        self.best_epoch, self.best_loss = state["best_epoch"], state["best_loss"]
        self.best, self.best_logits = state["best"], state["best_logits"]
        self.snapshot = copy.deepcopy(self.state())

    def end_epoch(self, val_loss: float, val_logits: torch.Tensor) -> None:
        """Counts the epoch, and keeps the best weights and a snapshot to resume from.

        `val_loss` is in nats; `val_logits` are N x classes, on the CPU.
        """
        self.epoch += 1
        evaluated = _copied(self.evaluated)
        if val_loss < self.best_loss:
            self.best_loss, self.best_epoch, self.best, self.best_logits = val_loss, self.epoch, evaluated, val_logits
        own = {key: copy.deepcopy(self.state()[key]) for key in ("optimizer", "schedule", "average")}
        self.snapshot = self.state() | own | {"model": _copied(self.model) if self._average else evaluated}

    def take_tally(self) -> Tally:
        """Returns what was counted since the last call."""
        tally, self._tally = self._tally, Tally()
        return tally

    @contextmanager
    def _randomness(self) -> Iterator[None]:
        """Activates the learner's own random state; other learners' draws do not change it."""
        with self._generators.active():
            if self.device.type == "cuda":  # seeded from the CPU's state, so that a checkpoint needs one state only
                torch.cuda.manual_seed(int(torch.randint(2**62, ())))
            yield


def evaluation_batch(model: nn.Module, settings: Settings, shape: Shape) -> int:
    """Returns how many images of `shape` (channels, height, width) a batch of evaluation has.

    It starts from `data.evaluation_batch`. Where the input and output of the model's largest module would take over
    1 GiB, it is at most the batch size of training. The last bits of a product depend on the number of images, so
    the number follows from settings and data, never from the machine.
    """
    size = data.evaluation_batch(shape, settings.batch_size)
    return size if 4 * size * most_values(model, shape) <= _MOST_BYTES else min(size, settings.batch_size)


def _check_output(output: Any, images: int, classes: int) -> None:
    """Raises TypeError or ValueError where your own model returns anything but logits, images x classes."""
    expected = f"expected logits alone, a float tensor of {images} x {classes} (images x classes)"
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"the model returned a {type(output).__name__}; {expected}")
    if output.shape != (images, classes) or not output.is_floating_point():
        shape = " x ".join(map(str, output.shape)) or "one number"
        raise ValueError(f"the model returned {output.dtype} of {shape}; {expected}")


def _copied(model: nn.Module) -> State:
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


def _average(settings: Settings, model: nn.Module) -> AveragedModel | None:
    """Returns an exponential moving average of weights and BatchNorm statistics (Polyak & Juditsky 1992)."""
    if not settings.weight_average:
        return None
    average = get_ema_multi_avg_fn(settings.weight_average)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=average, use_buffers=True)


def make_optimizer(settings: Settings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Returns the named optimizer of torch.optim, fused where torch can: on a CPU Adam's step is 3 times faster."""
    cls, weights = optimizer_class(settings.optimizer), list(parameters)
    accepted = inspect.signature(cls).parameters
    arguments: dict[str, Any] = {"lr": settings.lr, **settings.optimizer_args}
    if "weight_decay" in accepted:
        arguments["weight_decay"] = settings.weight_decay
    if "fused" in accepted and not arguments.keys() & {"fused", "foreach", "differentiable"}:
        try:
            return cls(weights, fused=True, **arguments)  # type: ignore[no-any-return]
        except RuntimeError:  # torch has no fused version for this device or type
            pass
    return cls(weights, **arguments)  # type: ignore[no-any-return]
