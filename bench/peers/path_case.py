"""What every engine of the routing bench is asked, and how it is timed: standard library and numpy only.

The case is a file of arrays: ``tails``, ``heads``, ``costs`` [s] of the arcs, by tail; ``xy`` [m] of the nodes;
``pairs`` (n, 2), ``origins`` and ``points`` nodes to ask for; ``limit`` [s] of an isochrone; ``closed`` arcs.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Arrays = dict[str, Any]
ONE, AREA, MATRIX = "one-to-one", "isochrone of 15 minutes", "matrix 500 × 500"
BUDGET_S = 4.0


def read_arrays() -> Arrays:
    """Return the arrays of the file that the case on standard input names."""
    with np.load(json.loads(sys.stdin.read())["file"]) as file:
        return dict(file)


def report_questions(
    case: Arrays,
    *,
    one: Callable[[int, int], float],
    area: Callable[[int], int],
    rows: Callable[[list[int], list[int]], Any],
    times: dict[str, float] | None = None,
) -> None:
    """Ask pairs, areas and rows of the matrix, and print answers and CPU seconds, of the matrix for all its rows.

    one: the cost of the cheapest way. area: how many nodes lie within ``limit``. rows: costs from sources to targets. A
    slow engine is asked as much as fits into its budget. times: what else was measured [s].
    """
    points = case["points"].tolist()
    step = 10 if len(points) > 10 else 1
    told = {
        ONE: _ask([(int(a), int(b)) for a, b in case["pairs"]], lambda pair: [one(*pair)]),
        AREA: _ask(case["origins"].tolist(), lambda origin: [area(origin)]),
    }
    # First everything at once; who takes too long for that is asked in parts.
    parts = [points[k : k + step] for k in range(0, len(points), step)]
    begin = time.process_time()
    first = [float(value) for value in np.asarray(rows(parts[0], points)).ravel()]
    if (time.process_time() - begin) * len(parts) < 4 * BUDGET_S:
        begin = time.process_time()
        first = [float(value) for value in np.asarray(rows(points, points)).ravel()]
        told[MATRIX] = {"answers": first, "time": time.process_time() - begin}
    else:
        part = _ask(parts, lambda part: np.asarray(rows(part, points)).ravel().tolist())
        told[MATRIX] = {"answers": part["answers"], "time": part["time"] * len(parts)}
    for name, seconds in (times or {}).items():
        told[name] = {"answers": [], "time": seconds}
    sys.stdout.write(json.dumps(told) + "\n")


def measure(task: Callable[[], object], repeats: int = 5) -> float:
    """Return the least CPU seconds of a task."""
    least = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        task()
        least = min(least, time.process_time() - begin)
    return least


def _ask(questions: Sequence[Any], ask: Callable[[Any], list[float]]) -> dict[str, Any]:
    """Return the answers and the CPU seconds a question; the first, asked once more, is not counted."""
    ask(questions[0])
    answers: list[float] = []
    begin, count = time.process_time(), 0
    for question in questions:
        answers += ask(question)
        count += 1
        if time.process_time() - begin > BUDGET_S:
            break
    return {"answers": answers, "time": (time.process_time() - begin) / count}
