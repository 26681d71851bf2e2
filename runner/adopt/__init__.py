"""Runs that other programs logged to studies: event files or a table of results become run directories.

It loads no torch, and changes nothing where the logs are.
"""

from runner.adopt._adopt import Adopted, AdoptRequest, adopt

__all__ = ["AdoptRequest", "Adopted", "adopt"]
