"""The tags that runs write and that TensorBoard and the tables read.

TensorBoard sorts groups (a tag up to its first "/") by name. Time Series opens the first two, Scalars the first three.
So the groups of the means begin with 1 and 2, and a run's final values are in the last group, z_final.

Scalars: CURVES of runner/metrics, which are also the columns of metrics.csv; once, at the best epoch, RESULT_TAGS.
Images: the table RUN_PICTURES.
Histograms, at every epoch: weights/<role>, weights-gradients/<role> (of the last step); roles in runner/logs/_roles.py.
PR curves, once, at the best epoch: best/<class> and best/all, on validation.
Text, once: settings, changes. Graph: graph. Hparams: every setting.
A pruned run of a search, once: search/why, the reason as text.
An evaluated run, at its best epoch's step: images evaluate/loss_plot, evaluate/metrics,
    evaluate/<part>_confusion_matrix, evaluate/confused_pairs; texts evaluate/metrics, evaluate/test_per_class,
    evaluate/test_confused_pairs.
A variant's mean run, rewritten while its seeds train: the scalars of `mean_tag`, and SEEDS_TAG.
Runs of older versions have best/<metric>, test/<metric> and search/pruned instead of z_final, and histograms named by
parameters. Their means have mean/<scalar>; the next command rewrites them.
"""

from runner.metrics import CURVES, METRICS, AtEnd, EachEpoch

MONITORED_SCALARS = tuple(name for name, curve in CURVES.items() if curve.source == EachEpoch(False, monitored=True))
EPOCH_SCALARS = tuple(name for name in CURVES if name not in MONITORED_SCALARS)  # of every run
MEAN_SCALARS = tuple(name for name, curve in CURVES.items() if curve.source == EachEpoch(mean=True))
SEEDS_TAG = "2_mean_train/seeds"  # how many seeds the mean at an epoch has
DIVERGED_LOSS = 10.0  # nats; guessing among 22,000 classes has this loss
_FINAL = "z_final/"
# A run writes these once, at its end. A resumed run that repeats its end writes them again. An older run of this
# version's code may resume too.
FINAL_PREFIXES = (_FINAL, "best/", "test/", "search/", "pictures/best_")
EVALUATION_PREFIX = "evaluate/"
EVALUATION_SUFFIX = ".evaluation"  # of an evaluation's event file
RUN_SUFFIX = ".run"  # of a run's event file; older versions wrote none, and other tags for final values
SEARCH_METRICS = {f"{_FINAL}pruned": "pruned (1) or not (0)"}


def result_tag(name: str) -> str:
    """Returns the tag of a metric's value at the best epoch. The metric's own name is the tag of its curve.

    >>> result_tag("val/accuracy"), result_tag("best_epoch"), result_tag("test/loss")
    ('z_final/val_accuracy', 'z_final/best_epoch', 'z_final/test_loss')
    """
    return _FINAL + name.replace("/", "_")


def older_result_tag(name: str) -> str:
    """Returns the tag of a metric's value at the best epoch in runs of older versions.

    >>> older_result_tag("val/accuracy"), older_result_tag("best_epoch"), older_result_tag("test/loss")
    ('best/val_accuracy', 'best/epoch', 'test/loss')
    """
    return name if name.startswith("test/") else f"best/{name.removeprefix('best_').replace('/', '_')}"


_COLUMNS = {
    name: metric for name, metric in METRICS.items() if isinstance(metric.source, AtEnd) and metric.source.column
}
RESULT_TAGS = {name: result_tag(name) for name in _COLUMNS}
HPARAM_METRICS = {result_tag(name): metric.label for name, metric in _COLUMNS.items()}
OLDER_HPARAM_METRICS = {older_result_tag(name): f"{metric.label} (older runs)" for name, metric in _COLUMNS.items()}
OLDER_SEARCH_METRICS = {"search/pruned": "pruned (older runs)"}


def mean_tag(scalar: str, bound: str = "", diverged: bool = False) -> str:
    """Returns the tag of a scalar's mean over seeds, or of its "lower" or "upper" bound.

    `diverged`: the losses of a variant that diverged have tags of their own, so that they stretch no other's chart.

    >>> mean_tag("val/loss"), mean_tag("val/loss", "lower"), mean_tag("generalization_gap")
    ('1_mean_val/loss', 'mean_interval/val_loss_lower', 'mean/generalization_gap')
    >>> mean_tag("val/loss", diverged=True), mean_tag("val/accuracy", diverged=True)
    ('mean_diverged/val_loss', '1_mean_val/accuracy')
    """
    flat = scalar.replace("/", "_")
    if diverged and scalar.endswith("/loss"):
        return f"mean_diverged/{flat}" + (f"_{bound}" if bound else "")
    if bound:
        return f"mean_interval/{flat}_{bound}"
    part, _, name = scalar.rpartition("/")
    return f"{_MEAN_GROUPS.get(part, 'mean')}/{name if part in _MEAN_GROUPS else flat}"


_MEAN_GROUPS = {"val": "1_mean_val", "train": "2_mean_train"}
