"""The syllable grammar takes Vietnamese and leaves what only looks like it."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.ingest.text.syllables import is_syllable
from tests.layers.ingest.legacy import read_names

WORDS = "phường Kiều NGHĨA quốc quý gì giếng hòa hoà thuở khuỷu Đắk ngoằn oằn yêu Huế xuyên uống ướt ở ý"


@pytest.mark.parametrize("word", WORDS.split())
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize(
    "word",
    [
        "KiÒu", "Xaõ", "Montréal", "João", "nghà", "gé", "cế", "mãc", "bàt", "tếế", "ngìehn", "phườngninh", "ß",
        "öôø", "", "'",
    ],
)  # fmt: skip
def test_no_syllables(word: str) -> None:
    # A tone must stand on its vowel (xão, not xaõ), and a stop takes only the acute and the dot below.
    assert not is_syllable(word)


def test_the_names_of_the_country(shared: Callable[[str], Path]) -> None:
    """Only names of the Highlands' peoples (Krông, Pleiku) do not fit: 1.3 % of the words."""
    names = read_names(shared("vn-admin-2025/vn_units_codes_names_2026-07-25.json"))
    words = Counter(word for name in names for word in re.findall(r"[^\W\d_]+", name))
    odd = sum(often for word, often in words.items() if not is_syllable(word))
    assert odd / words.total() < 0.014
