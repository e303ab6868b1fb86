"""What every engine of the traces bench is asked, and how it is timed: standard library and numpy only.

The case is a file of arrays: ``starts`` and ``ends`` of the links, drawn downhill, ``weights``, ``valves`` (nodes),
``outfall`` (lowest node), ``top`` (a node far from it), ``broken`` (links).
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Task = Callable[[], Any]
REPEATS = 5


def read_arrays() -> Arrays:
    """Return the arrays of the file that the case on standard input names."""
    with np.load(json.loads(sys.stdin.read())["file"]) as file:
        return dict(file)


def report_tasks(tasks: dict[str, Task], answer: dict[str, Callable[[Any], Any]]) -> None:
    """Run each task once for its answer and then for its shortest time [s], and print both.

    answer: of the tasks whose result is more than the answer to compare.
    """
    told: dict[str, dict[str, Any]] = {}
    for name, task in tasks.items():
        result = task()
        found = answer[name](result) if name in answer else result
        del result
        times: list[float] = []
        # What takes seconds is not noise.
        while len(times) < REPEATS and sum(times) < 2.0:
            begin = time.perf_counter()
            task()
            times.append(time.perf_counter() - begin)
        told[name] = {"answer": found, "time": min(times)}
    sys.stdout.write(json.dumps(told) + "\n")


def find_valves(neighbours: Callable[[int], Iterable[int]], is_valve: list[bool], broken: tuple[int, int]) -> list[int]:
    """Return the valves around a broken link by a walk breadth-first, without those that lie inside altogether."""
    inside = {node for node in broken if not is_valve[node]}
    touched = {node for node in broken if is_valve[node]}
    todo = list(inside)
    while todo:
        for node in neighbours(todo.pop()):
            if is_valve[node]:
                touched.add(node)
            elif node not in inside:
                inside.add(node)
                todo.append(node)
    return sorted(
        valve
        for valve in touched
        if any(node not in inside and {valve, node} != set(broken) for node in neighbours(valve))
    )
