"""Starts TensorBoard with the *Ablations* tab first, so that it is what you see, also before the first run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.board._library import Library
from runner.board._loader import Loader
from runner.links import links, run_names

_LONGEST = 800  # characters of a link worth printing; the tab has all


def serve(logdir: Path, arguments: Sequence[str] = ()) -> int:
    """Serves a log directory until Ctrl-C; returns TensorBoard's exit status.

    `arguments` are further ones of TensorBoard's own command line. Without --host or --bind_all it listens on this
    machine only.
    """
    from tensorboard import default, program

    core, *others = default.get_static_plugins()
    installed = [each for each in default.get_dynamic_plugins() if not _is_ours(each)]

    def announced(app: Any, flags: Any) -> Any:
        """Makes TensorBoard's own server, and prints links into it."""
        server = program.create_port_scanning_werkzeug_server(app, flags)
        print(f"Ablations: {server.get_url()}#ablations")
        for link in links(run_names(logdir), Library(logdir).own()):  # what own training shows is not read yet
            if len(link.fragment) <= _LONGEST:
                print(f"  {link.shows}:\n    {server.get_url()}{link.fragment}")
        sys.stdout.flush()
        return server

    board = program.TensorBoard(plugins=[core, Loader, *others, *installed], server_class=announced)
    is_open = any(each.startswith(("--host", "--bind_all")) for each in arguments)
    board.configure(["tensorboard", "--logdir", str(logdir), *([] if is_open else ["--host", "127.0.0.1"]), *arguments])
    return int(board.main())


def _is_ours(plugin: object) -> bool:
    """Whether a plugin is the one that an entry point names, perhaps of another copy of the package."""
    return (getattr(plugin, "__module__", ""), getattr(plugin, "__name__", "")) == (Loader.__module__, Loader.__name__)
