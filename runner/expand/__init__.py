"""Turns a study into ordered runs and cohorts: what is trained, and in which directory."""

from runner.expand.files import file_hash
from runner.expand.resolve import Overrides, parse_set, resolve
from runner.expand.runs import ResolvedStudy, Run, Variant, cohorts
from runner.expand.studies import resolve_studies

__all__ = [
    "Overrides", "ResolvedStudy", "Run", "Variant", "cohorts", "file_hash", "parse_set", "resolve", "resolve_studies",
]  # fmt: skip
