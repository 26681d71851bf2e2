"""Which recipe of training helps a plain MLP: mixed images, a schedule, clipping or another loss?

Run:      make ablations STUDY=recipes
Outcome:  mixup (+1.3 points) and CutMix (+1.3) help; the squared loss is 3.0 points above cross-entropy; schedules and
          clipping are undecided, n = 5
"""

STUDY = {
    "baseline": {
        "dataset": "mnist5k", "normalize": "train", "model": "mlp", "hidden": [512, 256],
        "optimizer": "Adam", "lr": 1e-3, "batch_size": 128, "epochs": 20, "monitor": "val/accuracy",
    },
    "variants": {
        "mixup": {"mixup": 0.4},
        "cutmix": {"cutmix": 1.0},
        "cosine": {"schedule": "cosine", "warmup": 2},
        "step": {"schedule": "multistep", "schedule_args": {"milestones": [10, 15]}},
        "clipped": {"grad_clip": 1.0},
        "squared_loss": {"loss": "MSELoss"},
    },
    "seeds": 5,
    "questions": [
        {"ask": "Does mixup help?", "compare": ["mixup", "baseline"], "expect": "more", "smallest": 0.005},
        {"ask": "Does CutMix help?", "compare": ["cutmix", "baseline"], "expect": "more", "smallest": 0.005},
        {"ask": "Does a cosine schedule with warmup help?", "compare": ["cosine", "baseline"],
         "expect": "more", "smallest": 0.005},
        {"ask": "Is stepping the rate down as good as the cosine?", "compare": ["step", "cosine"],
         "expect": "equal", "smallest": 0.005},
        {"ask": "Does clipping the gradients change accuracy?", "compare": ["clipped", "baseline"],
         "smallest": 0.005},
        {"ask": "Do the squared loss and cross-entropy give equal accuracy?", "compare": ["squared_loss", "baseline"],
         "expect": "equal", "smallest": 0.005},
    ],
}  # fmt: skip
