"""Documentation and help say what the tables in the code say."""

from __future__ import annotations

import re

import pytest

from runner.__main__ import main
from runner.catalog import ACTIVATIONS, DATASETS, INITIALIZATIONS, MODELS, SCHEDULES
from runner.reference import PAGE, rewritten, tables
from runner.spec import Settings


def test_the_page_of_settings_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<!-- table: (\w+) -->", page) == list(tables())
    assert rewritten(page) == page, "run: python -m runner.reference"


def test_an_older_table_is_rewritten_and_prose_stays() -> None:
    page = "Prose.\n<!-- table: schedules -->\n| old |\n<!-- end -->\nMore.\n"
    assert rewritten(page) == page.replace("| old |", tables()["schedules"])
    with pytest.raises(KeyError, match="shedules"):
        rewritten(page.replace("schedules", "shedules"))


def test_every_setting_has_a_meaning() -> None:
    rows = [re.split(r" ?\| ?", row)[1:-1] for row in tables()["settings"].splitlines()[2:]]
    assert [row[0] for row in rows] == [f"`{key}`" for key in Settings.model_fields]
    assert all(len(row) == 3 and row[2] for row in rows)


@pytest.mark.parametrize("command", ["run", "search"])
def test_help_names_every_data_set(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert ", ".join(DATASETS) in said


@pytest.mark.parametrize(
    ("setting", "table"),
    [("activation", ACTIVATIONS), ("dataset", DATASETS), ("init", INITIALIZATIONS), ("model", MODELS),
     ("schedule", SCHEDULES)],
)  # fmt: skip
def test_messages_name_every_entry(setting: str, table: dict[str, object]) -> None:
    assert ", ".join(table) in str(Settings.model_fields[setting].description)
