"""The real TensorBoard on loopback, read over HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Get = Callable[..., Any]
SESSIONS = {  # what the hparams page asks for
    "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
    "colParams": [], "startIndex": 0, "sliceSize": 1000, "aggregationType": "AGGREGATION_AVG",
}  # fmt: skip


@contextmanager
def tensorboard(logdir: Path, runs: int) -> Iterator[Get]:
    """A function that reads a path below data/, once TensorBoard has read so many runs."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1"]
    log = logdir.parent / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen([*command, "--port", "0"], stdout=output, stderr=subprocess.STDOUT)
    try:
        url = _wait(lambda: re.search(r"http://[\w.]+:\d+/", log.read_text()), process).group()

        def get(path: str, body: Any = None, raw: bool = False, **query: Any) -> Any:
            data = json.dumps(body).encode() if body is not None else None
            address = f"{url}data/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
            request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=30) as response:
                content = response.read()
            return content if raw else json.loads(content)

        _wait(lambda: len(get("runs")) >= runs, process)
        yield get
    finally:
        process.terminate()
        process.wait()


def _wait(condition: Callable[[], Any], process: subprocess.Popen[bytes]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := condition()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found
