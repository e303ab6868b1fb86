"""How a command that leaves something half done is told to end."""

import signal
from typing import Any


def end_cleanly() -> None:
    """Take a supervisor's request to end as Ctrl-C: what was begun is cleaned up."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
