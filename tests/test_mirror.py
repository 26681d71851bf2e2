"""Run directories that grow elsewhere: after each look the copy is what the original was."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from runner.execute.cluster._mirror import Change, Mirror, apply, snapshot


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "here"


def content(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def renamed(path: Path, data: bytes) -> None:
    path.with_name("beside").write_bytes(data)
    os.replace(path.with_name("beside"), path)


def test_whatever_is_done_to_a_directory_is_done_to_its_copy(there: Path, here: Path) -> None:
    names = ["events.out.tfevents.1.run", "metrics.csv", "run.json", "result.json", "own/deep/checkpoint"]
    mirror, draw = Mirror(there), random.Random(0)
    (there / "own" / "deep").mkdir(parents=True)
    for _ in range(300):
        path, data = there / draw.choice(names), draw.randbytes(draw.randrange(200))
        action = draw.choice(["append", "append", "write", "rename", "remove"])
        if action == "append":
            append(path, data)
        elif action == "write":
            path.write_bytes(data)
        elif action == "rename":
            renamed(path, data)
        else:
            path.unlink(missing_ok=True)
        if draw.random() < 0.7:
            apply(here, mirror.changes())
            assert content(here) == content(there)


def test_only_new_bytes_of_what_grows_are_sent(there: Path) -> None:
    mirror = Mirror(there)
    append(there / "metrics.csv", b"a,b\n")
    mirror.changes()
    append(there / "metrics.csv", b"1,2\n")
    assert mirror.changes() == [Change("metrics.csv", 4, b"1,2\n")]
    assert mirror.changes() == []


def test_a_file_that_was_replaced_by_a_longer_one_of_the_same_inode_is_sent_whole(there: Path) -> None:
    path = there / "metrics.csv"
    path.write_bytes(b"a,b\n1,2\n")
    mirror = Mirror(there)
    mirror.changes()
    path.write_bytes(b"a,b,c\n1,2,3\n4,5,6\n")
    assert mirror.changes() == [Change("metrics.csv", 0, path.read_bytes())]


def test_a_second_change_within_a_tick_of_the_clock_is_sent(there: Path) -> None:
    path, soon = there / "checkpoint", time.time_ns() + 10**10
    mirror = Mirror(there)
    for data in (b"1", b"2"):
        path.write_bytes(data)
        os.utime(path, ns=(soon, soon))
        assert mirror.changes() == [Change("checkpoint", 0, data)]


def test_what_promises_other_files_comes_after_them(there: Path) -> None:
    for name in ("result.json", "checkpoint.pt", "events.out.tfevents.1"):
        (there / name).write_bytes(b"1")
    mirror = Mirror(there)
    assert [change.path for change in mirror.changes()] == ["events.out.tfevents.1", "checkpoint.pt", "result.json"]
    (there / "checkpoint.pt").unlink()
    (there / "result.json").unlink()
    (there / "run.json").write_bytes(b"2")
    changes = [change.path for change in mirror.changes() if change.path in ("result.json", "run.json")]
    assert changes == ["result.json", "run.json"]  # no longer finished, before anything else says so


def test_locks_links_and_half_written_files_stay(there: Path) -> None:
    (there / ".lock").touch()
    (there / ".run.json.12-ab.tmp").touch()
    (there / "link").symlink_to(there / ".lock")
    assert Mirror(there).changes() == []


def test_bytes_after_lost_ones_are_not_written(here: Path) -> None:
    apply(here, [Change("metrics.csv", 0, b"a\n")])
    apply(here, [Change("metrics.csv", 9, b"lost before it\n")])
    assert content(here) == {"metrics.csv": b"a\n"}


def test_a_snapshot_makes_an_equal_directory(there: Path, here: Path) -> None:
    (there / "own").mkdir()
    (there / "own" / "a").write_bytes(b"1")
    (there / "run.json").write_bytes(b"2")
    apply(here, snapshot(there))
    assert content(here) == content(there)
    assert snapshot(there / "nothing") == []
