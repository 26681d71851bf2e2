"""Connects to a Ray cluster, and sends the code there. What is wrong with the request is found before."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.execute._engine import Executor
from runner.execute._request import Request
from runner.files import expanded
from runner.spec import Kind, Problem, RequestError, describe
from runner.store import present_provenance

_WHERE, AUTO = "--address", "auto"
_CONNECT_SECONDS = 5.0
_NOT_CODE = (".git", ".venv", "venv", "__pycache__", ".*_cache", "*.zip", "events.out.tfevents.*")
_START = "Start one with: ray start --head"


def ray_problems(request: Request) -> list[Problem]:
    """Returns what is wrong with a request for Ray, as far as it shows without Ray."""
    problems = []
    if not importlib.util.find_spec("ray"):
        what = "Ray is not installed; install it with: pip install -r requirements-ray.txt, or pip install ray."
        problems.append(Problem(Kind.MISSING, "--executor", what))
    if request.device not in (AUTO, "cpu", "cuda"):
        what = f'got "{request.device}"; on Ray expected one of auto, cpu, cuda: Ray says which GPU a worker has.'
        problems.append(Problem(Kind.VALUE, "--device", what))
    address = request.address or AUTO
    if address != AUTO and not re.fullmatch(r"[^:/\s]+:\d{1,5}", address):
        what = f'got "{address}"; expected auto, or HOST:PORT of the head node, such as 10.0.0.1:6379.'
        problems.append(Problem(Kind.VALUE, _WHERE, what))
    return problems


@contextmanager
def connected(request: Request) -> Iterator[Executor]:
    """Connects to the cluster while the context is open, and checks its nodes.

    Raises RequestError where there is no cluster, where it refuses this machine, where it has no room for a worker,
    or where a node has other versions.
    """
    address = request.address or AUTO
    _connect(address, request)
    import ray

    from runner.execute.cluster._engine import RayEngine
    from runner.execute.cluster._nodes import check_nodes

    try:
        rooms = {name: int(ray.cluster_resources().get(name, 0)) for name in ("CPU", "GPU")}
        device = request.device if request.device != AUTO else "cuda" if rooms["GPU"] else "cpu"
        needed = "GPU" if device == "cuda" else "CPU"
        if not rooms[needed]:
            what = f"the cluster has no {needed}; add a node with: ray start --address={address}"
            raise RequestError([Problem(Kind.MACHINE, _WHERE, what)])
        processors = check_nodes(needed, present_provenance(device))
        yield Executor(
            device, rooms[needed], lambda command: RayEngine(command, gpus=int(needed == "GPU")), True,
            f", on Ray at {ray.get_runtime_context().gcs_address}", _mixed(processors),
        )  # fmt: skip
    finally:
        with _signals_kept():
            ray.shutdown()


def _mixed(processors: list[str]) -> str:
    if len(processors) < 2:
        return ""
    return (
        f"the nodes have different processors ({'; '.join(processors)}); they round differently, so a run's numbers "
        "depend on its node. For equal bits use nodes of one type."
    )


def _connect(address: str, request: Request) -> None:
    """Connects, or raises RequestError that says what to do."""
    named = os.environ.get("RAY_ADDRESS", "") if address == AUTO else address
    host, _, port = named.rpartition(":")
    if host and port.isdecimal():  # Ray itself would try for minutes
        try:
            socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
        except OSError as error:
            what = f"no Ray cluster answers at {named} ({error.strerror or error}). {_START}"
            raise RequestError([Problem(Kind.MACHINE, _WHERE, what)]) from None
        _use_token()
    import ray

    if ray.is_initialized():
        what = "this process is connected to Ray already; call ray.shutdown() first."
        raise RequestError([Problem(Kind.CONFLICT, "--executor", what)])
    environment = {
        "working_dir": str(Path.cwd()),
        "excludes": [*_NOT_CODE, *_own_folders(request)],
        "py_modules": [str(Path(__file__).parents[2])],
    }
    try:
        with _signals_kept(), _quiet():
            ray.init(address, runtime_env=environment, log_to_driver=False, logging_level="error")
        # It prints the last lines of a lost node's log on stdout, and has no option against it.
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise RequestError([_refusal(error, named or address)]) from error


def _use_token() -> None:
    """Has Ray use this machine's token, if there is one. By itself it does so only for the address "auto".

    Ray reads this variable when it is imported. It stays set in this process.
    """
    file = expanded(Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token"))
    if os.environ.get("RAY_AUTH_TOKEN") or file.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _refusal(error: Exception, address: str) -> Problem:
    import ray

    if isinstance(error, ray.exceptions.AuthenticationError) or (isinstance(error, ConnectionError) and ":" in address):
        what = (
            f"what answers at {address} is no Ray cluster, or its token is not here. Copy ~/.ray/auth_token from the "
            "head node to the same place here; set RAY_AUTH_MODE=token."
        )
        return Problem(Kind.MACHINE, _WHERE, what)
    if "exceeds the maximum" in str(error) or "too large" in str(error).lower():
        what = "has too many bytes to be sent to every node; name what is no code in a file .rayignore there."
        return Problem(Kind.LIMIT, str(Path.cwd()), what)
    if isinstance(error, ConnectionError):
        return Problem(Kind.MACHINE, _WHERE, f"no Ray cluster runs on this machine. {_START}")
    return Problem(Kind.MACHINE, _WHERE, f"Ray can't connect: {describe(error)}")


def _own_folders(request: Request) -> list[str]:
    """Returns patterns, as in .gitignore, for what is in the runner's own folders in the working directory.

    Ray uses them within the package of the runner too, which has modules in a folder "data".
    """
    found = []
    for place in (request.runs, request.reports, request.data):
        with suppress(ValueError, OSError):
            inner = place.resolve().relative_to(Path.cwd())
            found += [f"/{inner.as_posix()}/*", f"!/{inner.as_posix()}/*.py"] if inner.parts else []
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Drops what Ray's C++ code prints about each attempt to connect; what counts is raised."""
    sys.stderr.flush()
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keeps this process's handlers: Ray replaces that of SIGTERM."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        with suppress(ValueError):  # not in the main thread
            for number, handler in before.items():
                signal.signal(number, handler)
