"""The console command `ablations`: `python -m runner`, where your own modules come after the installed ones."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from runner.stop import STOP


def main() -> None:
    """Runs the command. The working directory is the last place where Python looks for modules."""
    STOP.listen()
    with suppress(OSError):  # the directory may have been removed
        sys.path.append(os.getcwd())  # noqa: PTH109 (a text, as the others are)
    from runner.__main__ import main as run

    run()
