"""What does the batch size change: accuracy, speed or stability?

Run:      make ablations STUDY=batch_size
Outcome:  batches of 32 are 1.7 points better than 512, reach 90% three epochs sooner and take 14 s longer, n = 5
"""

# The questionnaire's claims: one run each, on images of its own. Quoted on these data sets alone.
QUOTED = {"claim_for": ["mnist5k", "cifar10"]}

STUDY = {
    "baseline": {  # no early stopping: every run takes its 30 epochs, so that times and last epochs can be compared
        "dataset": "mnist5k", "image_size": "native", "normalize": "train", "augment": [],
        "model": "mlp", "hidden": [512, 256], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default",
        "optimizer": "Adam", "lr": 1e-3, "weight_decay": 0.0, "batch_size": 128, "epochs": 30, "patience": 0,
    },
    "variants": {
        "batch=32": {"batch_size": 32},
        "batch=512": {"batch_size": 512},
        "batch=512,lr=0.004": {"batch_size": 512, "lr": 4e-3},  # a quarter of 128's steps, each four times as long
    },
    "seeds": 5,
    "questions": [
        {"ask": "Do batches of 32 generalize better than batches of 512?",
         "compare": ["batch=32", "batch=512"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005,
         "claim": "small batches generalize better, as they can escape from poor minima (of other images)", **QUOTED},
        {"ask": "Do batches of 32 need fewer epochs to 90% than batches of 512?",
         "compare": ["batch=32", "batch=512"],
         "metric": "epochs_to", "accuracy": 0.9, "expect": "less", "smallest": 1},
        {"ask": "Does a learning rate four times as large make batches of 512 as fast in epochs as batches of 128?",
         "compare": ["batch=512,lr=0.004", "baseline"],
         "metric": "epochs_to", "accuracy": 0.9, "expect": "equal", "smallest": 1},
        {"ask": "Are batches of 512 faster than batches of 32?",
         "compare": ["batch=512", "batch=32"],
         "metric": "seconds", "expect": "less", "smallest": 0.5,
         "claim": "large batches use the hardware's parallelism better, so they are faster (of other images)",
         **QUOTED},
        {"ask": "Is validation loss rougher with batches of 32 than with 512?",
         "compare": ["batch=32", "batch=512"],
         "metric": "late_spread", "expect": "more", "smallest": 0.002,
         "claim": "small batches give noisier gradients and are more irregular (of other images)", **QUOTED},
    ],
}  # fmt: skip
