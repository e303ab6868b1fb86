"""How the loops of this package become machine code: on first use, kept beside the sources, without the interpreter's
lock.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compile_loop(function: Function) -> Function:
    """Return the compiled function; it takes and gives arrays and numbers only."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))
