"""The measurements that docs/questions.md cites; `python -m benchmarks.questions` repeats them all."""
