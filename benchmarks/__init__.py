"""Timings and measurements, run by hand; nothing of the runner needs them."""
