"""Does the initialization matter more in a deep network?

Run:      make ablations STUDY=inits
Outcome:  He against Xavier is undecided in eight layers too; weights drawn from 0 to 1 have a largest loss of the
          first epoch 19,500 above a small range's, and BatchNorm gains 27 points there, n = 5
"""

DEEP = [256, 256, 256, 256, 256, 256, 256, 256]
SMALL = {"a": -0.05, "b": 0.05}  # uniform_ itself draws from 0 to 1, its mean far from zero

# The questionnaire's claims: one run each, on images of its own. Quoted on these data sets alone.
QUOTED = {"claim_for": ["mnist5k", "cifar10"]}

STUDY = {
    "baseline": {
        "dataset": "mnist5k", "image_size": "native", "normalize": "train", "augment": [],
        "model": "mlp", "hidden": [256, 256], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default",
        "optimizer": "Adam", "lr": 1e-3, "weight_decay": 0.0, "batch_size": 128, "epochs": 30, "patience": 5,
    },
    "variants": {
        "xavier": {"init": "xavier_uniform"},
        "he": {"init": "kaiming_normal"},
        "uniform": {"init": "uniform"},
        "small_uniform": {"init": "uniform", "init_args": SMALL},
        "uniform+batchnorm": {"init": "uniform", "batch_norm": True},
        "deep": {"hidden": DEEP},
        "xavier_deep": {"init": "xavier_uniform", "hidden": DEEP},
        "he_deep": {"init": "kaiming_normal", "hidden": DEEP},
        "small_uniform_deep": {"init": "uniform", "init_args": SMALL, "hidden": DEEP},
    },
    "seeds": 5,
    "questions": [
        {"ask": "In the deep network, does He reach its best epoch sooner than Xavier?",
         "compare": ["he_deep", "xavier_deep"], "metric": "best_epoch", "expect": "less", "smallest": 1,
         "claim": "He is done after 14 epochs, Xavier after 21 (of other images)", **QUOTED},
        {"ask": "In the deep network, is He ahead of Xavier in the course of training?",
         "compare": ["he_deep", "xavier_deep"], "metric": "val_accuracy_area", "expect": "more", "smallest": 0.005,
         "claim": "with He, training is faster (of other images)", **QUOTED},
        {"ask": "In the deep network, is Xavier better than He all the same?",
         "compare": ["xavier_deep", "he_deep"], "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "better results with Xavier, although the network has ReLU (of other images)", **QUOTED},
        {"ask": "Does depth speak for He against Xavier?",
         "interaction": ["he_deep", "he", "xavier_deep", "xavier"],
         "metric": "val_accuracy_area", "expect": "more", "smallest": 0.005,
         "claim": "He makes up for the half that ReLU takes away, so that activations do not die out (of other images)",
         **QUOTED},
        {"ask": "Is it the range from 0 to 1 that makes the uniform initialization unstable?",
         "compare": ["uniform", "small_uniform"],
         "metric": "first_epoch_loss_max", "expect": "more", "smallest": 1.0,
         "claim": "only uniform was unstable, with a very large loss (of other images)", **QUOTED},
        {"ask": "Does BatchNorm help a network that begins uniform?",
         "compare": ["uniform+batchnorm", "uniform"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "BatchNorm mitigates vanishing and exploding gradients (of other images)", **QUOTED},
        {"ask": "Does a small uniform range hold in the deep network as He does?",
         "compare": ["small_uniform_deep", "he_deep"],
         "metric": "val/accuracy", "expect": "equal", "smallest": 0.01},
    ],
}  # fmt: skip
