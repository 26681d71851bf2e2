"""The run directory: states, run.json and result.json, study.json, epochs, tags, provenance. No torch, no TensorBoard."""
