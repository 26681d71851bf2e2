"""Do two names for the same settings come out as different? They must in 5% of the comparisons, and no more.

Run:      make calibrate                   960 runs on MNIST-5k, 12 seeds; evaluated in docs/calibration.md
Outcome:  1 of 40 pairs is called different at .05 with 5 seeds, 3 of 40 at looks after 5, 8 and 12 seeds
"""

STUDY = {
    "baseline": {
        "dataset": "mnist5k", "normalize": "train",
        "model": "mlp", "hidden": [128],
        "optimizer": "Adam", "lr": 1e-3, "batch_size": 128, "epochs": 6,
    },
    # Each draws new random numbers: 80 arms make 40 pairs that have nothing in common.
    "variants": {f"stream_{number}": {"stream": number} for number in range(1, 80)},
    "seeds": 12,
}  # fmt: skip
