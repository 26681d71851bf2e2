"""The settings of training: optimizer, learning rate, loss, and when it stops."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field
from typing_extensions import Doc

from runner.catalog import ALIASES, LOSSES, MONITORS, SCHEDULES
from runner.spec._fields import OWN, Arguments, Factor, Fraction, Weights, entry_of, entry_or, is_reference, one_of
from runner.spec._problems import Kind, Refusal, shown, suggest

_SCHEDULES = one_of(SCHEDULES, "a class of torch.optim.lr_scheduler", OWN)


class TrainingSettings(pydantic.BaseModel):
    """The settings of training, a part of `Settings`."""

    optimizer: Annotated[
        str,
        Doc(
            "any optimizer of `torch.optim` by name, except LBFGS, SparseAdam and Muon: a plain loop can't run them; "
            "or your own, `package.module:function`"
        ),
    ] = Field(description="the name of a torch.optim optimizer, such as Adam, or package.module:function")
    optimizer_args: Annotated[Arguments, Doc('further arguments of the optimizer, such as `{"momentum": 0.9}`')] = (
        Field(
            default_factory=dict,
            description='a dict of the optimizer\'s further arguments, such as {"momentum": 0.9}',
        )
    )
    lr: Annotated[float, Doc("learning rate; the peak of a schedule")] = Field(
        gt=0, le=1e6, allow_inf_nan=False, description="a number above 0, such as 1e-3"
    )
    weight_decay: Annotated[
        float, Doc("weight decay as the optimizer defines it (PyTorch's default for AdamW is 0.01)")
    ] = Field(default=0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="a number from 0, such as 1e-4")
    decay_norms: Annotated[
        bool, Doc("False spares biases and the weights of normalization layers, all that have one dimension")
    ] = Field(default=True, description="True or False")
    lr_of: Annotated[
        dict[str, Factor],
        Doc(
            "factors of `lr` for parameters or layers, by patterns of their names, such as "
            '`{"fc": 10, "layer*": 0.1}`; others have 1'
        ),
    ] = Field(default_factory=dict, description='a dict from patterns of names to factors, such as {"fc": 10}')
    schedule: Annotated[
        str,
        Doc(
            "the schedule of the learning rate: one of the table below, any class of `torch.optim.lr_scheduler` that "
            "needs no function, or your own, `package.module:function`"
        ),
    ] = Field(default="constant", description=_SCHEDULES)
    schedule_args: Annotated[Arguments, Doc('arguments of the schedule, such as `{"step_size": 10}`')] = Field(
        default_factory=dict, description='a dict of arguments of the schedule, such as {"step_size": 10}'
    )
    warmup: Annotated[
        float,
        Doc(
            "epochs, such as 1 or 0.5, in which the rate rises along a line: step k of n has k / n of the schedule's "
            "rate; the schedule counts from the first epoch"
        ),
    ] = Field(default=0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="a number of epochs from 0, such as 1")
    grad_clip: Annotated[
        float, Doc("the largest L2 norm of all gradients together: longer ones are scaled to it; 0 clips nothing")
    ] = Field(
        default=0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="a number from 0, such as 1.0; 0 clips nothing"
    )
    loss: Annotated[
        str,
        entry_or(LOSSES, OWN, accepts=is_reference),
        Doc(
            "the training loss: one of the table below, or your own, `package.module:function`; validation and test "
            "losses stay plain cross-entropies, so that variants with different losses can be compared"
        ),
    ] = Field(default="CrossEntropyLoss", description=one_of(LOSSES, OWN))
    loss_args: Annotated[Arguments, Doc('arguments of the loss, such as `{"margin": 0.5}`')] = Field(
        default_factory=dict, description='a dict of arguments of the loss, such as {"margin": 0.5}'
    )
    class_weights: Annotated[
        Literal["none", "balanced"] | Weights,
        Doc(
            'in the training loss only: a weight for each class, such as `[1, 1, 5]`; or `"balanced"`: images of train '
            "/ (classes x images of the class)"
        ),
    ] = Field(default="none", description='"none", "balanced" or a list of a number above 0 for each class')
    label_smoothing: Annotated[
        Fraction, Doc("in the training loss only; validation and test losses are plain cross-entropies")
    ] = Field(default=0.0, description="a number from 0 to below 1, such as 0.1")
    mixup: Annotated[
        float,
        Doc(
            "alpha: each batch is blended with itself in another order, the share drawn from Beta(alpha, alpha) (Zhang "
            "et al. 2018); 0 blends nothing. `train/accuracy` counts an image's two classes by their shares"
        ),
    ] = Field(
        default=0.0, ge=0.0, le=1e3, allow_inf_nan=False, description="a number from 0, such as 0.2; 0 blends nothing"
    )
    cutmix: Annotated[
        float,
        Doc(
            "alpha: as `mixup`, but a rectangle of each image is replaced (Yun et al. 2019); with both, each batch "
            "takes one of them by chance"
        ),
    ] = Field(
        default=0.0, ge=0.0, le=1e3, allow_inf_nan=False, description="a number from 0, such as 1.0; 0 cuts nothing"
    )
    weight_average: Annotated[
        Fraction,
        Doc(
            "decay per step of an exponential average of the weights; the average is evaluated and kept; 0 keeps no "
            "average"
        ),
    ] = Field(
        default=0.0,
        description="decay a step of the average of the weights that is evaluated, such as 0.999; 0 evaluates the last",
    )
    precision: Annotated[
        Literal["float32", "tf32", "bfloat16"],
        Doc(
            "`bfloat16`: matrix products and convolutions in half the bits (torch.autocast), weights and losses in "
            "float32. Steps are 1.7 to 2 times faster on a processor with AVX512-BF16 and slower on others. `tf32`, on "
            "NVIDIA GPUs: products of float32 numbers whose fractions are rounded to 10 bits"
        ),
    ] = Field(default="float32", description="float32, tf32 (NVIDIA GPUs) or bfloat16")
    epochs: Annotated[int, Doc("the most epochs that a run trains")] = Field(
        ge=1, le=1_000_000, description="a whole number from 1, such as 30"
    )
    monitor: Annotated[
        str,
        entry_of(MONITORS),
        Doc(
            "what chooses the best epoch, and stops early: `val/loss` (the lowest), `val/accuracy` or `val/f1`, macro "
            "F1 (the highest); of equal epochs the first"
        ),
    ] = Field(default="val/loss", description=one_of(MONITORS))
    patience: Annotated[
        int, Doc("epochs without a better value of `monitor` before training stops; 0 never stops early")
    ] = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="epochs without a better value of monitor before stopping; 0 never stops early",
    )

    @pydantic.field_validator("schedule")
    @classmethod
    def _schedule_may_be_known(cls, value: str) -> str:
        """A name that looks like a class is asked of torch later, with the other libraries' names."""
        if value in SCHEDULES or is_reference(value) or (value.isidentifier() and value[0].isupper()):
            return ALIASES.get(value, value)
        near = suggest(value, SCHEDULES)
        near = f" {near}" if near.startswith("Did") else ""
        raise Refusal(Kind.UNKNOWN, f'got "{shown(value)[1:-1]}"; expected {_SCHEDULES}.{near}')

    @pydantic.field_validator("class_weights")
    @classmethod
    def _weights_differ(cls, value: str | tuple[float, ...]) -> str | tuple[float, ...]:
        """Equal weights divide out of a weighted mean."""
        if isinstance(value, str) or len(set(value)) > 1:
            return value
        raise Refusal(Kind.IGNORED, f"got {shown(list(value))}; equal weights have no effect, remove them.")
