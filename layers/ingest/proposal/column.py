"""A column of a sample: its name in words, and how often each of its values occurs."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.ingest.measures import UNIT_WORDS, read_measure
from layers.ingest.survey import Finding, survey_dates, survey_nodata, survey_numbers, survey_unit
from layers.ingest.values import as_text

Words = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of a sample of ``rows`` rows; ``counts`` says how often each filled value occurs."""

    name: str
    words: Words
    counts: Mapping[str, int]
    rows: int

    @cached_property
    def filled(self) -> int:
        """Number of rows that hold something."""
        return sum(self.counts.values())

    @cached_property
    def values(self) -> list[str]:
        """The filled values, each as often as it occurs."""
        return list(Counter(self.counts).elements())

    @cached_property
    def numbers(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distinct numbers and how often each occurs; a unit behind a number is left off."""
        made = [(read_measure(text) or read_measure(text, "vi"), often) for text, often in self.counts.items()]
        known = [(found[0], often) for found, often in made if found is not None]
        return np.array([number for number, _ in known]), np.array([often for _, often in known], dtype=np.int64)

    # What is surveyed of a column is the same for every property it may be, and takes a while.
    @cached_property
    def number_style(self) -> Finding:
        """How its numbers are written."""
        return survey_numbers(self.values)

    @cached_property
    def unit(self) -> Finding:
        """The unit its name or its cells give."""
        return survey_unit(self.name, self.values)

    @cached_property
    def nodata(self) -> Finding:
        """Words and numbers that stand for nothing, where its values are numbers."""
        return survey_nodata(self.values, numeric=True)

    @cached_property
    def dates(self) -> Finding:
        """How its dates are written."""
        return survey_dates(self.values)

    @property
    def bare_words(self) -> Words:
        """The words of the name without a unit behind them."""
        return self.words[:-1] if len(self.words) > 1 and self.words[-1] in UNIT_WORDS else self.words

    @property
    def is_unique(self) -> bool:
        """Whether every row holds a value of its own."""
        return self.rows > 0 and len(self.counts) == self.rows

    def show(self, most: int = 4) -> str:
        """Return the first values, as a comment can hold them."""
        words = [re.sub(r"\s+", " ", value)[:24] for value in list(self.counts)[:most]]
        return " | ".join(words) if words else "blank"


def read_columns(frame: pd.DataFrame, words: Mapping[str, Words]) -> list[Column]:
    """Return the columns of a sample, each with the words of its name."""
    made = []
    for at, name in enumerate(frame.columns):
        counts = Counter(value for value in as_text(frame.iloc[:, at]) if value is not None)
        made.append(Column(str(name), words[str(name)], counts, len(frame)))
    return made
