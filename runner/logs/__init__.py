"""A run directory, written and read; the only room that knows TensorBoard."""

import threading

_say = threading.excepthook


def _quiet(failed: threading.ExceptHookArgs) -> None:
    """TensorBoard's writer hands its thread's failure (a full disk) on to the next call; once said is enough."""
    if type(failed.thread).__name__ != "_AsyncWriterThread":
        _say(failed)


threading.excepthook = _quiet
