"""One run in training: its model, optimizer, random state, early stopping and best weights."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from runner import data
from runner.catalog import MONITORS, Shape
from runner.data import Dataset, batches
from runner.models import autocast, build, logits_of, most_values, torch_seed
from runner.randomness import Generators, run_seed
from runner.spec import Settings, is_reference, own_code
from runner.train._lane import lane
from runner.train._loss import make_loss
from runner.train._mixing import draw, mix
from runner.train._optimizer import make_average, make_optimizer, recordable, update_average
from runner.train._rate import Rate
from runner.train._recorded import Inputs, Recorded
from runner.train._tally import Counts, Tally
from runner.weights import train_mode

_MOST_BYTES = 2**30  # of activations in a batch of evaluation
_EVALUATION = 2**31  # gives a GPU other random numbers than training
_DROPOUT = 2  # gives training other random numbers than the initial weights

State = dict[str, Any]


class Learner:
    """One run in training.

    Raises ValueError where the model has no parameter to train, and as `build`, `make_optimizer`, `make_loss` and
    `Rate` do.
    """

    def __init__(self, settings: Settings, dataset: Dataset, seed: int, device: torch.device) -> None:
        self.settings = settings
        self.device = device
        self.classes = len(dataset.classes)
        self.model = build(settings, dataset.shape, self.classes, seed).to(device)
        if not any(parameter.requires_grad for parameter in self.model.parameters()):
            raise ValueError("the model has no parameter to train: none has requires_grad=True")
        self.evaluation_batch = evaluation_batch(self.model, settings, dataset.shape)
        self.optimizer = make_optimizer(settings, self.model)
        steps = len(batches(len(dataset.train), settings.batch_size))
        self.rate = Rate(self.optimizer, settings, steps)
        self._loss = make_loss(settings, dataset.train.labels, self.classes, device)
        self._average = make_average(settings, self.model)
        self.evaluated: nn.Module = self._average.module if self._average else self.model
        self._parameters = list(self.model.parameters())
        self.epoch = 0  # finished epochs
        self.best_epoch = 0
        self._monitor = MONITORS[settings.monitor]
        self.best_value = self._monitor.worst  # of the monitored measure
        self.best: State = {}
        self.best_logits = torch.empty(0)  # of validation, N x classes, on the CPU
        self.failed = False
        self.snapshot: State = {}
        self._own_model, self._own_loss = is_reference(settings.model), is_reference(settings.loss)
        self._own_code = own_code(settings)
        self._seed = seed
        self._device_seed = torch_seed(run_seed(settings.stream, seed), _DROPOUT)
        self._generators = Generators(self._device_seed, bool(self._own_code))
        self._steps = steps
        self._tally = Tally(steps, device)
        self.lane = lane(device)
        self.recorded = Recorded(self._train_on, self._parameters, self._why_not_recorded())

    @property
    def done(self) -> bool:
        """Whether it has trained all its epochs, or `patience` epochs have brought no better value of `monitor`."""
        patience = self.settings.patience
        return self.epoch >= self.settings.epochs or bool(patience and self.epoch - self.best_epoch >= patience)

    def begin_epoch(self) -> None:
        """Gets ready for steps, after the model was evaluated."""
        train_mode(self.model)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Takes one optimizer step on a batch: images float32, N x C x H x W, and labels int64, N.

        Raises TypeError or ValueError where your own model returns no logits, or your own loss no number. Your own loss
        gets whatever your model returns.
        """
        began = time.perf_counter()
        number = self._tally.steps
        with self._randomness(self.epoch * self._steps + number):
            inputs: Inputs = images, labels
            if self.settings.mixup or self.settings.cutmix:
                inputs = mix(images, labels, draw(self.settings, self._seed, self.epoch + 1, number, images.shape))
            self.recorded(self.lane, inputs, self._tally.measures_norm)
            self.rate.step()
        self._tally.count(len(labels))
        self._tally.seconds += time.perf_counter() - began

    def _train_on(self, inputs: Inputs, measured: bool) -> None:
        """Computes a step on images and labels, and for mixed images also the other labels and the first ones' share.

        From the second step on, all that it changes is on the device, so that it can be recorded.
        """
        images, labels, *mixed = inputs
        output = self._output(self.model, images)
        logits = self._logits(output, len(images))
        judged = output if self._own_loss and not isinstance(output, torch.Tensor) else logits
        loss = self._loss(judged, labels)
        if mixed:
            loss = mixed[1] * loss + (1 - mixed[1]) * self._loss(judged, mixed[0])
        for parameter in self._parameters:  # does what zero_grad does, without its 0.2 ms of bookkeeping
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        norm = self._clipped(measured)
        self.optimizer.step()
        if self._average:
            update_average(self._average, self.model)
        predicted = logits.detach().argmax(1)
        correct = (predicted == labels).sum(dtype=torch.float32)
        if mixed:
            correct = mixed[1] * correct + (1 - mixed[1]) * (predicted == mixed[0]).sum(dtype=torch.float32)
        self._tally.write(loss.detach(), correct, norm)

    def _clipped(self, measured: bool) -> torch.Tensor | None:
        """Clips the gradients where the settings ask for it; returns their norm before, None where not `measured`."""
        clip = self.settings.grad_clip
        if not clip and not measured:
            return None
        trained = [parameter for parameter in self._parameters if parameter.grad is not None]
        norm = nn.utils.get_total_norm([parameter.grad for parameter in trained if parameter.grad is not None])
        if clip:
            nn.utils.clip_grads_with_norm_(trained, clip, norm)
        return norm if measured else None

    def _why_not_recorded(self) -> str:
        """Why a GPU starts its steps operation by operation; empty where it can record them."""
        for key in ("model", "loss", "optimizer"):  # a schedule is asked between steps
            if key in self._own_code:
                return f"the {key} is your own, and may do other things at each step"
        return "" if recordable(self.settings) else f"torch can't record steps of {self.settings.optimizer}"

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the logits of images, N x classes, by the averaged weights where there are any."""
        began = time.perf_counter()
        with self._randomness(_EVALUATION + self.epoch), torch.inference_mode():
            logits = self._logits(self._output(self.evaluated, images), len(images))
        self._tally.eval_seconds += time.perf_counter() - began
        return logits

    def _output(self, model: nn.Module, images: torch.Tensor) -> Any:
        """Returns what the model returns. Its layers compute in the precision that the settings name."""
        with autocast(self.settings, self.device):
            return model(images.clone() if self._own_model else images)  # your own may change its input in place

    def _logits(self, output: Any, images: int) -> torch.Tensor:
        """Returns the logits in a model's output, float32, images x classes."""
        logits: Any = logits_of(output)
        if self._own_model:
            _check_logits(logits, images, self.classes)
        return logits.float()  # type: ignore[no-any-return]

    def state(self) -> State:
        """Returns everything that training resumes from, as references to the learner's own tensors."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.rate.state(),
            "average": self._average.state_dict() if self._average else {},
            "generators": self._generators.state(),
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "best": self.best,
            "best_logits": self.best_logits,
        }

    def restore(self, state: State) -> None:
        """Resumes from a state that `state` returned, or from a snapshot."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rate.restore(self.optimizer, state["schedule"])
        if self._average:
            self._average.load_state_dict(state["average"])
        self._generators.restore(state["generators"])
        self.epoch = state["epoch"]
        self.best_epoch, self.best_value = state["best_epoch"], state["best_value"]
        self.best, self.best_logits = state["best"], state["best_logits"]
        self.snapshot = copy.deepcopy(self.state())

    def end_epoch(self, monitored: float, val_logits: torch.Tensor) -> None:
        """Counts the epoch, and keeps the best weights and a snapshot to resume from.

        `monitored` is the value of the measure that `monitor` names; `val_logits` are N x classes, on the CPU.
        """
        self.epoch += 1
        self.rate.end_epoch(monitored)
        evaluated = _copied(self.evaluated)
        if self._monitor.better(monitored, self.best_value):
            self.best_value, self.best_epoch = monitored, self.epoch
            self.best, self.best_logits = evaluated, val_logits
        state = self.state()
        own = {key: copy.deepcopy(state[key]) for key in ("optimizer", "schedule", "average")}
        self.snapshot = state | own | {"model": _copied(self.model) if self._average else evaluated}

    def take_counts(self) -> Counts:
        """Returns what was counted since the last call, and lets each parameter's `grad` be that of the last step."""
        self.recorded.show_gradients()
        return self._tally.take()

    @contextmanager
    def _randomness(self, step: int) -> Iterator[None]:
        """Activates the learner's lane and own random state; other learners' draws do not change it.

        A GPU's numbers are a function of the run and of the number of `step`, so a checkpoint needs no state of them.
        """
        self.lane.seed(self._device_seed << 32 | step)
        with self.lane.active():
            if self.device.type == "cpu" or self._own_code:
                with self._generators.active():
                    yield
            else:  # built-in code draws on the device alone
                yield


def evaluation_batch(model: nn.Module, settings: Settings, shape: Shape) -> int:
    """Returns how many images of `shape` (channels, height, width) a batch of evaluation has.

    It starts from `data.evaluation_batch`. Where the input and output of the model's largest module would take over
    1 GiB, it is at most the batch size of training. The last bits of a product depend on the number of images, so
    the number follows from settings and data, never from the machine.
    """
    size = data.evaluation_batch(shape, settings.batch_size)
    return size if 4 * size * most_values(model, shape) <= _MOST_BYTES else min(size, settings.batch_size)


def _check_logits(logits: Any, images: int, classes: int) -> None:
    """Raises TypeError or ValueError where your own model's logits are not images x classes."""
    expected = (
        f"expected logits, a float tensor of {images} x {classes} (images x classes), alone, first in a tuple, or as "
        '"logits" in a dict'
    )
    if not isinstance(logits, torch.Tensor):
        raise TypeError(f"the model returned a {type(logits).__name__}; {expected}")
    if logits.shape != (images, classes) or not logits.is_floating_point():
        shape = " x ".join(map(str, logits.shape)) or "one number"
        raise ValueError(f"the model returned {logits.dtype} of {shape}; {expected}")


def _copied(model: nn.Module) -> State:
    return {key: value.detach().clone() for key, value in model.state_dict().items()}
