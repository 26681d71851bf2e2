"""Checks the script that calls run(): every worker imports it, so it must be a file and must not call run() again."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

from runner.spec import Kind, Problem, RequestError
from runner.typed import is_console

UNGUARDED = 77  # exit status of a process whose import of the script called run()


def check_script() -> None:
    """Raises RequestError where workers can't import the script. Ends a worker that is importing it."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(UNGUARDED)
    file = script()
    if file and not Path(file).is_file():
        what = "run() starts processes that import your script, which has no file here; save it as a file and run that."
        raise RequestError([Problem(Kind.CODE, file, what)])


def script() -> str | None:
    """Returns the file that workers import; None for a command, a notebook or an interactive session."""
    if is_console():
        return None
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is not None:  # python -m runner
        return None
    return getattr(main, "__file__", None)


def unguarded() -> RequestError:
    """Returns the error for a script that calls run() when it is imported."""
    what = 'workers import the script, and its import calls run(); put the call below if __name__ == "__main__":'
    return RequestError([Problem(Kind.CODE, script() or "the script", what)])
