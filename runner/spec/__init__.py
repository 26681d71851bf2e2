"""Turns a study's dict into checked, frozen settings, reports all errors at once, and computes a run's digest."""

from runner.spec._augment import albumentations, transforms
from runner.spec._data import FIXED
from runner.spec._fields import is_reference
from runner.spec._folders import FOLDER, available, bundled, find_file, find_recorded, folders, recorded
from runner.spec._losses import loss_settings
from runner.spec._names import problems_of
from runner.spec._optimizers import optimizer_class
from runner.spec._own import FreeSettings, OwnTraining
from runner.spec._plain import is_plain, plain
from runner.spec._problems import (
    Kind,
    Mistake,
    Problem,
    RequestError,
    after_start,
    describe,
    from_pydantic,
    mistake_of,
    shown,
    suggest,
)
from runner.spec._questions import PER_IMAGE, Question
from runner.spec._references import (
    OWN_CODE,
    call_mistake,
    check_call,
    load_function,
    own_code,
    references,
    refuse_modules_in,
    takes,
)
from runner.spec._search import LARGEST_GRID, MOST_RUNS, Search, Space, parse_search, parse_spaces
from runner.spec._seeds import SeedPlan, plan_seeds, planned_looks, read_plan
from runner.spec._settings import NO_LIMIT, Settings, dataset_label, level_of, neutral_values
from runner.spec._study import (
    BASELINE,
    Study,
    check_name,
    first_line,
    listing,
    parse,
    parse_questions,
    parse_settings,
    read_file,
)

__all__ = [
    "BASELINE",
    "FIXED",
    "FOLDER",
    "LARGEST_GRID",
    "MOST_RUNS",
    "NO_LIMIT",
    "OWN_CODE",
    "PER_IMAGE",
    "FreeSettings",
    "Kind",
    "Mistake",
    "OwnTraining",
    "Problem",
    "Question",
    "RequestError",
    "Search",
    "SeedPlan",
    "Settings",
    "Space",
    "Study",
    "after_start",
    "albumentations",
    "available",
    "bundled",
    "call_mistake",
    "check_call",
    "check_name",
    "dataset_label",
    "describe",
    "find_file",
    "find_recorded",
    "first_line",
    "folders",
    "from_pydantic",
    "is_plain",
    "is_reference",
    "level_of",
    "listing",
    "load_function",
    "loss_settings",
    "mistake_of",
    "neutral_values",
    "optimizer_class",
    "own_code",
    "parse",
    "parse_questions",
    "parse_search",
    "parse_settings",
    "parse_spaces",
    "plain",
    "plan_seeds",
    "planned_looks",
    "problems_of",
    "read_file",
    "read_plan",
    "recorded",
    "references",
    "refuse_modules_in",
    "shown",
    "suggest",
    "takes",
    "transforms",
]
