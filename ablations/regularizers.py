"""How much Dropout helps, and does it get along with BatchNorm?

Run:      make ablations STUDY=regularizers
Outcome:  whether BatchNorm with Dropout 0.1 is worse than either alone is undecided; BatchNorm takes 1.4 points off
          the generalization gap, n = 5
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
    "factors": {"dropout": [0.1, 0.3, 0.5], "batch_norm": [True]},
    "design": "factorial",
    "seeds": 5,
    "questions": [
        # The very networks of the questionnaire: its Dropout was 0.1.
        {"ask": "Is BatchNorm with Dropout 0.1 worse than either alone?",
         "compare": ["dropout=0.1,batch_norm=True", ["batch_norm=True", "dropout=0.1"]],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "60.8% together, 63.5% with BatchNorm alone, 64.6% with Dropout 0.1 alone (of other images)",
         **QUOTED},
        {"ask": "Do BatchNorm and Dropout 0.1 gain less together than the sum of each?",
         "interaction": ["dropout=0.1,batch_norm=True", "dropout=0.1", "batch_norm=True", "baseline"],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "Dropout adds noise after BatchNorm's normalization, and the combination is counterproductive (of other images)",
         **QUOTED},
        {"ask": "Is the network without regularization better than each with Dropout 0.1 or BatchNorm?",
         "compare": ["baseline", ["batch_norm=True", "dropout=0.1", "dropout=0.1,batch_norm=True"]],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "68.5% without, 63.5%, 64.6% and 60.8% with (of other images)", **QUOTED},
        {"ask": "Does accuracy rise with the rate of Dropout, along a straight line?",
         "trend": "dropout", "metric": "val/accuracy", "expect": "more", "smallest": 0.01},
        {"ask": "Does the generalization gap shrink with the rate of Dropout, along a straight line?",
         "trend": "dropout", "metric": "generalization_gap", "expect": "less", "smallest": 0.02,
         "claim": "noise in training makes the model tolerant and favours generalization (of other images)",
         **QUOTED},
        {"ask": "Does BatchNorm shrink the generalization gap?",
         "compare": ["batch_norm=True", "baseline"],
         "metric": "generalization_gap", "expect": "less", "smallest": 0.005,
         "claim": "yes, it acts as a regularizer: the batches' statistics bring in noise (of other images)",
         **QUOTED},
    ],
}  # fmt: skip
