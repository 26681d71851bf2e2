"""The run directory: its states, run.json, result.json, study.json, epochs, tags and provenance; without torch."""
