"""Turns a request into finished runs: finds what is done, and trains what remains."""

from runner.execute.request import Outcome, Request
from runner.execute.studies import execute

__all__ = ["Outcome", "Request", "execute"]
