"""Which regularizer, and which initialization, helps a plain MLP?

Run:      make ablations                    MNIST-5k, 5 seeds: 3 minutes on 2 cores
          make ablations DATASET=cifar10    CIFAR-10, 5 seeds: about an hour (48 minutes to 1.7 hours)
Outcome:  on CIFAR-10 BatchNorm with Dropout 0.5 is 1.9 points better than BatchNorm and 7.7 better than Dropout; it is
          best on average, but not significantly better than augmentation (n = 5); with 12 fresh seeds Xavier is 0.65
          points better than He; on MNIST both stay undecided, also with 27 seeds
"""

AUGMENT = [
    {"HorizontalFlip": {"p": 0.5}},
    {"RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "p": 0.5}},
    {"Affine": {"translate_percent": [-0.0625, 0.0625], "scale": [0.9, 1.1], "rotate": [-15, 15], "p": 0.5}},
]

# The questionnaire's claims (docs/questions.md): one run each, on images of its own. Quoted on these data sets alone.
QUOTED = {"claim_for": ["mnist5k", "cifar10"]}

STUDY = {
    "baseline": {
        "dataset": "mnist5k", "image_size": "native", "normalize": "train", "augment": [],
        "model": "mlp", "hidden": [512, 256], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default",
        "optimizer": "Adam", "lr": 1e-3, "weight_decay": 0.0, "batch_size": 128, "epochs": 30, "patience": 5,
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
         "claim": "60.8% together, 63.5% and 64.6% alone (dropout 0.1) (of other images)", **QUOTED},
        {"ask": "Do BatchNorm and Dropout gain less together than the sum of each?",
         "interaction": ["batchnorm+dropout", "batchnorm", "dropout", "baseline"],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "the combination is counterproductive (of other images)", **QUOTED},
        {"ask": "Is the network without regularization better than each regularized one?",
         "compare": ["baseline", ["batchnorm", "dropout", "batchnorm+dropout"]],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "68.5% without, 63.5%, 64.6% and 60.8% with (of other images)", **QUOTED},
        {"ask": "Which regularizer is best?",
         "best_of": ["baseline", "batchnorm", "dropout", "batchnorm+dropout", "weight_decay", "augmentation"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "dropout, weight decay and augmentation together (of other images)", **QUOTED},
        {"ask": "Is the network with BatchNorm ahead in the course of training?",
         "compare": ["batchnorm", "baseline"],
         "metric": "val_accuracy_area", "expect": "more", "smallest": 0.005,
         "claim": "training was not notably accelerated (of other images)", **QUOTED},
        {"ask": "Does the training loss fall more slowly with BatchNorm?",
         "compare": ["batchnorm", "baseline"],
         "metric": "train_loss_area", "expect": "more", "smallest": 0.01,
         "claim": "it decays more smoothly and more slowly (of other images)", **QUOTED},
        {"ask": "Does the training loss fall more smoothly with BatchNorm?",
         "compare": ["batchnorm", "baseline"],
         "metric": "train_roughness", "expect": "less", "smallest": 0.05,
         "claim": "it takes smaller jumps from one iteration to the next (of other images)", **QUOTED},
        {"ask": "Does augmentation shrink the generalization gap?",
         "compare": ["augmentation", "baseline"],
         "metric": "generalization_gap", "expect": "less", "smallest": 0.01,
         "claim": "augmentation reduces overfitting (of other images)", **QUOTED},
        {"ask": "Does He initialization reach its best epoch sooner than Xavier?",
         "compare": ["he", "xavier"], "metric": "best_epoch", "expect": "less", "smallest": 1,
         "claim": "He is done after 14 epochs, Xavier after 21 (of other images)", **QUOTED},
        {"ask": "Is Xavier better than He all the same?",
         "compare": ["xavier", "he"], "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "better results with Xavier, although the network has ReLU (of other images)", **QUOTED},
        {"ask": "Is the plain uniform initialization the worst of the three?",
         "compare": ["uniform", ["xavier", "he"]], "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "uniform gives the worst results (of other images)", **QUOTED},
        {"ask": "Is the plain uniform initialization unstable?",
         "compare": ["uniform", ["baseline", "xavier", "he"]],
         "metric": "first_epoch_loss_max", "expect": "more", "smallest": 1.0,
         "claim": "only uniform was unstable, with a very large loss (of other images)", **QUOTED},
    ],
}  # fmt: skip
