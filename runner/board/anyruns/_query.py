"""What a request asks about any runs, and what is wrong with a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runner.spec import Kind
from runner.text import one_line

BY_HPARAMS = "hparams"  # in place of a pattern
MOST_TAGS = 12
LAST, BEST = "last", "best"
_LONGEST_STEP = 18  # digits: the step fits in 64 bits

Better = Literal["max", "min"]


class QueryError(ValueError):
    """A request that can't be answered. Its text is for people, its kind for tests and callers."""

    def __init__(self, kind: Kind, what: str) -> None:
        super().__init__(what)
        self.kind = kind


@dataclass(frozen=True)
class AnyQuery:
    """A request about any runs.

    pattern   how run names are read, such as `{variant}/seed{seed}`; "" guesses it, "hparams" groups by hparams
    baseline  the variant to compare with; "" chooses one
    tags      the scalars to show, at most 12; none chooses two
    at        where effects are measured: "last", "best", or a step
    better    which values are better; "" tells by the tag's name
    """

    pattern: str = ""
    baseline: str = ""
    tags: tuple[str, ...] = ()
    at: Literal["last", "best"] | int = "last"
    better: Better | Literal[""] = ""

    @classmethod
    def parse(cls, parameters: Mapping[str, Sequence[str]]) -> AnyQuery:
        """Reads a URL's parameters, as `request.args.to_dict(flat=False)`: pattern, baseline, at, better, several tags.

        Other parameters are ignored. Where one is repeated, the last counts. Raises QueryError.
        """
        tags = tuple(dict.fromkeys(tag for tag in parameters.get("tag", ()) if tag))
        if len(tags) > MOST_TAGS:
            what = f"{len(tags)} tags are asked for. At most {MOST_TAGS} can be shown at once: choose fewer."
            raise QueryError(Kind.LIMIT, what)
        one = {key: values[-1] for key, values in parameters.items() if values}
        return cls(
            one.get("pattern", "").strip(), one.get("baseline", ""), tags, _at(one.get("at", "")),
            _better(one.get("better", "")),
        )  # fmt: skip


def _at(text: str) -> Literal["last", "best"] | int:
    text = text.strip()
    if text in ("", LAST):
        return "last"
    if text == BEST:
        return "best"
    if re.fullmatch(r"-?[0-9]+", text) and len(text) <= _LONGEST_STEP:
        return int(text)
    raise QueryError(Kind.VALUE, f'at is {quoted(text)}. Give "last", "best", or a step such as 100.')


def _better(text: str) -> Better | Literal[""]:
    if text in ("", "max", "min"):
        return text  # type: ignore[return-value]  # mypy does not narrow a str by `in`
    raise QueryError(Kind.VALUE, f'better is {quoted(text)}. Give "max", "min", or nothing to tell by the tag.')


def quoted(text: str, most: int = 80) -> str:
    """Returns a text in quotation marks, on one line and cut to `most` characters.

    >>> quoted("a\\nb"), quoted("abcdef", most=4)
    ('"a b"', '"a..."')
    """
    line = one_line(text[: 10 * most])
    return f'"{line}"' if len(line) <= most else f'"{line[: most - 3]}..."'


def listed(names: Iterable[str], most: int = 3) -> str:
    """Returns the first names and the number of others.

    >>> listed(["a", "b"]), listed("abcde")
    ('a and b', 'a, b, c and 2 more')
    """
    found = [quoted(name)[1:-1] for name in names]
    if len(found) > most:
        return f"{', '.join(found[:most])} and {len(found) - most} more"
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))
