"""Writes what TensorBoard shows: runs, means over seeds, columns of hparams. No other room writes events."""
