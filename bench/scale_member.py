"""A member that waits instead of computing, so that the queue's own cost is seen however few cores there are."""

import time

from twin.process import Progress

SECONDS = 0.5
"""How long a member takes [s]."""


def wait(task: float, progress: Progress) -> float:
    """Return when the member was done [s since 1970], after ``task`` [s]."""
    end = time.monotonic() + task
    while (left := end - time.monotonic()) > 0.0:
        progress.report(1.0 - left / task, "")
        time.sleep(min(left, 0.05))
    return time.time()
