"""Ray as an engine: workers on other machines, without a file system that they share. Importing it loads no Ray."""

from runner.execute.cluster._connect import connected, ray_problems

__all__ = ["connected", "ray_problems"]
