"""Turns a request into finished runs: finds what is done, and trains what remains."""

from runner.execute._messages import Job, Message
from runner.execute._prepare import prepare_data, say_notes
from runner.execute._request import Outcome, Request
from runner.execute._script import check_script
from runner.execute._studies import check_places, execute

__all__ = [
    "Job",
    "Message",
    "Outcome",
    "Request",
    "check_places",
    "check_script",
    "execute",
    "prepare_data",
    "say_notes",
]
