"""What is done, what remains, and doing it: from a request to finished runs."""

from runner.execute.request import Outcome, Request
from runner.execute.studies import execute

__all__ = ["Outcome", "Request", "execute"]
