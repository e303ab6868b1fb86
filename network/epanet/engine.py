"""EPANET's toolkit as a C library: NumPy arrays go in and out, and other threads run while it solves.

The Python module of the wheel (``epanet.toolkit``) is generated: it holds Python's lock while it solves, loses the
number of a warning and copies arrays one number at a time. The functions are called by their C names here and its
constants are taken as they are. EPANET 2.2 and later keep a network in a project, so a process holds as many as it
wants; a project may be used by one thread at a time.

Reference: OWA-EPANET Toolkit 2.3, https://wateranalytics.org/EPANET/.
"""

import ctypes
import re
from pathlib import Path
from typing import Any

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from layers.errors import InputError, NumericsError

LONGEST_ID = 31
"""Bytes in the id of an object of EPANET (EN_MAXID)."""

_LONGEST_MESSAGE = 255
_NAME_BUFFER = 256
_FIRST_ERROR = 100
_FIRST_INPUT_ERROR = 200
_INPUT_ERRORS = range(_FIRST_INPUT_ERROR, 300)
_LIBRARY = ctypes.CDLL(str(next(Path(toolkit.__file__).parent.glob("*epanet2.*"))))


class Engine:
    """One open project of the toolkit; ``call`` names a function without its ``EN_``."""

    def __init__(self) -> None:
        self._handle = ctypes.c_void_p()
        self.check(_LIBRARY.EN_createproject(ctypes.byref(self._handle)), "createproject")

    def call(self, function: str, *arguments: Any) -> int:
        """Call a function and return the number of its warning, 0 without one.

        Raise InputError for what the model or the caller got wrong (EPANET's errors 200–299), NumericsError for what
        it could not solve.
        """
        return self.check(getattr(_LIBRARY, f"EN_{function}")(self._handle, *arguments), function)

    def check(self, code: int, function: str) -> int:
        """Return a code below 100, a warning; raise the error of any other."""
        if code < _FIRST_ERROR:
            return code
        words = ctypes.create_string_buffer(_LONGEST_MESSAGE + 1)
        _LIBRARY.EN_geterror(code, words, _LONGEST_MESSAGE)
        said = re.sub(r"^Error \d+: ", "", words.value.decode("utf-8", "replace"))
        error = InputError if code in _INPUT_ERRORS else NumericsError
        raise error(f"EPANET error {code} in {function}: {said}")

    def ask_integer(self, function: str, *arguments: Any) -> int:
        """Return the one whole number that a function gives."""
        value = ctypes.c_int()
        self.call(function, *arguments, ctypes.byref(value))
        return value.value

    def ask_time(self, function: str, *arguments: Any) -> int:
        """Return the one ``long`` that a function gives: a time [s]."""
        value = ctypes.c_long()
        self.call(function, *arguments, ctypes.byref(value))
        return value.value

    def ask_number(self, function: str, *arguments: Any) -> float:
        """Return the one real number that a function gives."""
        value = ctypes.c_double()
        self.call(function, *arguments, ctypes.byref(value))
        return value.value

    def ask_name(self, function: str, index: int) -> str:
        """Return the id that a function gives for the object ``index``, counted from one."""
        name = ctypes.create_string_buffer(_NAME_BUFFER)
        self.call(function, index, name)
        return name.value.decode("utf-8", "replace")

    def read_array(self, function: str, code: int, out: NDArray[np.float64]) -> None:
        """Fill ``out`` (objects,) with the values of all nodes or links."""
        self.call(function, code, out.ctypes.data_as(ctypes.c_void_p))

    def delete(self) -> None:
        """Close the project and give its memory back; doing it twice is no error."""
        if self._handle:
            _LIBRARY.EN_close(self._handle)
            _LIBRARY.EN_deleteproject(self._handle)
            self._handle = ctypes.c_void_p()


def write_name(name: str) -> bytes:
    """Return an id as EPANET takes it; raise InputError where it is too long or holds blanks, quotes or ``;``."""
    data = name.encode()
    if not data or len(data) > LONGEST_ID or re.search(r'[\s";]', name):
        raise InputError(
            f"'{name}' cannot be an id in EPANET, expected 1–{LONGEST_ID} bytes without blanks, quotes and ';'"
        )
    return data


def write_array(values: NDArray[np.float64]) -> tuple[Any, int]:
    """Return the pointer and the length of an array of reals."""
    data = np.ascontiguousarray(values, np.float64)
    return (ctypes.c_double * data.size)(*data.tolist()), data.size
