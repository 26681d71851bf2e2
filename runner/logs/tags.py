"""The one vocabulary of tags: what a run writes, and what TensorBoard and the tables read.

Scalars, at every epoch (each also a column of metrics.csv):
    train/loss, train/accuracy      mean over the epoch's steps, in training mode
    train/loss_max                  largest loss of a step in the epoch
    train_eval/loss, .../accuracy   a fixed part of train, not augmented, in evaluation mode
    val/loss, val/accuracy          validation
    generalization_gap              train_eval/accuracy - val/accuracy
    train/lr                        learning rate of the first parameter group
    train/grad_norm                 L2 norm of all gradients, mean over every tenth step
    train/images_per_second         of this run's steps and its share of the stream
    seconds                         this run's share of the epoch, evaluation included
Scalars, once, of the best epoch's weights (lowest validation loss):
    best/epoch, best/epochs, best/val_loss, best/val_accuracy, best/generalization_gap
    best/distinct_units             units of the first weight layer that differ from one another
    test/loss, test/accuracy
Of a search's runs besides, once: search/pruned (1 or 0), and search/why, the reason as text
Histograms, at every epoch: weights/<parameter>, gradients/<parameter> (of the last step)
Images, in a group of their own so that the curves come first:
    pictures/augmented              epoch 1's first train images, as the network sees them
    pictures/val_samples, pictures/val_confusion_matrix, pictures/first_layer       epochs 1, 4, 16, 64, ...
    pictures/best_misclassified, pictures/best_val_confusion_matrix, pictures/best_test_confusion_matrix    once
PR curves, once: best/<class> and best/all, on validation
Text, once: settings, changes. Graph: graph. Hparams: every setting.
Of an evaluated run, at its best epoch's step: images evaluate/loss_plot, evaluate/metrics,
    evaluate/<part>_confusion_matrix, evaluate/confused_pairs; texts evaluate/metrics, evaluate/test_per_class,
    evaluate/test_confused_pairs
In a variant's mean run: mean/<scalar>, and mean/<scalar>_lower and _upper, the 95% t interval over seeds,
    with _ for / within <scalar>.
"""

from runner.metrics import CURVES, METRICS, AtEnd, EachEpoch

EPOCH_SCALARS = tuple(CURVES)
MEAN_SCALARS = tuple(name for name, curve in CURVES.items() if curve.source == EachEpoch(mean=True))
# Written once, at a run's end, and again if that end is repeated.
FINAL_PREFIXES = ("best/", "test/", "search/", "pictures/best_")
EVALUATION_PREFIX = "evaluate/"
SEARCH_METRICS = {"search/pruned": "pruned (1) or not (0)"}


def result_tag(name: str) -> str:
    """The tag of a metric of the best epoch's weights: the metric's own name is the tag of its curve.

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
    """The tag of a scalar's mean over seeds, or of its "lower" or "upper" bound."""
    return f"mean/{scalar.replace('/', '_')}" + (f"_{bound}" if bound else "")
