"""One way to compile a kernel, so that every loop follows the same floating point rules."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# NaN and the sign of zero carry no meaning inside a kernel (inputs are checked before, volumes after), which lets
# minima and maxima vectorise. Sums are not reordered: a mirrored domain must give the mirrored flood.
_ROW_MATHS = {"nnan", "nsz", "contract"}


def compile_row(function: Function) -> Function:
    """Compile a kernel over the 1-D views of one row, with the floating point freedom that vectorises it."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_ROW_MATHS)(function))


def compile_loop(function: Function) -> Function:
    """Compile a loop around the row kernels with strict floating point."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
