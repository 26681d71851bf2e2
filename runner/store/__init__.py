"""Reads and writes run directories: states, run.json, result.json, study.json, epochs, tags and provenance."""
