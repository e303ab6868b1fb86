"""One way to compile a kernel, so that every loop follows the same floating point rules."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import llvmlite.binding as llvm
import numba

Function = TypeVar("Function", bound=Callable[..., object])

_HERE = Path(__file__).parent
_OURS = re.compile(r"^from hydrology\.(\w+) import", re.MULTILINE)

# A row mixes 64-bit stages and 32-bit discharges; by default the wider type chooses how many cells a vector holds, and
# half of each register stays empty: the faces take a quarter less time with this.
llvm.set_option("city-twin", "-vectorizer-maximize-bandwidth")

# NaN and the sign of zero carry no meaning inside a kernel (inputs are checked before, volumes after), which lets
# minima and maxima vectorise. Sums are not reordered: a mirrored domain must give the mirrored flood.
_ROW_MATHS = {"nnan", "nsz", "contract"}


def _find_sources(module: str, found: set[str]) -> set[str]:
    """Return the modules of this package that ``module`` is built on, itself included."""
    if module not in found:
        found.add(module)
        for other in _OURS.findall((_HERE / f"{module}.py").read_text()):
            _find_sources(other, found)
    return found


def _point_cache(function: Callable[..., object]) -> None:
    """Let numba cache ``function`` in a folder named after all the code that is compiled into it.

    Numba keys a cached function by its own file alone: without this an edit of a kernel would leave old machine code
    in the loops around it.
    """
    module = function.__module__.rsplit(".", 1)[-1]
    sources = _find_sources(module, {"compile"}) if (_HERE / f"{module}.py").exists() else {"compile"}
    digest = hashlib.sha256(b"".join((_HERE / f"{name}.py").read_bytes() for name in sorted(sources))).hexdigest()[:16]
    numba.config.CACHE_DIR = str(_HERE / "__pycache__" / f"{module}-{digest}")  # type: ignore[attr-defined]


def _compile(function: Function, **options: Any) -> Function:
    _point_cache(function)
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function))


def compile_twice(function: Function) -> tuple[Function, Function]:
    """Compile a loop whose ``prange`` runs on one thread, and again with its bands side by side.

    The second has a name of its own, or the two would take turns in one place of the cache.
    """
    plain = cast(FunctionType, function)
    name = f"{plain.__name__}_in_parallel"
    twin = FunctionType(plain.__code__.replace(co_name=name), plain.__globals__, name, plain.__defaults__)
    twin.__qualname__, twin.__module__, twin.__doc__ = name, plain.__module__, plain.__doc__
    return _compile(function), _compile(cast(Function, twin), parallel=True)


def compile_row(function: Function) -> Function:
    """Compile a kernel over the 1-D views of one row, with the floating point freedom that vectorises it.

    It may not allocate: without reference counts a row view costs nothing.
    """
    return _compile(function, fastmath=_ROW_MATHS, _nrt=False)


def compile_loop(function: Function) -> Function:
    """Compile a loop around the row kernels with strict floating point."""
    return _compile(function)


def compile_part(function: Function) -> Function:
    """Compile a part of a loop into whoever calls it; it may not allocate.

    Called instead, it would copy the arrays of the domain to the stack and count their references, row by row.
    """
    return _compile(function, _nrt=False, forceinline=True)
