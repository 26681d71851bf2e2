"""What do image size, colour and normalization change for an MLP?

Run:      make ablations STUDY=images
Outcome:  normalizing gains 1.1 points of mean accuracy in the course of training; its effect at the best epoch is
          undecided, as are 16 and 64 pixels against 28, and gray against RGB, n = 5
"""

# The questionnaire's claims: one run each, on images of its own. Quoted on these data sets alone.
QUOTED = {"claim_for": ["mnist5k", "cifar10"]}

STUDY = {
    "baseline": {
        "dataset": "mnist5k", "image_size": "native", "normalize": "train", "augment": [],
        "model": "mlp", "hidden": [512, 256], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default",
        "optimizer": "Adam", "lr": 1e-3, "weight_decay": 0.0, "batch_size": 128, "epochs": 30, "patience": 5,
    },
    # Gray and RGB are both named, so that they differ on every data set; one of them is what it comes in.
    "factors": {"image_size": [16, 64], "channels": [1, 3], "normalize": ["none"]},
    "seeds": 5,
    "questions": [
        {"ask": "Is anything gained by enlarging the images to 64 pixels?",
         "compare": ["image_size=64", "baseline"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "an input size of 64 is part of the best combination found (of other images)", **QUOTED},
        {"ask": "Is accuracy lost by shrinking them to 16 pixels?",
         "compare": ["image_size=16", "baseline"],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005},
        {"ask": "Is accuracy lost by going from RGB to gray?",
         "compare": ["channels=1", "channels=3"],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "only the input layer changes, from 3 to 1 channel (of other images)", **QUOTED},
        {"ask": "Is the network ahead in the course of training where images are normalized?",
         "compare": ["baseline", "normalize=none"],
         "metric": "val_accuracy_area", "expect": "more", "smallest": 0.005,
         "claim": "normalization makes training converge fast and stably (of other images)", **QUOTED},
        {"ask": "Does normalizing make accuracy higher at the best epoch?",
         "compare": ["baseline", "normalize=none"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005},
    ],
}  # fmt: skip
