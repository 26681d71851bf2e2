"""Turns a study into ordered runs and cohorts: what is trained, and in which directory."""

from runner.expand._cells import cell_name, slug
from runner.expand._files import file_hash, file_hashes, named_files
from runner.expand._overrides import Overrides, parse_set
from runner.expand._resolve import effective, ignored_settings, resolve, run_name
from runner.expand._runs import DATA_SETTINGS, SOURCE_SETTINGS, ResolvedStudy, Run, Variant, cohorts
from runner.expand._studies import resolve_studies

__all__ = [
    "DATA_SETTINGS",
    "SOURCE_SETTINGS",
    "Overrides",
    "ResolvedStudy",
    "Run",
    "Variant",
    "cell_name",
    "cohorts",
    "effective",
    "file_hash",
    "file_hashes",
    "ignored_settings",
    "named_files",
    "parse_set",
    "resolve",
    "resolve_studies",
    "run_name",
    "slug",
]
