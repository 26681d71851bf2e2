"""The one table of metrics: what each is, its unit, which way is better, and where its value comes from.

A new metric is one entry here. Questions, report columns, TensorBoard's tags and evaluations are derived from it.
A value that is measured in training or evaluation also needs the code that measures it.
    METRICS       of a run: one number each, which a question may ask about
    CLASS_METRICS  of one class in a run
    CURVES        of an epoch: columns of metrics.csv and TensorBoard scalars, in their order
    PART_METRICS  of one part of the data, measured when a finished run is evaluated
`val/accuracy` as a metric of a run is the curve's value at the best epoch.
"""

from __future__ import annotations

from runner.course import at_best, epochs_to, first_loss_max, late_spread, mean, roughness
from runner.metrics._deferred import deferred
from runner.metrics._kinds import (
    AtEnd,
    Better,
    EachEpoch,
    Evaluated,
    FromEpochs,
    FromPredictions,
    FromProbabilities,
    Metric,
    OfClass,
    Unit,
)

balanced_accuracy, cohen_kappa, macro_f1, recall = (
    deferred("runner.confusion", name) for name in ("balanced_accuracy", "cohen_kappa", "macro_f1", "recall")
)
calibration_error_of, macro_roc_auc, top_accuracy = (
    deferred("runner.scores", name) for name in ("calibration_error_of", "macro_roc_auc", "top_accuracy")
)


def _table(*entries: Metric) -> dict[str, Metric]:
    return {entry.name: entry for entry in entries}


CLASS = "CLASS"
_H, _L, _N = Better.HIGHER, Better.LOWER, Better.NEITHER
_SHARE, _NATS, _EPOCHS, _COUNT = Unit.SHARE, Unit.NATS, Unit.EPOCHS, Unit.COUNT
# fmt: off
METRICS = _table(
    Metric("val/accuracy", "validation accuracy", "validation accuracy at the best epoch",
           _SHARE, _H, AtEnd(column=True), over_all=True),
    Metric("val/loss", "validation loss", "validation loss at the best epoch", _NATS, _L, AtEnd(column=True)),
    Metric("test/accuracy", "test accuracy", "test accuracy of the best epoch's weights",
           _SHARE, _H, AtEnd(column=True), over_all=True),
    Metric("test/loss", "test loss", "test loss of the best epoch's weights", _NATS, _L, AtEnd(column=True)),
    Metric("best_epoch", "best epoch", "epoch that `monitor` chooses: that of the lowest validation loss, unless set",
           _EPOCHS, _N, AtEnd(column=True)),
    Metric("epochs", "epochs", "epochs that the run had", _EPOCHS, _N, AtEnd()),
    Metric("generalization_gap", "generalization gap",
           "accuracy on a fixed part of train minus validation accuracy, at the best epoch",
           _SHARE, _N, AtEnd(column=True)),
    Metric("distinct_units", "distinct units", "units of the first weight layer that differ from one another, at the "
           "best epoch", _COUNT, _N, AtEnd()),
    Metric("units", "units", "units of the first weight layer", _COUNT, _N, AtEnd()),
    Metric("seconds", "training time", "training time of the run", Unit.SECONDS, _L, AtEnd()),
    Metric("val/balanced_accuracy", "balanced validation accuracy",
           "mean over the classes of the share of their validation images that are right",
           _SHARE, _H, FromPredictions("val", balanced_accuracy)),
    Metric("val/macro_f1", "macro F1 on validation",
           "mean over the classes of F1 on validation (`val/f1` of `monitor`); a class that is never predicted counts "
           "as 0",
           _SHARE, _H, FromPredictions("val", macro_f1)),
    Metric("test/balanced_accuracy", "balanced test accuracy",
           "mean over the classes of the share of their test images that are right",
           _SHARE, _H, FromPredictions("test", balanced_accuracy)),
    Metric("test/macro_f1", "macro F1 on test",
           "mean over the classes of F1 on test; a class that is never predicted counts as 0",
           _SHARE, _H, FromPredictions("test", macro_f1)),
    Metric("test/kappa", "Cohen's kappa on test", "agreement with the true classes on test beyond chance (Cohen 1960)",
           Unit.NUMBER, _H, FromPredictions("test", cohen_kappa)),
    Metric("val/top5_accuracy", "top-5 validation accuracy",
           "share of the validation images whose class is among the five most probable",
           _SHARE, _H, FromProbabilities("val", top_accuracy), over_all=True),
    Metric("val/macro_roc_auc", "ROC AUC on validation",
           "mean over the classes of the area under the ROC curve, the class against the rest, on validation",
           _SHARE, _H, FromProbabilities("val", macro_roc_auc)),
    Metric("val/calibration_error", "calibration error on validation",
           "expected calibration error on validation, over 15 bins (Guo et al. 2017)",
           _SHARE, _L, FromProbabilities("val", calibration_error_of)),
    Metric("test/top5_accuracy", "top-5 test accuracy",
           "share of the test images whose class is among the five most probable",
           _SHARE, _H, FromProbabilities("test", top_accuracy), over_all=True),
    Metric("test/macro_roc_auc", "ROC AUC on test",
           "mean over the classes of the area under the ROC curve, the class against the rest, on test",
           _SHARE, _H, FromProbabilities("test", macro_roc_auc)),
    Metric("test/calibration_error", "calibration error on test",
           "expected calibration error on test, over 15 bins (Guo et al. 2017)",
           _SHARE, _L, FromProbabilities("test", calibration_error_of)),
    Metric("train_eval/accuracy", "training accuracy",
           "accuracy at the best epoch on a fixed part of train, not augmented",
           _SHARE, _H, FromEpochs(at_best("train_eval/accuracy")), over_all=True),
    Metric("train_eval/loss", "training loss", "loss at the best epoch on a fixed part of train, not augmented",
           _NATS, _L, FromEpochs(at_best("train_eval/loss"))),
    Metric("epochs_to", "epochs to an accuracy", "epochs until validation accuracy first reaches the question's "
           '"accuracy"; one more than asked for where it never does',
           _EPOCHS, _L, FromEpochs(epochs_to), over_all=True),
    Metric("val_accuracy_area", "mean validation accuracy", "mean validation accuracy up to the last epoch "
           "that all compared runs of a seed reached: how fast and how high together",
           _SHARE, _H, FromEpochs(mean("val/accuracy"), common=True), over_all=True),
    Metric("train_loss_area", "mean training loss", "mean training loss up to the last epoch that all compared "
           "runs of a seed reached", _NATS, _L, FromEpochs(mean("train/loss"), common=True)),
    Metric("train_roughness", "roughness of the training loss", "how unevenly the logarithm of the training loss "
           "falls: mean absolute change of its slope from one epoch to the next (second difference), up to the last "
           "epoch that all compared runs of a seed reached", Unit.NUMBER, _L, FromEpochs(roughness, common=True)),
    Metric("first_epoch_loss_max", "largest first loss", "largest loss of a step in the first epoch",
           _NATS, _L, FromEpochs(first_loss_max)),
    Metric("late_spread", "late spread", "standard deviation of validation loss around a straight line, over the last "
           "five epochs", _NATS, _L, FromEpochs(late_spread)),
)
CLASS_METRICS = _table(  # CLASS stands for the name of a class
    Metric("val/recall/CLASS", "validation recall of CLASS", "share of the class's validation images that are right",
           _SHARE, _H, OfClass("val", recall, "CLASS")),
    Metric("test/recall/CLASS", "test recall of CLASS", "share of the class's test images that are right",
           _SHARE, _H, OfClass("test", recall, "CLASS")),
)
CURVES = _table(
    Metric("train/loss", "training loss", "mean of the loss that `loss` names over the epoch's steps, in training mode",
           _NATS, _L, EachEpoch()),
    Metric("train/accuracy", "training accuracy", "mean over the epoch's steps, in training mode; a mixed image counts "
           "its two classes by their shares",
           _SHARE, _H, EachEpoch()),
    Metric("train/loss_max", "largest training loss", "largest loss of a step in the epoch",
           _NATS, _L, EachEpoch(mean=False)),
    Metric("train_eval/loss", "training loss, evaluated", "loss on a fixed part of train, not augmented",
           _NATS, _L, EachEpoch()),
    Metric("train_eval/accuracy", "training accuracy, evaluated", "accuracy on a fixed part of train, not augmented",
           _SHARE, _H, EachEpoch()),
    Metric("val/loss", "validation loss", "validation loss", _NATS, _L, EachEpoch()),
    Metric("val/accuracy", "validation accuracy", "validation accuracy", _SHARE, _H, EachEpoch()),
    Metric("val/f1", "validation F1", "macro F1 on validation, where `monitor` names it",
           _SHARE, _H, EachEpoch(mean=False, monitored=True)),
    Metric("generalization_gap", "generalization gap", "accuracy on a fixed part of train minus validation accuracy",
           _SHARE, _N, EachEpoch()),
    Metric("train/lr", "learning rate", "learning rate of the first parameter group",
           Unit.NUMBER, _N, EachEpoch(mean=False)),
    Metric("train/grad_norm", "gradient norm", "L2 norm of all gradients before clipping, mean over every tenth step",
           Unit.NUMBER, _N, EachEpoch(mean=False)),
    Metric("train/images_per_second", "images a second", "of this run's steps and its share of the stream",
           Unit.NUMBER, _H, EachEpoch(mean=False)),
    Metric("seconds", "time", "this run's share of the epoch, evaluation included",
           Unit.SECONDS, _L, EachEpoch(mean=False)),
)
PART_METRICS = _table(
    Metric("loss", "loss (nats)", "mean cross-entropy", _NATS, _L, Evaluated()),
    Metric("accuracy", "accuracy", "share of the images that are right", _SHARE, _H, Evaluated(), over_all=True),
    Metric("balanced_accuracy", "balanced accuracy", "mean recall", _SHARE, _H, Evaluated()),
    Metric("top5_accuracy", "top-5 accuracy", "share of the images whose class is among the five most probable",
           _SHARE, _H, Evaluated(), over_all=True),
    Metric("macro_precision", "precision, macro", "mean over the classes", _SHARE, _H, Evaluated()),
    Metric("macro_f1", "F1, macro", "mean over the classes", _SHARE, _H, Evaluated()),
    Metric("macro_specificity", "specificity, macro", "mean over the classes", _SHARE, _H, Evaluated()),
    Metric("macro_false_positive_rate", "false positive rate, macro", "mean over the classes",
           _SHARE, _L, Evaluated()),
    Metric("macro_roc_auc", "ROC AUC, macro", "mean over the classes", _SHARE, _H, Evaluated()),
    Metric("macro_average_precision", "average precision, macro", "mean over the classes", _SHARE, _H, Evaluated()),
    Metric("calibration_error", "expected calibration error", "mean distance of sureness and accuracy, over 15 bins",
           _SHARE, _L, Evaluated()),
    Metric("images", "images", "images of the part", _COUNT, _N, Evaluated()),
)
# fmt: on
