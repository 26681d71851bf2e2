"""Which activation is best, and does depth change that?

Run:      make ablations STUDY=activations
Outcome:  depth costs sigmoid 60 points more than ReLU, and tanh 1.3 less; BatchNorm gives deep sigmoids 62 points;
          whether ReLU is better than sigmoid and tanh is undecided, n = 5
"""

DEEP = [256, 256, 256, 256, 256, 256, 256, 256]

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
        "gelu": {"activation": "gelu"},
        "tanh": {"activation": "tanh"},
        "sigmoid": {"activation": "sigmoid"},
        "relu_deep": {"hidden": DEEP},
        "gelu_deep": {"activation": "gelu", "hidden": DEEP},
        "tanh_deep": {"activation": "tanh", "hidden": DEEP},
        "sigmoid_deep": {"activation": "sigmoid", "hidden": DEEP},
        "sigmoid_deep+batchnorm": {"activation": "sigmoid", "hidden": DEEP, "batch_norm": True},
    },
    "seeds": 5,
    "questions": [
        {"ask": "Is ReLU better than sigmoid and tanh in two layers?",
         "compare": ["baseline", ["sigmoid", "tanh"]],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "sigmoid and tanh make fine details hard to learn: their derivative is almost zero at the ends (of other images)",
         **QUOTED},
        {"ask": "Is ReLU better than sigmoid and tanh in eight layers?",
         "compare": ["relu_deep", ["sigmoid_deep", "tanh_deep"]],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "ReLU avoids vanishing gradients in deep layers (of other images)", **QUOTED},
        {"ask": "Does depth hurt sigmoid more than ReLU?",
         "interaction": ["sigmoid_deep", "sigmoid", "relu_deep", "baseline"],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "ReLU avoids vanishing gradients in deep layers (of other images)", **QUOTED},
        {"ask": "Does depth hurt tanh more than ReLU?",
         "interaction": ["tanh_deep", "tanh", "relu_deep", "baseline"],
         "metric": "val/accuracy", "expect": "less", "smallest": 0.005,
         "claim": "ReLU avoids vanishing gradients in deep layers (of other images)", **QUOTED},
        {"ask": "Does BatchNorm help a deep network of sigmoids?",
         "compare": ["sigmoid_deep+batchnorm", "sigmoid_deep"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "were vanishing gradients a problem, BatchNorm would mitigate them (of other images)", **QUOTED},
        {"ask": "Is GELU as good as ReLU, within half a point?",
         "compare": ["gelu", "baseline"],
         "metric": "val/accuracy", "expect": "equal", "smallest": 0.005},
    ],
}  # fmt: skip
