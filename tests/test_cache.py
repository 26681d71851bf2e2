"""Prepared data sets are kept where something can be written."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.data import load, prepare
from runner.data._cache import cache_places
from runner.spec import Kind, RequestError, Settings
from tests.problems import refused
from tests.studies import BASE

Make = Callable[..., Settings]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account's home, beside the working directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


def read_only(monkeypatch: pytest.MonkeyPatch, *places: str, number: int = errno.EROFS) -> None:
    """Root may write everywhere, so the system's refusal is played."""
    mkdir = Path.mkdir

    def refuse(self: Path, *args: Any, **options: Any) -> None:
        if any(str(self).startswith(place) for place in places):
            raise OSError(number, "no", str(self))
        mkdir(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)


def caches_of(folder: str) -> list[str]:
    return [path.parent.name for path in Path(folder).glob("*/meta.json")]


def caches(root: Path) -> list[str]:
    return sorted(path.parents[1].relative_to(root).as_posix() for path in root.rglob("meta.json"))


def test_it_is_in_data_and_beside_the_data_where_they_are_elsewhere(settings: Make, home: Path) -> None:
    prepare(settings(), Path("data"))
    assert prepare(settings(), home.parent / "mine") == Path("data/cache") / caches_of("data/cache")[0]  # there already
    prepare(settings(image_size=4), home.parent / "mine")
    assert caches(home.parent) == ["mine/cache", "work/data/cache"]


def test_data_that_can_only_be_read_are_kept_in_data(
    settings: Make, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(monkeypatch, str(home.parent / "mine"))
    prepare(settings(), home.parent / "mine")
    (home.parent / "x.zip").write_bytes(b"")
    prepare(settings(image_size=4), home.parent / "x.zip")  # no folder at all
    assert set(caches(home.parent)) == {"work/data/cache"}


def test_where_nothing_can_be_written_the_account_has_it(
    settings: Make, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(monkeypatch, "data")
    folder = prepare(settings(), Path("data"))
    assert folder.is_relative_to(home)
    assert len(load(folder).train) == 1197
    assert prepare(settings(), Path("data")) == folder  # and finds it again
    read_only(monkeypatch, "data", str(home))
    assert prepare(settings(), Path("data")) == folder  # to read it nothing need be written
    with pytest.raises(RequestError) as caught:
        prepare(settings(image_size=4), Path("data"))
    assert [problem.where for problem in caught.value.problems] == [str(place) for place in cache_places(Path("data"))]
    assert caught.value.kinds == {Kind.PATH}


def test_a_full_disk_is_named_and_nothing_else_is_filled(
    settings: Make, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only(monkeypatch, "data", number=errno.ENOSPC)
    with refused(Kind.PATH, "data/cache", "Errno 28"):
        prepare(settings(), Path("data"))
    assert not home.exists()


def test_a_cache_that_a_version_before_wrote_is_none(settings: Make, tmp_path: Path) -> None:
    folder = prepare(Settings.model_validate(BASE), Path("data"), tmp_path)
    meta = (folder / "meta.json").read_text()
    (folder / "meta.json").write_text(meta.replace('"notes"', '"other"'))
    assert prepare(settings(), Path("data"), tmp_path) == folder
    assert '"notes"' in (folder / "meta.json").read_text()
