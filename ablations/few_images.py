"""What do few images a class cost, and does augmentation make up for them?

Run:      make ablations STUDY=few_images
Outcome:  10 images a class cost 16 points; flips, shifts, scales, rotations and contrast together cost 6 more there,
          n = 5
"""

AUGMENT = [
    {"HorizontalFlip": {"p": 0.5}},
    {"RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "p": 0.5}},
    {"Affine": {"translate_percent": [-0.0625, 0.0625], "scale": [0.9, 1.1], "rotate": [-15, 15], "p": 0.5}},
]

# The questionnaire's claims: one run each, on images of its own. Quoted on these data sets alone.
QUOTED = {"claim_for": ["mnist5k", "cifar10"]}

STUDY = {
    "baseline": {  # small batches and more epochs: 100 images are one batch of 128, and so one step an epoch
        "dataset": "mnist5k", "image_size": "native", "normalize": "train", "augment": [], "images_per_class": 0,
        "model": "mlp", "hidden": [512, 256], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default",
        "optimizer": "Adam", "lr": 1e-3, "weight_decay": 0.0, "batch_size": 32, "epochs": 60, "patience": 10,
    },
    "variants": {
        "10_a_class": {"images_per_class": 10},
        "30_a_class": {"images_per_class": 30},
        "100_a_class": {"images_per_class": 100},
        "10_a_class+augmentation": {"images_per_class": 10, "augment": AUGMENT},
        "100_a_class+augmentation": {"images_per_class": 100, "augment": AUGMENT},
        "10_a_class+dropout": {"images_per_class": 10, "dropout": 0.5},
    },
    "seeds": 5,
    "questions": [
        {"ask": "Is accuracy lower with 10 images a class than with 30, 100 or all?",
         "compare": ["10_a_class", ["30_a_class", "100_a_class", "baseline"]],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "with few images a class the model would find it very hard to generalize (of other images)",
         **QUOTED},
        {"ask": "Is the generalization gap larger with 10 images a class than with all?",
         "compare": ["10_a_class", "baseline"],
         "metric": "generalization_gap", "expect": "more", "smallest": 0.01,
         "claim": "it could lead to overfitting (of other images)", **QUOTED},
        {"ask": "Does augmentation help with 10 images a class?",
         "compare": ["10_a_class+augmentation", "10_a_class"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005},
        {"ask": "Does it help more with 10 images a class than with 100?",
         "interaction": ["10_a_class+augmentation", "10_a_class", "100_a_class+augmentation", "100_a_class"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005},
        {"ask": "Does Dropout help with 10 images a class?",
         "compare": ["10_a_class+dropout", "10_a_class"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005},
    ],
}  # fmt: skip
