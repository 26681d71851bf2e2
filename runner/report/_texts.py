"""What a study's page explains: how questions are judged, what intervals mean, what figures show."""

from __future__ import annotations

_JUDGED = (
    "Up to two things are tested for each question. *Difference*: its p is small where there is a difference. "
    "*Too small to matter*: where the question names the smallest difference that matters, this p is small if the "
    "true difference is smaller (two one-sided tests). The p-values of all questions' differences are corrected "
    "together by Holm, and so are those of all equivalences. Each of these two *families* has a false answer in "
    "at most 5% of studies.\n\n"
    "*Supported*: the corrected p of the difference is at most .05, and the effect has the expected direction. "
    "*Refuted*: it has the opposite direction. *Practically equivalent*: no difference is shown, and the "
    "corrected p of *too small to matter* is at most .05. *Undecided*: neither. Yes and no are about a difference "
    "from zero (of *equal*, about the margin). Where a smallest difference is named, they also say whether the "
    "difference is shown to be at least that large. *Leaning*: significant before the correction, but not after "
    "it.\n\n"
    "Where one variant is compared with several, the claim needs every comparison to be significant, so the "
    "question's p is the largest of their p-values. If some effects have the opposite direction, p is the "
    "smallest p-value of these times the number of comparisons (Bonferroni), and the question leans to refuted. "
    "The signed-rank p is Wilcoxon's and needs six differences that are not zero (-: too few). The correlation is "
    "that of the paired values over the seeds: where it is high, pairing makes the interval narrower."
)
JUDGED = _JUDGED + (
    "\n\nVerdicts are about new seeds on the same images, unless a question asks about new images. *New images* are "
    "other validation or test images from the same source; the train images stay. A decided answer about an "
    "accuracy says whether it also holds for new images, after the same correction. Seeds and images then both "
    "count as random (a crossed design)."
)
JUDGED_OF_OWN = _JUDGED + "\n\nVerdicts are about new seeds of these runs' own training and data."
FIXED = "Intervals are 95%, paired by seed, not corrected for the number of questions."
REDRAWN = (
    "Each seed draws its own train and validation images. So answers about validation are for new splits of these "
    "images too. Their intervals have Nadeau and Bengio's correction, because the splits overlap. Answers about test "
    "accuracy are for new seeds, new splits and new test images."
)
SEQUENTIAL = (
    "The runner looked after {looks} seeds. Each look tests at a part of the 5%: its new seeds divided by all "
    "{most} seeds. So a question's p is the t test's p divided by that part; of several looks the smallest "
    "counts. Looking often therefore does not raise the error rate. Intervals are those of the look with that p "
    "where the question is decided, else of its last look. They are wider than 95%, so that all intervals of a "
    "question, at all looks, contain the truth in 95% of studies. An estimate that was decided early is on "
    "average somewhat too large."
)

CAPTIONS = {
    "effects": "Green is significantly better than the baseline, red significantly worse, grey not significant: p at "
    "most .05 after Holm correction over the variants. Lines are 95% intervals, paired by seed, not corrected. The "
    "table of results gives n. The variants are a family of their own beside the questions: it has a false result in "
    "at most 5% of studies, so the figure or the questions err in at most 10%.",
    "curves": "Accuracy: the mean over the seeds with a 95% band. A seed that stopped early keeps its last value. Each "
    "panel ends with its longest run.",
    "losses": "Loss, drawn like accuracy above.",
    "levels": "Accuracy at the best epoch for each level of a numeric setting, with all other settings equal. Levels "
    "are drawn in equal steps. Points are means; bars are 95% t intervals over the seeds on validation, not corrected. "
    "Of more than six lines only one is drawn.",
    "classes": "Means over the seeds; the table above gives n. Bold: the 95% interval, paired by seed and not "
    "corrected, excludes 0. By chance alone one cell in twenty would be bold. A difference that is equal in all seeds "
    "has no interval.",
    "confusion": "Predictions on test images, all seeds pooled, without a significance test. Left: the baseline. "
    "Right: the variant with the highest validation accuracy minus the baseline, where that is another variant. Blue "
    "means more often than with the baseline, red less often. Off the diagonal, blue is worse.",
}
CAPTIONS_OF_OWN = {
    "curves": "Each metric over the steps: the mean over the seeds with a 95% band. Between its steps, and after its "
    "last one, a seed keeps the value before. The baseline is black. Of more than 12 variants, the best are drawn.",
    "levels": "The main metric for each level of a numeric setting, with all other settings equal. Levels are drawn in "
    "equal steps. Points are means; bars are 95% t intervals over the seeds, not corrected. Of more than six lines "
    "only one is drawn.",
}
ALT_OF_OWN = {
    "effects": "each variant's effect on the main metric, with its interval",
    "curves": "each metric over the steps, means with 95% bands",
    "levels": "the main metric at each level of a setting, with 95% intervals",
}
EFFECTS_OF_QUESTIONS = (
    "Green is better than the baseline, red worse: a question about this difference was answered with yes or no. "
    "Grey is undecided, practically equivalent, or not asked. Lines are the intervals of the questions. Where no "
    "question asks, they are 95% intervals over the seeds of the first look."
)
ALT = {
    "effects": "each variant's effect on validation accuracy, with its interval",
    "curves": "accuracy over the epochs, on a fixed part of train and on validation, means with 95% bands",
    "losses": "loss over the epochs, on a fixed part of train and on validation, means with 95% bands",
    "levels": "accuracy at each level of a setting, on a fixed part of train and on validation, with 95% intervals",
    "classes": "each class's test accuracy, minus the baseline's",
    "confusion": "confusion on test, and how it differs from the baseline's",
}
