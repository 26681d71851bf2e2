"""A Ray cluster of two nodes on this machine: each with one CPU and a working and a temporary directory of its own."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_START_SECONDS = 120
_STORE = 80_000_000  # bytes of shared memory for each node; Ray takes no less


def needs_ray() -> None:
    """Skips the module without Ray, but fails it where RUNNER_NEEDS_RAY is set, as in CI."""
    if not importlib.util.find_spec("ray"):
        why = "Ray is not installed (requirements-ray.txt)"
        pytest.fail(why) if os.environ.get("RUNNER_NEEDS_RAY") else pytest.skip(why, allow_module_level=True)


class Node:
    """One node: the processes that `ray start` keeps, in a directory of its own."""

    def __init__(self, place: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.place = place
        (place / "tmp").mkdir(parents=True)
        command = [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--num-gpus=0",
            f"--temp-dir={place}/ray", f"--object-store-memory={_STORE}", f"--plasma-directory={place}/tmp",
            "--node-ip-address=127.0.0.1", "--include-log-monitor=false", "--disable-usage-stats", *arguments,
        ]  # fmt: skip
        with (place / "log.txt").open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=place, stdout=log, stderr=log, start_new_session=True,
                env={**environment, "TMPDIR": str(place / "tmp")},
            )  # fmt: skip

    def wait(self) -> None:
        """Waits until the node belongs to the cluster."""
        deadline = time.monotonic() + _START_SECONDS
        while "Ray runtime started" not in (said := (self.place / "log.txt").read_text()):
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.2)

    def kill(self) -> None:
        """Ends all processes of the node by SIGKILL, as a power cut would."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()

    def processes(self) -> list[int]:
        """Returns the processes that work in the node's directories: Ray's, workers, and what these started."""
        inside, found = f"TMPDIR={self.place}/tmp".encode(), [self._process.pid]
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if inside in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
        return found


class Cluster:
    """Two nodes, the first with the cluster's head, and what a driver needs to reach it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self.nodes: list[Node] = []
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "PYTHONPATH"))}
        # The token is the cluster's own, so that a person's cluster on this machine is never meant.
        self.environment = kept | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
            "RAY_health_check_period_ms": "1000",  # a lost node is noticed after 5 s instead of 15
        }

    def start(self) -> None:
        """Starts the head node, then the other one."""
        self.add(f"--head --port={self._port} --include-dashboard=false".split())
        self.add()

    def add(self, arguments: list[str] | None = None) -> Node:
        """Adds a node."""
        given = arguments or [f"--address={self.address}"]
        node = Node(self._place / f"n{len(list(self._place.iterdir()))}", self.environment, *given)
        self.nodes.append(node)
        node.wait()
        return node


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Yields a cluster of two nodes. Its processes and directories are gone when the context ends."""
    place = Path(tempfile.mkdtemp(prefix="ray-"))  # Ray's sockets need short paths
    made = Cluster(place)
    try:
        made.start()
        yield made
    finally:
        for node in reversed(made.nodes):
            node.kill()
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    """Returns a port of this machine that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
