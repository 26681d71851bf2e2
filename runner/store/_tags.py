"""The tags that runs write and that TensorBoard and the tables read.

Scalars: CURVES of runner/metrics.py, which are also the columns of metrics.csv; once, at the end, RESULT_TAGS.
Images: the table RUN_PICTURES.
Histograms, at every epoch: weights/<parameter>, gradients/<parameter> (of the last step).
PR curves, once: best/<class> and best/all, on validation.
Text, once: settings, changes. Graph: graph. Hparams: every setting.
A pruned run of a search, once: search/why, the reason as text.
An evaluated run, at its best epoch's step: images evaluate/loss_plot, evaluate/metrics,
    evaluate/<part>_confusion_matrix, evaluate/confused_pairs; texts evaluate/metrics, evaluate/test_per_class,
    evaluate/test_confused_pairs.
A variant's mean run: mean/<scalar>, and mean/<scalar>_lower and _upper, the 95% t interval over seeds. In <scalar>,
    each / is written _.
"""

from runner.metrics import CURVES, METRICS, AtEnd, EachEpoch

MONITORED_SCALARS = tuple(name for name, curve in CURVES.items() if curve.source == EachEpoch(False, monitored=True))
EPOCH_SCALARS = tuple(name for name in CURVES if name not in MONITORED_SCALARS)  # of every run
MEAN_SCALARS = tuple(name for name, curve in CURVES.items() if curve.source == EachEpoch(mean=True))
# A run writes these once, at its end. A resumed run that repeats its end writes them again.
FINAL_PREFIXES = ("best/", "test/", "search/", "pictures/best_")
EVALUATION_PREFIX = "evaluate/"
SEARCH_METRICS = {"search/pruned": "pruned (1) or not (0)"}


def result_tag(name: str) -> str:
    """Returns the tag of a metric's value at the best epoch. The metric's own name is the tag of its curve.

    >>> result_tag("val/accuracy"), result_tag("best_epoch"), result_tag("test/loss")
    ('best/val_accuracy', 'best/epoch', 'test/loss')
    """
    return name if name.startswith("test/") else f"best/{name.removeprefix('best_').replace('/', '_')}"


RESULT_TAGS = {
    name: result_tag(name)
    for name, metric in METRICS.items()
    if isinstance(metric.source, AtEnd) and metric.source.scalar
}
HPARAM_METRICS = {
    result_tag(name): metric.label
    for name, metric in METRICS.items()
    if isinstance(metric.source, AtEnd) and metric.source.column
}


def mean_tag(scalar: str, bound: str = "") -> str:
    """Returns the tag of a scalar's mean over seeds, or of its "lower" or "upper" bound.

    >>> mean_tag("val/loss"), mean_tag("val/loss", "lower")
    ('mean/val_loss', 'mean/val_loss_lower')
    """
    return f"mean/{scalar.replace('/', '_')}" + (f"_{bound}" if bound else "")
