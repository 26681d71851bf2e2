"""Reads and writes run directories: states, run.json, result.json, study.json, epochs, tags and provenance."""

from runner.store._comparable import comparable, what_changed
from runner.store._epochs import Row, add_row, read_rows, write_rows
from runner.store._guesses import PARTS, Guesses, guesses
from runner.store._own_code import forget_own_code, own_code_hashes
from runner.store._provenance import (
    Provenance,
    command,
    commit,
    deciding_files,
    present_provenance,
    same_provenance,
)
from runner.store._records import ENDED, FAILED, FINISHED, PRUNED, RUNNING, RunJson, RunResult
from runner.store._rundir import CORRUPT, STARTED, RunDir
from runner.store._study import (
    TWIN,
    EarlierSeeds,
    StudyFile,
    VariantEntry,
    as_declared,
    first_end,
    read_study,
    write_study,
)
from runner.store._tags import (
    EPOCH_SCALARS,
    EVALUATION_PREFIX,
    FINAL_PREFIXES,
    HPARAM_METRICS,
    MEAN_SCALARS,
    MONITORED_SCALARS,
    RESULT_TAGS,
    SEARCH_METRICS,
    mean_tag,
)

__all__ = [
    "CORRUPT",
    "ENDED",
    "EPOCH_SCALARS",
    "EVALUATION_PREFIX",
    "FAILED",
    "FINAL_PREFIXES",
    "FINISHED",
    "HPARAM_METRICS",
    "MEAN_SCALARS",
    "MONITORED_SCALARS",
    "PARTS",
    "PRUNED",
    "RESULT_TAGS",
    "RUNNING",
    "SEARCH_METRICS",
    "STARTED",
    "TWIN",
    "EarlierSeeds",
    "Guesses",
    "Provenance",
    "Row",
    "RunDir",
    "RunJson",
    "RunResult",
    "StudyFile",
    "VariantEntry",
    "add_row",
    "as_declared",
    "command",
    "commit",
    "comparable",
    "deciding_files",
    "first_end",
    "forget_own_code",
    "guesses",
    "mean_tag",
    "own_code_hashes",
    "present_provenance",
    "read_rows",
    "read_study",
    "same_provenance",
    "what_changed",
    "write_rows",
    "write_study",
]
