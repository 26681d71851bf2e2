"""Which regularizer, and which initialization, helps a plain MLP?

Run:      make ablations                    MNIST-5k, 5 seeds
          make ablations DATASET=cifar10    CIFAR-10, 5 seeds
"""

AUGMENT = [
    {"HorizontalFlip": {"p": 0.5}},
    {"RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "p": 0.5}},
    {"Affine": {"translate_percent": [-0.0625, 0.0625], "scale": [0.9, 1.1], "rotate": [-15, 15], "p": 0.5}},
]

STUDY = {
    "baseline": {
        "dataset": "mnist5k", "image_size": "native", "normalize": "train", "augment": [],
        "model": "mlp", "hidden": [512, 256], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default",
        "optimizer": "Adam", "lr": 1e-3, "weight_decay": 0.0, "batch_size": 128, "epochs": 20, "patience": 5,
    },
    "variants": {
        "batchnorm": {"batch_norm": True},
        "dropout": {"dropout": 0.5},
        "batchnorm+dropout": {"batch_norm": True, "dropout": 0.5},
        "weight_decay": {"weight_decay": 1e-4},
        "augmentation": {"augment": AUGMENT},
        "xavier": {"init": "xavier_uniform"},
        "he": {"init": "kaiming_normal"},
        "uniform": {"init": "uniform"},
        "constant": {"init": "constant", "init_args": {"val": 0.01}},
    },
    "seeds": 5,
    "questions": [
        {"ask": "Is BatchNorm with Dropout worse than either alone?",
         "compare": ["batchnorm+dropout", ["batchnorm", "dropout"]],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "60.8% together, 63.5% and 64.6% alone"},
        {"ask": "Does He initialization reach its best epoch sooner than Xavier?",
         "compare": ["he", "xavier"], "metric": "best_epoch", "expect": "less", "smallest": 1,
         "claim": "He is done after 14 epochs, Xavier after 21"},
    ],
}  # fmt: skip
