"""One way to compile a kernel, so that every loop follows the same floating point rules."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

_HERE = Path(__file__).parent
# Numba keys a cached function by its own file alone, although kernels and constants of the others are compiled into
# it: a folder named after all of them keeps an edit or an upgrade from running old machine code.
_SOURCES = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))).hexdigest()[:16]
numba.config.CACHE_DIR = str(  # type: ignore[attr-defined]
    _HERE / "__pycache__" / f"kernels-{_SOURCES}"
)

# NaN and the sign of zero carry no meaning inside a kernel (inputs are checked before, volumes after), which lets
# minima and maxima vectorise. Sums are not reordered: a mirrored domain must give the mirrored flood.
_ROW_MATHS = {"nnan", "nsz", "contract"}


def compile_row(function: Function) -> Function:
    """Compile a kernel over the 1-D views of one row, with the floating point freedom that vectorises it."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_ROW_MATHS)(function))


def compile_loop(function: Function) -> Function:
    """Compile a loop around the row kernels with strict floating point."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
