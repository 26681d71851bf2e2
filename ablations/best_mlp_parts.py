"""What does each ingredient of a good network of fully connected layers contribute?

Run:      make ablations STUDY=best_mlp_parts         CIFAR-10, 3 seeds: about 2.5 hours on 2 cores

Each variant takes one ingredient away from the same network, or adds one, and all train for the same 25 epochs, a
fraction of what `best_mlp` takes: what helps against overfitting shows its worth later than here.
"""

FLIP = {"HorizontalFlip": {"p": 0.5}}
# Shifts by up to 4 pixels (He et al. 2016, section 4.2): a crop from the padded image.
SHIFT = [{"PadIfNeeded": {"min_height": 40, "min_width": 40}}, {"RandomCrop": {"height": 32, "width": 32}}]
# The same shifts, with 10% of scale and 10 degrees of turn
DEFORM = {"Affine": {"translate_percent": [-0.125, 0.125], "scale": [0.9, 1.1], "rotate": [-10, 10], "p": 1.0}}
# A square of a quarter of the side goes gray (DeVries & Taylor 2017).
CUTOUT = {
    "CoarseDropout": {"num_holes_range": [1, 1], "hole_height_range": [8, 8], "hole_width_range": [8, 8], "fill": 120,
                      "p": 1.0},
}  # fmt: skip

STUDY = {
    "baseline": {
        "dataset": "cifar10", "image_size": "native", "normalize": "train", "augment": [FLIP, *SHIFT],
        "model": "mlp", "hidden": [2048, 1024, 512], "activation": "gelu", "batch_norm": True, "dropout": 0.1,
        "optimizer": "AdamW", "lr": 2e-3, "weight_decay": 0.05, "schedule": "one_cycle", "label_smoothing": 0.1,
        "precision": "bfloat16", "batch_size": 512, "epochs": 25,
    },
    "factors": ["batch_norm", "dropout", "augment", "schedule", "label_smoothing", "weight_decay", "activation",
                "normalize"],
    "design": "leave_one_out",
    "variants": {
        "without_shifts": {"augment": [FLIP]},
        "half_the_width": {"hidden": [1024, 512, 256]},
        "with_cutout": {"augment": [FLIP, *SHIFT, CUTOUT]},
        "with_deformations": {"augment": [FLIP, DEFORM]},
        "with_dropout_0.3": {"dropout": 0.3},
        "with_average": {"weight_average": 0.998},
    },
    "seeds": 5,
    "questions": [
        {"ask": f"Does {name} help?",
         "compare": ["baseline", without], "metric": "val/accuracy", "expect": "more", "smallest": 0.005}
        for name, without in (
            ("BatchNorm", "without_batch_norm"), ("Dropout of 0.1", "without_dropout"),
            ("augmentation", "without_augment"), ("shifting images", "without_shifts"),
            ("the one-cycle schedule", "without_schedule"), ("label smoothing", "without_label_smoothing"),
            ("weight decay", "without_weight_decay"), ("GELU in ReLU's place", "without_activation"),
            ("normalizing the images", "without_normalize"), ("twice the width", "half_the_width"),
        )
    ] + [
        {"ask": f"Does it help to {name}?",
         "compare": [added, "baseline"], "metric": "val/accuracy", "expect": "more", "smallest": 0.005}
        for name, added in (
            ("cut out a square", "with_cutout"), ("scale and turn images too", "with_deformations"),
            ("drop out 0.3 instead of 0.1", "with_dropout_0.3"), ("average the weights", "with_average"),
        )
    ],
}  # fmt: skip
