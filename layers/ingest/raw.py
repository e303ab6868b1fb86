"""What a reader hands on: an opened file, and its rows as they came, in chunks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from layers.ingest.crs import Shapes

ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows of a file: ``frame`` (columns as they came), geometry and its CRS if it has any.

    ``first_row`` rows of the file come before these: the row number of position p is ``first_row + p + 1``.
    ``reasons`` says, where a row cannot be used or its geometry could not be made, why; such a row has no geometry.
    ``notes`` are the reader's remarks.
    """

    frame: pd.DataFrame
    shapes: Shapes | None
    crs: str | None
    reasons: "pd.Series[Any] | None" = None
    notes: tuple[str, ...] = ()
    first_row: int = 0


@dataclass(slots=True)
class Opened:
    """A file ready to be read, a context manager; what it holds beside its rows is known before the first is read.

    ``count`` is None where only reading tells. ``undecoded``: the file does not say the encoding of its text, so that
    every character stands for one byte (ISO-8859-1). ``notes`` grow while the file is read. ``chunks`` makes the rows,
    so many at a time; ``closing`` is done at the end.
    """

    columns: tuple[str, ...]
    chunks: Callable[[int], Iterator[Raw]]
    crs: str | None = None
    count: int | None = None
    undecoded: bool = False
    notes: list[str] = field(default_factory=list)
    closing: ExitStack = field(default_factory=ExitStack)

    def read(self, rows: int = ROWS) -> Iterator[Raw]:
        """Yield the rows in file order, at most ``rows`` in a chunk; may be called again to begin anew.

        SourceError names a file that breaks off or has no rows.
        """
        return self.chunks(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.close()


def join_chunks(opened: Opened) -> Raw:
    """Return all rows of ``opened`` as one."""
    parts = list(opened.read())
    if len(parts) == 1:
        return replace(parts[0], notes=tuple(opened.notes))
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    located = any(part.shapes is not None for part in parts)
    shapes: Shapes | None = None
    if located:
        shapes = np.concatenate([part.shapes for part in parts if part.shapes is not None])
    reasons = None
    if any(part.reasons is not None for part in parts):
        reasons = pd.concat([name_reasons(part) for part in parts], ignore_index=True)
    return Raw(frame, shapes, opened.crs, reasons, tuple(opened.notes))


def name_reasons(raw: Raw) -> "pd.Series[Any]":
    """Return why rows cannot be used, None for the others; a copy that may be changed."""
    if raw.reasons is not None:
        return raw.reasons.copy()
    return pd.Series(None, index=raw.frame.index, dtype=object)


def cut_chunks(whole: Raw, rows: int) -> Iterator[Raw]:
    """Yield the rows of a file that was read at once, at most ``rows`` at a time."""
    for first in range(0, len(whole.frame), rows):
        end = first + rows
        yield Raw(
            whole.frame.iloc[first:end].reset_index(drop=True),
            None if whole.shapes is None else whole.shapes[first:end],
            whole.crs,
            None if whole.reasons is None else whole.reasons.iloc[first:end].reset_index(drop=True),
            first_row=first,
        )
