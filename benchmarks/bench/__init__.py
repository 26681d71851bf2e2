"""Compares the time of a study with that of other tools, and with what the machine could do: `make bench`.

study.py        the study, and the images
contestants.py  runs one tool on it, as a process of its own
plain_loop.py, lightning_loop.py, ray_tune.py    the other tools; peers.py is what they share
logged.py       reads the times and accuracies in the event files that a tool has written
accuracy.py     checks that all tools train equally well
limit.py        the fastest that the machine could be
fixed.py, unlogged.py    what a study costs before, after and beside training
measured.py     what was measured, and what follows from it
page.py         writes docs/benchmark.md
"""
