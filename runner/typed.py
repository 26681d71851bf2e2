"""Says how the program was called, so that messages and records name commands that work here."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

_CONSOLE = "ablations"
_HERE = Path(__file__).parents[1]


def program() -> list[str]:
    """Returns the words that called the command line; none where a notebook or a script calls `run`."""
    called = Path(sys.argv[0])
    if called.stem == _CONSOLE and called.suffix in ("", ".exe"):
        return [_CONSOLE]
    return ["python", "-m", "runner"] if "runner" in (called.name, called.parent.name) else []


def is_console() -> bool:
    """Whether the console command `ablations` was called."""
    return program() == [_CONSOLE]


def command(*words: str, make: str | None = None) -> str:
    """Returns a command to type next: `make` in a checkout that has it, else `ablations` with these words."""
    return shlex.join([_CONSOLE, *words]) if is_console() else lasting(*words, make=make)


def lasting(*words: str, make: str | None = None) -> str:
    """Returns the command for a file that must not depend on how the program was called."""
    if not (_HERE / "Makefile").is_file():
        return shlex.join([_CONSOLE, *words])
    return make or shlex.join(["python", "-m", "runner", *words])


def to_run(study: str) -> str:
    """Returns the command that trains a study."""
    return command("run", study, make=f"make ablations STUDY={study}")


def to_see(runs: Path) -> str:
    """Returns the command that opens TensorBoard for these runs."""
    if runs == Path("runs"):
        return command("board", make="make tensorboard")
    return command("board", "--logdir", str(runs))
