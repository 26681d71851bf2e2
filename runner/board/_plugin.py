"""The tab's server side: a TensorBoard plugin whose routes answer JSON."""

from __future__ import annotations

import json
import logging
import mimetypes
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tensorboard import plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from runner.board._curves import RunningCurves, curves
from runner.board._library import Library, Snapshot, UnknownStudy
from runner.board._payload import effects, linked, overview
from runner.board._progress import INTERRUPTED, TRAINING, run_states, seconds_left
from runner.board._seen import Seen, seen
from runner.board.anyruns import AnyQuery, QueryError, SeriesCache, answer
from runner.files import finite
from runner.links import links, run_names
from runner.palette import PALETTE

_STATIC = Path(__file__).parent / "static"
_JSON = "application/json"


class WrongParameter(ValueError):
    """A request's parameter is missing or malformed; the message is for people."""


class AblationsPlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # TensorBoard has no types
    """The *Ablations* tab. Its routes are below data/plugin/ablations/ and read the log directory only."""

    plugin_name = "ablations"

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._library = Library(Path(context.logdir).expanduser())
        self._provider = context.data_provider
        self._series = SeriesCache()
        self._running = RunningCurves()
        self._made: dict[tuple[str, str], tuple[Snapshot, Any]] = {}

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Returns what TensorBoard shows as the tab's name, and its module."""
        return base_plugin.FrontendMetadata(es_module_path="/static/index.js", tab_name="Ablations")

    def data_plugin_names(self) -> tuple[str, ...]:
        """Returns nothing: the tab is there whatever events there are."""
        return ()

    def is_active(self) -> bool:
        """Whether TensorBoard offers the tab: always. Without runs it says how to make some."""
        return True

    def get_plugin_apps(self) -> dict[str, Callable[..., Any]]:
        """Returns the routes."""
        routes: dict[str, Callable[[wrappers.Request], Any]] = {
            "/studies": lambda _: self._library.names(),
            "/progress": lambda request: self._progress(request, _study(request)),
            "/overview": self._overview,
            "/effects": lambda request: self._kept("effects", _study(request), effects),
            "/curves": lambda request: self._curves(_study(request)),
            "/anyruns": self._anyruns,
            "/palette": lambda _: PALETTE,
            "/links": self._links,
        }
        return {path: _json(content) for path, content in routes.items()} | {"/static/*": _static}

    def _anyruns(self, request: wrappers.Request) -> Any:
        """Returns what the runs of any program say, grouped as the request asks."""
        query = AnyQuery.parse(request.args.to_dict(flat=False))
        context, experiment = plugin_util.context(request.environ), plugin_util.experiment_id(request.environ)
        return answer(self._provider, context, experiment, query, self._series)

    def _overview(self, request: wrappers.Request) -> dict[str, Any]:
        name = _study(request)
        content = self._kept("overview", name, overview)
        return linked(content, self._library.snapshot(name), self._seen(request, name))

    def _links(self, request: wrappers.Request) -> list[list[str]]:
        own = self._library.own()
        found = links(run_names(self._library.logdir), own, seen(self._provider, request.environ) if own else {})
        return [[link.shows, link.fragment] for link in found]

    def _seen(self, request: wrappers.Request, name: str) -> Seen:
        """Returns the runs of a study with own training that have pictures; the runner's own always have."""
        if self._library.study(name).measures.is_ours:
            return {}
        begin = f"{self._library.folder(name).name}/"
        every = seen(self._provider, request.environ)
        return {page: [run for run in runs if run.startswith(begin)] for page, runs in every.items()}

    def _progress(self, request: wrappers.Request, name: str) -> dict[str, Any]:
        states = run_states(self._library.folder(name), self._library.study(name))
        every = [state.state for own in states.values() for state in own]
        counts = {state: every.count(state) for state in dict.fromkeys(every)}
        seeds = {name: [asdict(state) for state in own] for name, own in states.items()}
        pictured = {page: len(runs) for page, runs in self._seen(request, name).items()}
        return {
            "counts": counts,
            "runs": len(every),
            "seconds_left": seconds_left(states),
            "variants": seeds,
            "pictured": pictured,
        }

    def _curves(self, name: str) -> dict[str, Any]:
        snapshot = self._library.snapshot(name)
        states = run_states(snapshot.folder, snapshot.study)
        if any(state.state in (TRAINING, INTERRUPTED) for own in states.values() for state in own):
            return curves(snapshot, states, self._running)
        found: dict[str, Any] = self._kept("curves", name, lambda now: curves(now, states, self._running))
        return found

    def _kept(self, what: str, name: str, make: Callable[[Snapshot], Any]) -> Any:
        """Returns what was made of the study's present state, once for each state."""
        snapshot = self._library.snapshot(name)
        known = self._made.get((what, name))
        if known is None or known[0] is not snapshot:
            known = self._made[what, name] = snapshot, make(snapshot)
        return known[1]


def _study(request: wrappers.Request) -> str:
    if not request.args.get("study"):
        raise WrongParameter("the request names no study: add ?study=NAME, one of those that `studies` lists")
    return str(request.args["study"])


def _json(content: Callable[[wrappers.Request], Any]) -> Callable[..., Any]:
    """Returns a route that answers JSON, also where it fails.

    The status is 404 for a study that is not there, 400 for a wrong parameter, 500 for a study that can't be judged.
    """

    @wrappers.Request.application
    def route(request: wrappers.Request) -> Any:
        try:
            return _respond(request, content(request))
        except UnknownStudy as error:
            return _respond(request, {"error": f'there is no study "{error}"'}, 404)
        except (WrongParameter, QueryError) as error:
            return _respond(request, {"error": str(error)}, 400)
        except Exception as error:  # whatever a study's files do, the tab gets an answer in words
            logging.getLogger(__name__).warning("%s", request.path, exc_info=True)
            name = request.args.get("study", "")
            text = f'the study "{name}" can\'t be shown: its files are not as the runner writes them '
            return _respond(request, {"error": f"{text}({type(error).__name__}: {error}). Run it again."}, 500)

    return route


def _respond(request: wrappers.Request, content: Any, code: int = 200) -> Any:
    text = json.dumps(finite(content), default=_plain, separators=(",", ":"), allow_nan=False)
    return http_util.Respond(request, text, _JSON, code=code)


def _plain(value: Any) -> Any:
    """Returns a number of numpy as Python's own; settings that a study wrote are plain already."""
    return finite(value.item()) if hasattr(value, "item") else str(value)


@wrappers.Request.application
def _static(request: wrappers.Request) -> Any:
    """Serves the tab's own files, a flat folder: a path can't leave it."""
    name = request.path.rsplit("/", 1)[-1]
    if name not in {path.name for path in _STATIC.iterdir() if path.is_file()}:
        return http_util.Respond(request, "not found", "text/plain", code=404)
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    kind = "text/javascript" if name.endswith(".js") else kind
    return http_util.Respond(request, (_STATIC / name).read_bytes(), kind)
