"""Words as search compares them: without diacritics and case, letters and digits and '/' only.

The same as ``meta.search_words`` of the database does for the stored side.
"""

import re
import unicodedata
from collections.abc import Sequence

MAX_WORDS = 12
# The Icelandic letter looks like the Vietnamese one and is often typed for it.
_LETTERS = str.maketrans(dict.fromkeys("đĐðÐ", "d"))


def fold_words(words: str) -> list[str]:
    """Return the words of a text, folded: ``'12 Nguyễn Trãi, P. Đông'`` → ``['12', 'nguyen', 'trai', 'p', 'dong']``."""
    plain = unicodedata.normalize("NFD", words.translate(_LETTERS).lower())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"(?:[^\W_]|/)+", bare)[:MAX_WORDS]


def spell_dates(words: Sequence[str]) -> list[str]:
    """Return folded words with days written out, as streets are named: ``30/4`` → ``30 thang 4``."""
    spelt: list[str] = []
    for word in words:
        day = re.fullmatch(r"([12]?\d|3[01])/(1[0-2]|[1-9])", word)
        spelt += [day[1], "thang", day[2]] if day else [word]
    return spelt
