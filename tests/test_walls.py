"""The rooms of the runner: which may import which, through which door, and what stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNNER = ROOT / "runner"
HEAVY = ("torch", "tensorboard", "matplotlib")
LIGHT = ("spec", "expand", "catalog", "metrics", "measures", "stats", "power", "store", "verdicts", "report")
DRAWING = {"runner.report.write", "runner.report.search.write"}  # the doors to figures
TOOLS = {
    "classnames", "confusion", "course", "files", "palette", "plot", "randomness", "removable", "scores", "sheets",
    "stop", "text", "ticker", "torchvision", "typed",
}  # fmt: skip
MAY = {  # the rooms that each room may import, besides tools
    "tools": "",
    "metrics": "",
    "measures": "metrics",
    "catalog": "",
    "stats": "",
    "power": "stats",
    "spec": "catalog measures metrics",
    "machine": "spec",
    "places": "spec",
    "new": "places spec",
    "console": "__main__",
    "winners": "arguments search",
    "checkpoints": "spec",
    "expand": "catalog spec",
    "store": "measures metrics spec expand",
    "data": "catalog machine spec",
    "weights": "checkpoints",
    "models": "catalog spec weights",
    "train": "catalog spec data models weights",
    "events": "",
    "summaries": "events metrics spec stats store",
    "logs": "events store data models",
    "verdicts": "measures metrics stats power spec expand store",
    "execute": "catalog checkpoints data events measures metrics expand logs machine models places spec store "
    "summaries train verdicts",
    "search": "execute expand places spec store summaries",
    "report": "catalog metrics stats power spec expand store search verdicts",
    "evaluate": "checkpoints data logs machine metrics models places spec store train",
    "prune": "events spec expand store search report verdicts",
    "publish": "spec store report summaries verdicts",
    "reference": "catalog metrics spec store logs",
    "links": "events store",
    "board": "catalog events links measures metrics report spec stats store verdicts",
    "adopt": "board events measures places spec store summaries",
    "arguments": "adopt catalog execute expand",
}


@cache
def modules() -> dict[str, Path]:
    """Every module of the runner: its name and its file."""
    found = {}
    for path in sorted(RUNNER.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Each import of the runner's own modules, wherever in the text: the module, and the name taken from it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("runner"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("runner"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, "") if inner in modules() else (node.module, alias.name)


@cache
def arrows() -> list[tuple[str, str, str]]:
    """Every import within the runner: who, which module, which name."""
    return [(name, *each) for name, path in modules().items() for each in imported(name, path.read_text())]


def beyond_doors(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The imports that reach past a door: a module or a name with a leading underscore, from outside its package."""
    wrong = []
    for who, module, name in found:
        parts = [*module.split("."), *([name] if name else [])]
        private = next((number for number, part in enumerate(parts) if part.startswith("_") and part != "__main__"), 0)
        if private and who.split(".")[:private] != parts[:private]:
            wrong.append((who, module, name))
    return wrong


def circle(found: list[tuple[str, str, str]]) -> list[str]:
    """Modules that need each other, by whatever kind of import; empty where there are none."""
    graph: dict[str, set[str]] = {}
    for who, module, _ in found:
        graph.setdefault(who, set()).add(module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room(module: str) -> str:
    """The room of a module: the first part of its name after `runner`, or "tools"."""
    first = module.partition(".")[2].partition(".")[0]
    return "tools" if first in TOOLS else first


def outside(found: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """The imports of rooms that a room may not import."""
    wrong = []
    for who, module, _ in found:
        mine, other = room(who), room(module)
        if mine not in ("", "__main__", other) and other not in ("tools", *MAY[mine].split()):
            wrong.append((who, module))
    return wrong


def heavy_chain(names: list[str], heavy: Sequence[str] = HEAVY) -> str:
    """Imports modules where heavy packages are refused; how the first of these was reached, or nothing."""
    code = f"""
import importlib, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name in {tuple(heavy)!r}:
            raise AssertionError(f"{{name}} is imported")
sys.meta_path.insert(0, Wall())
for name in {names!r}:
    importlib.import_module(name)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT).stderr


def test_no_room_reaches_past_anothers_door() -> None:
    assert beyond_doors(arrows()) == []


def test_the_door_test_sees_a_burglar() -> None:
    names = sorted(name for name in modules() if "._" in name and not name.endswith("__"))
    assert names
    for inner in names[:3]:
        assert beyond_doors([("runner.__main__", inner, "")])
        assert not beyond_doors([(f"{inner.rpartition('.')[0]}._other", inner, "x")])
    assert beyond_doors([("runner.report", "runner.spec", "_name")])


def test_no_modules_need_each_other() -> None:
    assert circle(arrows()) == []


def test_no_rooms_need_each_other() -> None:
    rooms = [(room(who), room(module), name) for who, module, name in arrows()]
    assert circle([(who, other, name) for who, other, name in rooms if who not in ("", other)]) == []


def test_the_circle_test_sees_a_circle() -> None:
    hidden = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from runner.report import gather\n"
    found = [("runner.spec", *each) for each in imported("runner.spec", hidden)]
    assert circle([*arrows(), *found])


def test_the_wall_test_sees_who_may_not() -> None:
    assert outside([("runner.spec._study", "runner.report", "gather")]) == [("runner.spec._study", "runner.report")]
    assert outside([("runner.stats._effects", "runner.spec", "Settings")])


def test_rooms_import_only_what_they_may() -> None:
    assert outside(arrows()) == []


def test_light_rooms_load_nothing_heavy() -> None:
    light = [name for name in modules() if room(name) in LIGHT and name not in DRAWING and "figures" not in name]
    assert len(light) > 40
    assert heavy_chain(light) == ""


def test_the_tab_loads_nothing_heavy_but_tensorboard() -> None:
    board = [name for name in modules() if room(name) == "board"]
    assert len(board) > 8
    assert heavy_chain(board, [name for name in HEAVY if name != "tensorboard"]) == ""
    assert "tensorboard is imported" in heavy_chain(board)


def test_adopting_and_summaries_load_no_torch_and_no_tensorflow() -> None:
    found = [name for name in modules() if room(name) in ("adopt", "events", "summaries")]
    assert len(found) > 15
    assert heavy_chain(found, ["torch", "matplotlib", "tensorflow"]) == ""
    assert heavy_chain(["runner.publish"], ["torch", "tensorflow"]) == ""


def test_the_wall_test_sees_what_is_several_steps_away() -> None:
    assert "torch is imported" in heavy_chain(["runner.execute.crew"])
    assert "matplotlib is imported" in heavy_chain(["runner.report.write"])
