"""Measurements that docs/questions.md cites: `python -m benchmarks.questions` makes them all anew."""
