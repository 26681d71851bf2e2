"""Mixes the images of a batch with one another: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from runner.randomness import run_seed
from runner.spec import Settings

_MIX = 3  # gives mixing other random numbers than the order of images
Mixed = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Chance:
    """What is drawn for one batch of N images.

    partners  int64, N: the image that each is mixed with
    share     of the image itself
    box       top, bottom, left, right of the partner's rectangle, in pixels; None where images are blended
    """

    partners: torch.Tensor
    share: float
    box: tuple[int, int, int, int] | None


def draw(settings: Settings, seed: int, epoch: int, step: int, shape: tuple[int, ...]) -> Chance:
    """Draws for the batch of `shape` (N, channels, height, width) of a step (from 0) in an epoch (from 1).

    It is a function of the arguments alone. So variants of a seed with equal `mixup` and `cutmix` mix the same images,
    and with other values at least the same partners.
    """
    rng = np.random.default_rng([run_seed(settings.stream, seed), epoch, step, _MIX])
    partners = torch.from_numpy(rng.permutation(shape[0]))
    row, column, chance = rng.random(3)
    cuts = bool(settings.cutmix) and (not settings.mixup or chance < 0.5)
    alpha = settings.cutmix if cuts else settings.mixup
    share = float(rng.beta(alpha, alpha))
    if not cuts:
        return Chance(partners, share, None)
    height, width = shape[2:]
    side = (1 - share) ** 0.5 / 2
    middle, across = row * height, column * width  # where the rectangle's center is, near an edge it is cut
    top, bottom = max(0, round(middle - side * height)), min(height, round(middle + side * height))
    left, right = max(0, round(across - side * width)), min(width, round(across + side * width))
    area = (bottom - top) * (right - left)
    return Chance(partners, 1 - area / (height * width), (top, bottom, left, right))


def mix(images: torch.Tensor, labels: torch.Tensor, chance: Chance) -> Mixed:
    """Returns mixed images, labels, the partners' labels, and the images' own share (float32, one number)."""
    partners = chance.partners.to(images.device)
    if chance.box is None:
        mixed = images * chance.share + images[partners] * (1 - chance.share)
    else:
        top, bottom, left, right = chance.box
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = images[partners, :, top:bottom, left:right]
    return mixed, labels, labels[partners], torch.tensor(chance.share, dtype=torch.float32, device=images.device)
