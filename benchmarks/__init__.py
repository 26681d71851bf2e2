"""Timings and measurements that you run by hand; the runner does not need them."""
