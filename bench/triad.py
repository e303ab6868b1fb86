"""How fast this machine's memory is: the triad a = b + s c of STREAM (McCalpin 1995), compiled, on some threads."""

import time

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BYTES_AN_ELEMENT = 24.0
"""Two values read and one written, as STREAM counts; that a cache may read the line it is to write is not counted."""


def measure_triad(threads: int, *, megabytes: int = 600, tries: int = 9) -> float:
    """Return the best bytes a second [B/s] of ``tries`` on ``threads`` threads over three arrays, larger than caches.

    Fewer threads than asked for are used where the machine has fewer.
    """
    count = megabytes * 1_000_000 // int(BYTES_AN_ELEMENT)
    a, b, c = np.zeros(count), np.full(count, 1.0), np.full(count, 2.0)
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    try:
        best = min(_time_pass(a, b, c) for _ in range(tries + 1))
    finally:
        numba.set_num_threads(before)
    return BYTES_AN_ELEMENT * count / best


def _time_pass(a: Array, b: Array, c: Array) -> float:
    began = time.perf_counter()
    _run_pass(a, b, c, 3.0)
    return time.perf_counter() - began


@numba.njit(parallel=True, cache=False)  # type: ignore[untyped-decorator, unused-ignore]
def _run_pass(a: Array, b: Array, c: Array, scale: float) -> None:
    for k in numba.prange(a.size):
        a[k] = b[k] + scale * c[k]
