"""The nodes of the cluster that this process is connected to: which are alive, and what would make runs there."""

from __future__ import annotations

from collections.abc import Mapping

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from runner.spec import Kind, Problem, RequestError, shown
from runner.store import Provenance, present_provenance, same_provenance, what_changed

_CHECK_SECONDS = 300.0  # for a first Python process on every node, and the code on its way there


def alive_nodes() -> set[str]:
    """Returns the ids of the nodes that are alive."""
    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def check_nodes(needed: str, here: Provenance) -> list[str]:
    """Asks every node that has a resource ("CPU", "GPU") what would make runs there; returns the processors' names.

    Raises RequestError where a node can't import the runner, or has other versions than this machine.
    """
    nodes = {node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get(needed, 0) >= 1}
    ask = ray.remote(num_cpus=0)(_provenance)
    device = str(here.device)
    asked = {
        node: ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(device)
        for node in nodes
    }
    ray.wait(list(asked.values()), num_returns=len(asked), timeout=_CHECK_SECONDS)
    made: dict[str, Provenance] = {}
    problems: list[Problem] = []
    for node, answer in asked.items():
        try:
            made[node] = ray.get(answer, timeout=0)
        except RayError as error:
            if node in alive_nodes():
                what = f"its workers can't start: {cause_of(error)}; install the requirements there."
                problems.append(Problem(Kind.MACHINE, name_of(node), what))
    if problems:
        raise RequestError(problems)
    refuse_others(made, here)
    return sorted({str(each.processor) for each in made.values()})


def _provenance(device: str) -> Provenance:
    return present_provenance(device)


def refuse_others(made: Mapping[str, Provenance], here: Provenance) -> None:
    """Raises RequestError that names the nodes (by their ids) whose runs would not be comparable with this machine's.

    The runs of one study must not come from several versions, and this machine judges which runs count.
    """
    problems = [
        Problem(
            Kind.MACHINE,
            name_of(node),
            f"it differs from this machine ({'; '.join(what_changed(each, here))}), so its runs would not be "
            "comparable; install the same versions on every node.",
        )
        for node, each in made.items()
        if not same_provenance(each, here)
    ]
    if problems:
        raise RequestError(problems)


def name_of(node: str) -> str:
    """Returns a node's name for people."""
    names = {each["NodeID"]: each["NodeManagerHostname"] for each in ray.nodes()}
    return f"Ray node {names.get(node, 'unknown')}"


def cause_of(error: BaseException) -> str:
    """Returns the last line of a Ray error, which says what happened; the others say where."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shown(lines[-1] if lines else type(error).__name__, 300)[1:-1]
