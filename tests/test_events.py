"""Event files are read as TensorBoard reads them, and written so that it reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from torch.utils.tensorboard import SummaryWriter

from runner.events import (
    Torn,
    event_files,
    masked_crc,
    read_scalars,
    records,
    scalar_events,
    summary_event,
    text_summary,
    write_events,
)
from tests.foreign import write, write_lightning


def point(step: int, value: float, wall: float) -> Event:
    return summary_event(Summary(value=[Summary.Value(tag="a", simple_value=value)]), step, wall)


def test_event_files_come_in_the_order_of_their_counter(tmp_path: Path) -> None:
    names = [f"events.out.tfevents.1795656175.host.20033.{number}" for number in (8, 9, 10, 11)]
    for name in reversed(names):
        (tmp_path / name).touch()
    assert [path.name for path in event_files(tmp_path)] == names


@given(st.binary(max_size=300))
def test_checksums_are_tensorboards(data: bytes) -> None:
    assert int.from_bytes(masked_crc(data), "little") == masked_crc32c(data)


def test_what_is_written_is_read_by_tensorboard_and_by_us(tmp_path: Path) -> None:
    old = tmp_path / "events.out.tfevents.1"
    old.touch()
    events = [*scalar_events({"a": {2: 0.5, 1: 0.25}, "b": {1: 3.0}}, {1: 7.0}, 9.0)]
    write_events(tmp_path, [*events, summary_event(text_summary("note", "é"), 0, 9.0)], ".mine", old=[old])
    (path,) = event_files(tmp_path)
    assert path.name.endswith(".mine")
    board = EventAccumulator(str(tmp_path)).Reload()
    assert [(point.step, point.value, point.wall_time) for point in board.Scalars("a")] == [(1, 0.25, 7), (2, 0.5, 9)]
    assert board.Tensors("note/text_summary")[0].tensor_proto.string_val == ["é".encode()]
    found = read_scalars(tmp_path)
    assert found.values == {"a": {1: 0.25, 2: 0.5}, "b": {1: 3.0}}
    assert (found.walls, found.started, found.ended) == ({1: 7.0, 2: 9.0}, 7.0, 9.0)


def test_a_torn_file_has_the_records_before_its_end(tmp_path: Path) -> None:
    write_events(tmp_path, [point(step, step / 4, 1.0) for step in range(3)])
    (path,) = event_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    read = records(path)
    assert len([next(read) for _ in range(3)]) == 3
    with pytest.raises(Torn):
        next(read)
    found = read_scalars(tmp_path)
    assert (found.values, found.torn) == ({"a": {0: 0.0, 1: 0.25}}, 1)


def test_of_a_step_in_two_files_the_value_written_last_counts(tmp_path: Path) -> None:
    write_events(tmp_path, [point(1, 0.5, 30.0), point(2, 0.5, 10.0)])
    write_events(tmp_path, [point(1, 0.25, 20.0), point(2, 0.25, 20.0)])
    found = read_scalars(tmp_path)
    assert (found.values, found.doubled, found.files) == ({"a": {1: 0.5, 2: 0.25}}, True, 2)
    assert found.walls == {1: 30.0, 2: 20.0}


def test_a_resumed_run_has_no_steps_of_before_that_it_purged(tmp_path: Path) -> None:
    write(tmp_path, {"a": [0.0, 1.0, 2.0, 3.0]})
    with SummaryWriter(str(tmp_path), purge_step=2) as writer:
        writer.add_scalar("a", 9.0, 2)
    assert read_scalars(tmp_path).values == {"a": {0: 0.0, 1: 1.0, 2: 9.0}}


def test_scalars_of_tensorflow_2_are_read_and_a_file_in_the_making_is_not(tmp_path: Path) -> None:
    write(tmp_path, {"a": [0.5]}, new_style=True)
    (path,) = event_files(tmp_path)
    path.with_name(f".{path.name}.12-abc.tmp").write_bytes(path.read_bytes())
    found = read_scalars(tmp_path)
    assert (found.values, found.files) == ({"a": {0: 0.5}}, 1)
    assert event_files(tmp_path / "missing") == []


def test_the_last_hparams_of_a_run_are_read(tmp_path: Path) -> None:
    assert read_scalars(tmp_path).session is None
    write_lightning(tmp_path, {"lr": 0.1, "name": "x", "seed": 3}, {"val_loss": [1.0]})
    session = read_scalars(tmp_path).session
    assert session
    assert session.values == {"lr": 0.1, "name": "x", "seed": 3.0}
