"""The repository is what its card says, and the rooms keep to their doors."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from runner.report import front_page, read_front
from runner.text import table

ROOT = Path(__file__).parents[1]
TOP = {
    "ablations", "runner", "runs", "reports", "tests", "Makefile", "requirements.txt", "README.md", "CHANGELOG.md",
    "LICENSE", "pyproject.toml", "requirements-dev.txt", "requirements-bench.txt", "requirements-ray.txt", "docs",
    "benchmarks", ".ci",
    ".gitignore",
}  # fmt: skip


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    if not listing[0]:
        pytest.skip("not a git checkout")
    return [name for name in listing if name]


def test_the_top_level() -> None:
    assert {name.split("/")[0] for name in tracked()} <= TOP


def test_files_stay_short() -> None:
    for path in (ROOT / "runner").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 260, path


def test_specs_import_nothing() -> None:
    for path in (ROOT / "ablations").glob("*.py"):
        imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, (ast.Import, ast.ImportFrom))]
        assert not imports, path


def test_only_events_logs_summaries_and_board_know_tensorboard() -> None:
    for path in (ROOT / "runner").rglob("*.py"):
        if path.parent.name not in ("events", "logs", "summaries", "board", "anyruns"):
            assert not re.search(
                r"^\s*(from|import) (tensorboard|torch\.utils\.tensorboard)", path.read_text(), re.M
            ), path


def test_only_the_room_of_the_cluster_knows_ray() -> None:
    for path in (ROOT / "runner").rglob("*.py"):
        if path.parent.name != "cluster":
            assert not re.search(r"^\s*(from|import) ray\b", path.read_text(), re.M), path


def test_markdown_tables_are_made_in_one_place() -> None:
    made = [path.name for path in (ROOT / "runner").rglob("*.py") if re.search(r"-{3}\W*\||--:", path.read_text())]
    assert made == ["text.py"]


def test_a_tables_cell_is_a_cell_whatever_is_in_it() -> None:
    rows: list[list[object]] = [["a|b\nc", 1], ["", "`x|y`"]]
    assert table(["name", "n|m"], rows).splitlines() == [
        "| name | n\\|m |", "| --- | --: |", "| a\\|b c | 1 |", "|  | `x\\|y` |"
    ]  # fmt: skip
    assert table(["name"], []) == ""


def test_every_pinned_package_is_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt", "requirements-ray.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r", "-e .")):
                assert re.match(r"[\w-]+(\[\w+\])?==[\w.]+(\s+#.*)?$", line), line


def test_every_test_that_the_page_of_faults_names_is_there() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"(test_\w+\.py)::(test_\w+)", page)
    assert len(named) > 60
    for file, name in named:
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), (file, name)


def test_the_front_page_of_the_reference_reports_is_that_of_their_folders() -> None:
    for place in (ROOT / "reports" / "reference", ROOT / "reports" / "reference" / "answers"):
        check_front_page(place)


def check_front_page(place: Path) -> None:
    folders = sorted(path.parent for path in place.glob("*/summary.md") if list(path.parent.glob("*.csv")))
    page = place / "summary.md"
    entries = [read_front(folder) for folder in folders]
    assert page.read_text() == front_page(entries)
    for folder, entry in zip(folders, entries, strict=True):
        own = (folder / "summary.md").read_text()
        assert own.startswith(f"# {entry.title}\n"), folder
        listed = own.partition("## Answers\n\n")[2].partition("\n\n")[0]
        assert "\n".join(f"- {answer}" for answer in entry.answers) == listed, folder


def test_what_the_pages_link_to_is_there() -> None:
    for page in (ROOT / name for name in tracked() if name.endswith(".md")):
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            assert re.match(r"[a-z]+:", link) or (page.parent / unquote(link)).exists(), (page, link)
