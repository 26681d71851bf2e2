"""The script that calls run(): every worker imports it, so it must be a file, and importing it must call nothing."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

from runner.spec import Kind, Problem, RequestError

UNGUARDED = 77  # exit status of a process whose import of the script called run()


def check_script() -> None:
    """RequestError where workers can't import the script. In a worker that is importing it, this is its end."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(UNGUARDED)
    file = script()
    if file and not Path(file).is_file():
        what = "run() starts processes that import your script, which has no file here; save it as a file and run that."
        raise RequestError([Problem(Kind.CODE, file, what)])


def script() -> str | None:
    """The file that workers import; None for a command, a notebook or an interactive session."""
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is not None:  # python -m runner
        return None
    return getattr(main, "__file__", None)


def unguarded() -> RequestError:
    """What is wrong where importing the script calls run()."""
    what = 'workers import the script, and its import calls run(); put the call below if __name__ == "__main__":'
    return RequestError([Problem(Kind.CODE, script() or "the script", what)])
