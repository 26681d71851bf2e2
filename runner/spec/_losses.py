"""Checks the training loss, and the settings that only some losses read."""

from __future__ import annotations

from runner.catalog import LOSSES, OWN_LOSS_SETTINGS
from runner.spec._fields import is_reference
from runner.spec._problems import Kind, Mistake, suggest
from runner.spec._references import call_mistake, load_function, takes
from runner.spec._settings import Settings

_EXPECTED = "(logits, labels, **loss_args)"
_THEY_ARE_SETTINGS = {"weight": "class_weights", "label_smoothing": "label_smoothing"}


def loss_settings(loss: str) -> dict[str, str]:
    """Returns the settings that a loss reads, each with the name of its argument.

    Your own loss reads those that its function takes as arguments. Raises as `load_function` does.
    """
    if not is_reference(loss):
        return dict(LOSSES[loss].settings)
    function = load_function(loss)
    return {setting: argument for setting, argument in OWN_LOSS_SETTINGS if takes(function, argument)}


def name_mistake(settings: Settings) -> Mistake | None:
    """Returns why your own loss can't be imported and called; None where it can."""
    if not is_reference(settings.loss):
        return None
    import torch

    own = {key: value for key, value in settings.loss_args.items() if key not in _THEY_ARE_SETTINGS}
    return call_mistake(settings.loss, _EXPECTED, torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64), **own)


def arguments_mistake(settings: Settings) -> Mistake | None:
    """Returns what is wrong with the loss's arguments; None where nothing is."""
    for key in settings.loss_args.keys() & _THEY_ARE_SETTINGS.keys():
        return Mistake(Kind.CONFLICT, f'give "{key}" by the setting "{_THEY_ARE_SETTINGS[key]}", not in loss_args.')
    if not settings.loss_args or is_reference(settings.loss):
        return None
    entry = LOSSES[settings.loss]
    if not entry.arguments:
        return Mistake(Kind.IGNORED, f'loss "{entry.name}" takes no arguments here; remove them.')
    for key in settings.loss_args:
        if key not in entry.arguments:
            return Mistake(Kind.UNKNOWN, f'{entry.name} has no argument "{key}" here. {suggest(key, entry.arguments)}')
    import torch

    try:
        logits = torch.zeros(2, 3, requires_grad=True)
        entry.make(settings.loss_args)(logits, torch.tensor([0, 2])).backward()  # type: ignore[no-untyped-call]
    except Exception as error:
        return Mistake(Kind.VALUE, f"{entry.name} refuses these arguments: {error}")
    return None


def class_weights_mistake(settings: Settings) -> Mistake | None:
    """Returns a mistake where the loss ignores class weights that the settings give."""
    return None if settings.class_weights == "none" else _ignored(settings, "class_weights")


def label_smoothing_mistake(settings: Settings) -> Mistake | None:
    """Returns a mistake where the loss ignores label smoothing that the settings give."""
    return _ignored(settings, "label_smoothing") if settings.label_smoothing else None


def _ignored(settings: Settings, key: str) -> Mistake | None:
    if name_mistake(settings) or key in loss_settings(settings.loss):
        return None
    reading = ", ".join(name for name, entry in LOSSES.items() if key in dict(entry.settings))
    own = f'; your own loss must take "{dict(OWN_LOSS_SETTINGS)[key]}"'
    return Mistake(Kind.IGNORED, f'the loss "{settings.loss}" ignores it; remove it. These read it: {reading}{own}.')
