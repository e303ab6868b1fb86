"""What every assignment program is asked, and how it is timed: standard library and numpy only.

The case is a file of arrays as ``bench.assignment_cases`` makes them. The answer is the CPU seconds of the assignment
alone, on one core, and a file with the flow of each link. A program that takes more than its CPU seconds is ended by
the system, so that a busy machine spoils no measurement.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

_SHORT, _AGAIN = 0.1, 100


def answer(assign: Callable[[dict[str, Any], float], Callable[[], Any]]) -> None:
    """Read the case, let ``assign`` make all ready, time what it returns and write the flows that this returns."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (asked["cpu_limit"], asked["cpu_limit"]))
    with np.load(asked["file"]) as file:
        case = {name: file[name] for name in file.files}
    work = assign(case, float(asked["gap"]))
    flows, spent = _time(work)
    # The clock of a process ticks in hundredths of a second: what is over sooner is done many times.
    if spent < _SHORT:
        times = [_time(work)[1] for _ in range(_AGAIN)]
        spent = sum(times) / len(times)
    np.save(asked["flows"], np.asarray(flows, np.float64))
    sys.stdout.write("\n" + json.dumps({"cpu_s": spent}) + "\n")


def _time(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    done = work()
    return done, time.process_time() - began
