"""TensorBoard's event files: finds, reads and writes them, their scalars and their hparams. It loads no torch."""

from runner.events._hparams import Hparam, SessionStart, hparams, read_session_start, session_end, session_start
from runner.events._records import MARK, Torn, event_files, framed, is_event_file, masked_crc, records, write_events
from runner.events._scalars import Scalars, Steps, read_scalars
from runner.events._values import scalar_events, summary_event, text_summary

__all__ = [
    "MARK",
    "Hparam",
    "Scalars",
    "SessionStart",
    "Steps",
    "Torn",
    "event_files",
    "framed",
    "hparams",
    "is_event_file",
    "masked_crc",
    "read_scalars",
    "read_session_start",
    "records",
    "scalar_events",
    "session_end",
    "session_start",
    "summary_event",
    "text_summary",
    "write_events",
]
