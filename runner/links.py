"""Builds links into TensorBoard that show charts at once: filtered runs, colors by variant, pinned cards.

Time Series ticks all runs up to 500, and none of more. The other pages tick the runs that match the filter, up to 40,
and none of more. So no link matches more than 40 runs, and above 500 runs no link leads to Time Series.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from runner.events import MARK
from runner.store import mean_tag

MOST_IN_TIME_SERIES, MOST_ELSEWHERE = 500, 40
_CURVES = ("val/accuracy", "val/loss", "train/accuracy", "train/loss")
_MOST_PINNED = 4
_BY_VARIANT = "([^/]+/[^/]+)/"  # <study>/<variant>-<hash>


@dataclass(frozen=True)
class Link:
    """What a link shows, and the part of its address after the server's, such as "#hparams"."""

    shows: str
    fragment: str


def run_names(folder: Path) -> list[str]:
    """Returns the names that TensorBoard gives to the runs in the directory of all runs; its root is "."."""
    found = {path.parent.relative_to(folder).as_posix() for path in folder.glob(f"**/{MARK}.*")}
    return sorted(found)


def links(
    runs: Sequence[str], own: Collection[str] = (), seen: Mapping[str, Collection[str]] | None = None
) -> list[Link]:
    """Returns links for these runs, by their names in TensorBoard.

    `own` are the beginnings of the names of runs with own training. Only what these runs have written is linked: `seen`
    has for a page of TensorBoard the runs with something on it. Where more than 40 variants have runs, the links show
    the first 40.

    >>> for link in links(["toy/baseline-1f", "toy/baseline-1f/mean", "toy/baseline-1f/seed0"])[3:5]:
    ...     print(link.shows, link.fragment)
    mistakes and confusion matrices of the best epoch #images&tagFilter=pictures%2Fbest_&regexInput=%2Fseed0%24
    weights of the first and the last layer #histograms&tagFilter=weights%2F%28hidden1%7Coutput%29%24\
&regexInput=%2Fseed0%24
    """
    means = [name for name in runs if name.endswith("/mean")]
    firsts = _first_seeds(runs)
    curves = means or firsts
    ours = [name for name in firsts if not name.startswith(tuple(own))]
    shown, one = _filter(curves), _filter(ours, firsts)
    tags = [mean_tag(curve) for curve in _CURVES] if means else _CURVES
    what = "mean over seeds of each variant" if means else "curves of each variant's first seed"
    found = [Link(f"{what}{_limit(curves)}", _page("scalars", shown))] if curves else []
    if curves and len(runs) <= MOST_IN_TIME_SERIES:
        found = [Link(what, _time_series("/mean$" if means else "/seed", tags))]
    if means and firsts and len(runs) <= MOST_IN_TIME_SERIES:
        found.append(Link("all seeds, a color for each variant", _time_series("/seed", _CURVES)))
    if means:
        found.append(Link(f"means with 95% intervals{_limit(means)}", _page("custom_scalars", shown)))
    if ours:
        found += [
            Link("mistakes and confusion matrices of the best epoch", _page("images", one, "pictures/best_")),
            Link("weights of the first and the last layer", _page("histograms", one, "weights/(hidden1|output)$")),
            Link("precision and recall", _page("pr_curves", one, "best/all$")),
        ]
    for page, names in (seen or {}).items():
        if mine := _first_seeds(name for name in names if name.startswith(tuple(own))):
            found.append(Link(f"{page} of your own training{_limit(mine)}", _page(page, _filter(mine, runs))))
    if firsts:
        found.append(Link("settings and final values", "#hparams"))
    return [*found, Link("answers, and notes on these pages", _page("text", r"^\.$"))]


def variant_links(
    study: str,
    baseline: str,
    variant: str,
    own_tags: Sequence[str] = (),
    seen: Mapping[str, Collection[str]] | None = None,
) -> list[Link]:
    """Returns links to the runs of a variant beside those of the baseline; all three are names of directories.

    `own_tags` are the metrics of your own training, of which the first four are pinned; `seen` as in `links`.

    >>> [link.shows for link in variant_links("toy", "baseline-1f", "wide-2e")]
    ['Time Series', 'Scalars', 'Images', 'Histograms', 'Text']
    """
    runs = f"^{re.escape(study)}/({'|'.join(dict.fromkeys(map(re.escape, (baseline, variant))))})/seed"
    own = [page for page, names in (seen or {}).items() if any(re.match(runs, name) for name in names)]
    shown = ("scalars", *own) if own_tags else ("scalars", "images", "histograms", "text")
    pages = [Link(page.capitalize(), _page(page, runs)) for page in shown]
    return [Link("Time Series", _time_series(runs, own_tags[:_MOST_PINNED] or _CURVES)), *pages]


def _first_seeds(runs: Iterable[str]) -> list[str]:
    """Returns the run of each variant's lowest seed; what own training has written below a run counts as one too."""
    lowest: dict[str, tuple[int, str]] = {}
    for name in runs:
        if match := re.fullmatch(r"(.+)/seed(\d+)(/own/.*)?", name):
            lowest[match[1]] = min(lowest.get(match[1], (int(match[2]), name)), (int(match[2]), name))
    return [name for _, name in lowest.values()]


def _filter(runs: Sequence[str], among: Iterable[str] = ()) -> str:
    """Returns a pattern of these runs, of the first 40 at most, that matches no other run of `among`."""
    ends = {name.rpartition("/")[2] for name in runs}
    others = {name.rpartition("/")[2] for name in {*among} - {*runs}}
    if len(runs) <= MOST_ELSEWHERE and len(ends) == 1 and not ends & others:
        return f"/{ends.pop()}$"
    return f"^({'|'.join(map(re.escape, runs[:MOST_ELSEWHERE]))})$"


def _limit(runs: Sequence[str]) -> str:
    return f", the first {MOST_ELSEWHERE} of {len(runs)}" if len(runs) > MOST_ELSEWHERE else ""


def _time_series(runs: str, tags: Sequence[str]) -> str:
    pins = json.dumps([{"plugin": "scalars", "tag": tag} for tag in tags], separators=(",", ":"))
    query = {"runFilter": runs, "runColorGroup": f"regex:{_BY_VARIANT}", "smoothing": "0", "pinnedCards": pins}
    return "?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items()) + "#timeseries"


def _page(plugin: str, runs: str, tags: str = "") -> str:
    tag_filter = f"&tagFilter={quote(tags, safe='')}" if tags else ""
    return f"#{plugin}{tag_filter}&regexInput={quote(runs, safe='')}"
