"""Checks models: torchvision's by name, or your own, and their initial weights."""

from __future__ import annotations

from pathlib import Path

from runner.catalog import is_torchvision, torchvision_name
from runner.files import expanded
from runner.spec._problems import Kind, Mistake, describe, shown, suggest
from runner.spec._references import call_mistake
from runner.spec._settings import Settings
from runner.torchvision import classifiers, torchvision

_NONE = "none"


def name_mistake(settings: Settings) -> Mistake | None:
    """Returns why the model can't be built; None where it can, as far as its name and arguments show."""
    if not is_torchvision(settings.model):
        expected = "(shape, classes, **model_args)"
        return call_mistake(settings.model, expected, (1, 1, 1), 2, **settings.model_args)
    known = classifiers()
    if torchvision_name(settings.model) in known:
        return None
    return Mistake(
        Kind.UNKNOWN, f"torchvision has no such classifier. {suggest(torchvision_name(settings.model), known)}"
    )


def weights_mistake(settings: Settings) -> Mistake | None:
    """Returns why the initial weights can't be loaded; None where they can, as far as their name shows."""
    if settings.weights == _NONE:
        return None
    if settings.init != "default":
        return Mistake(Kind.CONFLICT, f'they replace the weights of init "{settings.init}"; remove one of the two.')
    if expanded(Path(settings.weights)).is_file():
        return None
    if not is_torchvision(settings.model):
        what = f"there is no file {shown(settings.weights)}; torchvision's weights fit models torchvision/NAME only."
        return Mistake(Kind.UNKNOWN, what)
    name = torchvision_name(settings.model)
    if name not in classifiers():
        return None
    known = {str(each) for each in torchvision().models.get_model_weights(name)}
    try:
        if str(torchvision().models.get_weight(settings.weights)) in known:
            return None
    except (ValueError, AttributeError, KeyError) as error:
        why = describe(error)
    else:
        why = f"they are not those of {name}"
    return Mistake(
        Kind.UNKNOWN, f"neither a file nor weights of torchvision ({why}). {suggest(settings.weights, known)}"
    )
