"""How much weight decay helps, and is it the same in Adam and in AdamW?

Run:      make ablations STUDY=weight_decay
Outcome:  no strength is significantly different from none on 5,000 images; AdamW's 0.01 is the same as none within
          half a point, n = 5
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
    "factors": {"weight_decay": [1e-5, 1e-4, 1e-3, 1e-2]},
    "variants": {
        # AdamW takes lr * weight_decay off each weight a step: over all 840 steps 0.8% with 0.01 and 57% with 1; up to the
        # best epoch, where early stopping looks back to, less (0.3 and 35% on MNIST).
        "adamw=0.01": {"optimizer": "AdamW", "weight_decay": 1e-2},
        "adamw=1": {"optimizer": "AdamW", "weight_decay": 1.0},
    },
    "seeds": 5,
    "questions": [
        {"ask": "Does weight decay of 0.0001 in Adam raise accuracy?",
         "compare": ["weight_decay=0.0001", "baseline"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "weight decay of 0.0001 is part of the best combination found (of other images)", **QUOTED},
        {"ask": "Which weight decay is best?",
         "best_of": ["baseline", "weight_decay=1e-05", "weight_decay=0.0001", "weight_decay=0.001",
                     "weight_decay=0.01", "adamw=0.01", "adamw=1"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005},
        # Not a trend over the levels: 0.01 stands far from the others, and would decide any slope alone.
        {"ask": "Does weight decay of 0.01 in Adam shrink the generalization gap?",
         "compare": ["weight_decay=0.01", "baseline"],
         "metric": "generalization_gap", "expect": "less", "smallest": 0.005,
         "claim": "a model that fits too closely has large weights, and regularization can penalize them (of other images)",
         **QUOTED},
        {"ask": "Is weight decay of 0.01 something else in AdamW than in Adam?",
         "compare": ["adamw=0.01", "weight_decay=0.01"],
         "metric": "generalization_gap", "expect": "different", "smallest": 0.005,
         "claim": "L2 (weight decay) adds a term to the loss that penalizes large weights (of other images)",
         **QUOTED},
        {"ask": "Is AdamW's usual weight decay of 0.01 the same as none, within half a point?",
         "compare": ["adamw=0.01", "baseline"],
         "metric": "val/accuracy", "expect": "equal", "smallest": 0.005},
    ],
}  # fmt: skip
