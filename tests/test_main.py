"""The command line as a person uses it: quick help, errors in words, exit statuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, runner
from tests.conftest import BASE


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["evaluate", "--help"], ["list"], ["run", "nosuch"], ["search", "nosuch"]],
)
def test_help_lists_and_plain_errors_do_not_wait_for_torch(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['runner', *sys.argv[1:]]\n"
        "from runner.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'albumentations', 'tensorboard', 'pandas', 'matplotlib', 'sklearn', 'optuna'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_list_names_each_study_with_its_question() -> None:
    result = runner("list")
    assert result.returncode == 0
    assert "mlp" in result.stdout
    assert "Which regularizer, and which initialization, helps a plain MLP?" in result.stdout


def test_a_wrong_request_is_words_and_exit_status_2(tmp_path: Path) -> None:
    (tmp_path / "ablations").mkdir()
    study = {"baseline": BASE | {"dropuot": 0.5}, "variants": {"../up": {}, "b": {"lr": "fast"}}}
    (tmp_path / "ablations" / "bad.py").write_text(f"STUDY = {study!r}")
    result = runner("run", "bad", "nosuch", cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    for words in ("problems; nothing was trained", "dropuot", "../up", "'fast'", "there is no such study", "bad.py"):
        assert words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["ablations"]


@pytest.mark.slow
def test_a_study_runs_reports_and_tells_by_its_exit_status(tmp_path: Path) -> None:
    (tmp_path / "ablations").mkdir()
    study = {"baseline": BASE | {"epochs": 1}, "variants": {"bad": {"model": "tests.fakes:failing"}}, "seeds": 1}
    (tmp_path / "ablations" / "toy.py").write_text(f'"""What breaks?"""\nSTUDY = {study!r}')
    result = runner("run", "toy", "--workers", "1", f"--data={tmp_path / 'mine' / 'data'}", cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert "FAILED: RuntimeError: out of ideas" in result.stdout
    assert "tensorboard --logdir runs" in result.stdout
    assert "reports/summary.md" in result.stdout
    page = (tmp_path / "reports" / "toy-digits" / "summary.md").read_text()
    assert page.startswith("# What breaks?")
    assert "out of ideas" in page
    assert "Command: `python -m runner run toy --data data`" in page  # what was typed, without places
    result = runner("report", "nosuch", cwd=tmp_path)
    assert result.returncode == 2
    assert "There are: toy-digits" in result.stderr
