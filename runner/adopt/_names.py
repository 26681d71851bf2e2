"""Names that can name a directory, for variants and studies that were called anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from runner.spec import BASELINE, check_name

_LONGEST = 60  # characters, so that a number has room


def safe_name(text: str, taken: Iterable[str] = ()) -> str:
    """Returns a name like the text that can name a directory, and that differs from those taken.

    >>> safe_name("exp/Adam lr=0.1"), safe_name("a", taken=["A"]), safe_name("mean")
    ('exp_Adam_lr=0.1', 'a_2', 'mean_2')
    """
    base = re.sub(r"[^A-Za-z0-9._+=,\[\]-]+", "_", text).lstrip("._+=,-[]")[:_LONGEST] or "x"
    lower, name, number = {each.lower() for each in taken}, base, 2
    while name.lower() in lower or check_name(name):
        name, number = f"{base}_{number}", number + 1
    return name


def variant_names(found: Iterable[str], baseline: str, known: Mapping[str, str]) -> dict[str, str]:
    """Returns each variant's name in the study: the baseline's is "baseline", `known` are those of before.

    >>> variant_names(["adam", "sgd/0.1", "baseline"], "adam", {})
    {'adam': 'baseline', 'sgd/0.1': 'sgd_0.1', 'baseline': 'baseline_2'}
    """
    names = {baseline: BASELINE, **known}
    for variant in found:
        if variant not in names:
            names[variant] = safe_name(variant, names.values())
    return names


def directory_of(name: str, variant: str) -> str:
    """Returns the name of a variant's directory."""
    return f"{name}-{hashlib.sha256(variant.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
