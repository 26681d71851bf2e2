"""Wrong requests, and the exact lines that a user reads: `python -m tests.sentences` writes them to the golden file."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from runner.__main__ import main
from runner.execute._processes import start_server
from runner.files import lock
from runner.spec import Kind
from tests.pictures import write_pictures
from tests.problems import problems_of_exit
from tests.studies import BASE

GOLDEN = Path(__file__).parent / "golden" / "problems.txt"


@dataclass(frozen=True, eq=False)
class Wrong:
    """A request that is refused.

    command   what the user types after `ablations`
    files     texts by path, written first
    prepare   makes what a text can't; what it puts on the stack is undone after the request
    """

    command: str
    files: dict[str, str]
    prepare: Callable[[ExitStack], object] = lambda _: None


def _study(**changes: Any) -> dict[str, str]:
    return {"ablations/case.py": f"STUDY = {{'baseline': {BASE!r}, 'seeds': 1}} | {changes!r}"}


def _photos(**changes: Any) -> dict[str, str]:
    return _study(baseline=BASE | {"dataset": "folder:pets"} | changes)


def _no_gpu(stack: ExitStack) -> None:
    stack.enter_context(patch("torch.backends.mps.is_available", return_value=False))


def _bad_pets(_: ExitStack) -> None:
    root = write_pictures(Path("pets"), ("cat", "dog"))
    (root / "train" / "cat" / "empty.png").write_bytes(b"")
    (root / "train" / "dog" / "text.png").write_text("no image")


def _hostile_zip(_: ExitStack) -> None:
    with zipfile.ZipFile("pets.zip", "w") as archive:
        archive.writestr("../train/cat/1.png", b"")


def _busy_run(stack: ExitStack) -> None:
    stack.enter_context(lock(Path("runs/case-digits/baseline-0/seed0")))


_MISTAKES = _study(
    baseline=BASE | {"activation": "rleu", "dropout": 1.5, "optimizer": "Adm"},
    variants={"mean": {"lr": 0.1}, "wide": {"hiden": [512]}},
    factors={"bach_norm": [True]},
    questions=[{"ask": "Is it better?", "compare": ["wide", "basline"], "metric": "val/acuracy"}],
)
_QUESTIONS = _study(
    variants={"a": {"dropout": 0.1}, "b": {"dropout": 0.1}},
    questions=[
        {"ask": "Is it better?", "compare": ["a", "a"]},
        {"ask": "Is it equal?", "compare": ["a", "baseline"], "expect": "equal"},
        {"ask": "Is there a slope?", "trend": "lr"},
    ],
)
_MODELS = _study(
    baseline=BASE | {"model": "perceptron", "hidden": [], "optimizer": "Rprop"},
    variants={"dropout": {"dropout": 0.5}, "decay": {"weight_decay": 0.1}, "own": {"model": "no.such:model"}},
)
_SEARCH = {
    "ablations/case.py": f"SEARCH = {{'baseline': {BASE!r}, 'space': {{'lr': [0.1], 'dropout': {{'zipf': [1, 2]}}}}}}"
}
_RUN = "runs/case-digits/baseline-0/seed0"

WRONG = (
    Wrong("run cse", _study()),
    Wrong("run case --set lr", _study()),
    Wrong("run case --seeds many --variants nobody", _study()),
    Wrong("run case --seeds 1..5 --dry-run", _study()),
    Wrong("run case --seeds 5..3", _study()),
    Wrong("run case --seeds 0,3 --from 5", _study()),
    Wrong("run case --seeds 5..27", _study()),
    Wrong("run case", _study(seeds={"first": 5, "last": 9})),
    Wrong("run case", _study(seeds={"first": 5})),
    Wrong(
        "run case", _study(questions=[{"ask": "?", "value": ["baseline", 1.0], "metric": "val/loss", "images": "new"}])
    ),
    Wrong("run case", _MISTAKES),
    Wrong("run case", _study(baseline={"dataset": "digits", "model": "mlp"})),
    Wrong("run case", _QUESTIONS),
    Wrong("run case", _MODELS),
    Wrong("run case", _study(factors={"lr": [k / 1000 for k in range(1, 20_000)]})),
    Wrong("search case", _SEARCH),
    Wrong("run case", {"ablations/case.py": "\nSTUDY = {'baseline': 1 / 0}"}),
    Wrong("run case", _photos()),
    Wrong("run case", _photos(), _bad_pets),
    Wrong("run case", _photos(dataset="folder:pets.zip"), _hostile_zip),
    Wrong("run case --device mps", _study(), _no_gpu),
    Wrong(f"evaluate {_RUN}", {f"{_RUN}/result.json": "{}"}, _busy_run),
    Wrong(f"evaluate {_RUN}", {}),
)


def answer(wrong: Wrong) -> tuple[str, set[Kind]]:
    """What the user reads, and the kinds of the problems; the request is made in a directory of its own."""
    said = io.StringIO()
    kinds: set[Kind] = set()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        stack.enter_context(chdir(place))
        for name, text in wrong.files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text)
        wrong.prepare(stack)
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(said))
        try:
            main(wrong.command.split())
        except SystemExit as end:
            kinds = {problem.kind for problem in problems_of_exit(end)}
    return said.getvalue(), kinds


def answers() -> tuple[str, set[Kind]]:
    """Every wrong request with the lines that answer it, as the golden file has them; and the kinds of all problems."""
    start_server()  # here: a request's directory is removed while the server still imports
    found = {wrong: answer(wrong) for wrong in WRONG}
    text = "\n".join(f"$ ablations {wrong.command}\n{said}" for wrong, (said, _) in found.items())
    return text, set().union(*(kinds for _, kinds in found.values()))


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(answers()[0], encoding="utf-8")
