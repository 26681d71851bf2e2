"""What is done, what is left, and doing it: from a request to finished runs."""

from runner.execute.request import Outcome, Request, execute

__all__ = ["Outcome", "Request", "execute"]
