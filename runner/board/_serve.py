"""Starts TensorBoard with the *Ablations* tab first, so that it is what you see, also before the first run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runner.board._loader import Loader


def serve(logdir: Path, arguments: Sequence[str] = ()) -> int:
    """Serves a log directory until Ctrl-C; returns TensorBoard's exit status.

    `arguments` are further ones of TensorBoard's own command line. Without --host or --bind_all it listens on this
    machine only.
    """
    from tensorboard import default, program

    core, *others = default.get_static_plugins()
    installed = [each for each in default.get_dynamic_plugins() if not _is_ours(each)]
    board = program.TensorBoard(plugins=[core, Loader, *others, *installed])
    is_open = any(each.startswith(("--host", "--bind_all")) for each in arguments)
    board.configure(["tensorboard", "--logdir", str(logdir), *([] if is_open else ["--host", "127.0.0.1"]), *arguments])
    return int(board.main())


def _is_ours(plugin: object) -> bool:
    """Whether a plugin is the one that an entry point names, perhaps of another copy of the package."""
    return (getattr(plugin, "__module__", ""), getattr(plugin, "__name__", "")) == (Loader.__module__, Loader.__name__)
