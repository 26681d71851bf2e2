"""The tags that runs write and that TensorBoard and the tables read.

Scalars: the tables below. Scalars of every epoch are also the columns of metrics.csv.
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

EPOCH_MEANINGS = {  # scalars of every epoch
    "train/loss": "mean training loss over the epoch's steps, in training mode",
    "train/accuracy": "mean training accuracy over the epoch's steps, in training mode",
    "train/loss_max": "largest loss of a step in the epoch",
    "train_eval/loss": "loss on a fixed part of train, not augmented, in evaluation mode",
    "train_eval/accuracy": "accuracy on a fixed part of train, not augmented, in evaluation mode",
    "val/loss": "validation loss",
    "val/accuracy": "validation accuracy",
    "generalization_gap": "train_eval/accuracy minus val/accuracy",
    "train/lr": "learning rate of the first parameter group",
    "train/grad_norm": "L2 norm of all gradients, mean over every tenth step",
    "train/images_per_second": "train images per second, by this run's steps and its share of the stream",
    "seconds": "this run's share of the epoch's time, evaluation included",
}
FINAL_MEANINGS = {  # scalars that a run writes once, at its end
    "best/epoch": "the best epoch: the one with the lowest validation loss",
    "best/epochs": "epochs that the run trained",
    "best/distinct_units": "units of the first weight layer that differ from one another, at the best epoch",
    "best/val_loss": "validation loss at the best epoch",
    "best/val_accuracy": "validation accuracy at the best epoch",
    "best/generalization_gap": "train_eval/accuracy minus val/accuracy at the best epoch",
    "test/loss": "test loss of the best epoch's weights",
    "test/accuracy": "test accuracy of the best epoch's weights",
    "search/pruned": "in a search: 1 where the search stopped the run early, else 0",
}
EPOCH_SCALARS = tuple(EPOCH_MEANINGS)
MEAN_SCALARS = (*EPOCH_SCALARS[:2], *EPOCH_SCALARS[3:8])
RESULTS = (  # metrics of the best epoch's weights that are scalars too
    "best_epoch", "epochs", "distinct_units", "val/loss", "val/accuracy", "generalization_gap",
    "test/loss", "test/accuracy",
)  # fmt: skip
# A run writes these once, at its end. A resumed run that repeats its end writes them again.
FINAL_PREFIXES = ("best/", "test/", "search/", "pictures/best_")
EVALUATION_PREFIX = "evaluate/"
HPARAM_METRICS = {
    "best/val_accuracy": "validation accuracy",
    "best/val_loss": "validation loss",
    "test/accuracy": "test accuracy",
    "test/loss": "test loss",
    "best/epoch": "best epoch",
    "best/generalization_gap": "generalization gap",
}
SEARCH_METRICS = {"search/pruned": "pruned (1) or not (0)"}


def result_tag(name: str) -> str:
    """Returns the tag of a metric's value at the best epoch. The metric's own name is the tag of its curve.

    >>> result_tag("val/accuracy"), result_tag("best_epoch"), result_tag("test/loss")
    ('best/val_accuracy', 'best/epoch', 'test/loss')
    """
    return name if name.startswith("test/") else f"best/{name.removeprefix('best_').replace('/', '_')}"


def mean_tag(scalar: str, bound: str = "") -> str:
    """Returns the tag of a scalar's mean over seeds, or of its "lower" or "upper" bound.

    >>> mean_tag("val/loss"), mean_tag("val/loss", "lower")
    ('mean/val_loss', 'mean/val_loss_lower')
    """
    return f"mean/{scalar.replace('/', '_')}" + (f"_{bound}" if bound else "")
