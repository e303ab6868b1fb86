"""Words and numbers that stand for nothing: N/A, không có, -, 9999."""

import unicodedata

# What a program writes for null; always read as nothing.
NULL_WORDS = frozenset({"", "\\N", "NULL", "null", "<Null>", "<null>", "<NULL>", "#N/A", "#N/A N/A"})
# What a person writes for "nothing known"; read as nothing where a mapping says `null_words: true`.
DEFAULT_NULLS = (
    "-", "--", "---", ".", "...", "…", "?", "??", "???", "_", "/", "n/a", "na", "n.a.", "nan", "nil", "none", "null",
    "no data", "nodata", "not available", "not applicable", "not known", "unknown", "unk", "undefined", "unspecified",
    "tbd", "#n/a", "#ref!", "#value!", "#div/0!", "(null)", "[null]", "<null>",
    "không", "không có", "không rõ", "không biết", "không xác định", "không có dữ liệu", "không có thông tin", "k/c",
    "kc", "ko", "k", "k có", "k rõ", "ko có", "ko rõ", "chưa", "chưa có", "chưa rõ", "chưa biết", "chưa xác định",
    "chưa cập nhật", "chưa có dữ liệu", "chưa có thông tin", "trống", "bỏ trống", "đang cập nhật",
)  # fmt: skip


def fold(word: str) -> str:
    """Return ``word`` in small letters, composed, with single spaces: the form nulls are compared in."""
    return " ".join(unicodedata.normalize("NFC", word).lower().split())


def strip_marks(word: str) -> str:
    """Return ``word`` folded and without diacritics: "Không có" → "khong co"."""
    spread = unicodedata.normalize("NFD", fold(word).replace("đ", "d"))
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


_FOLDED = frozenset(DEFAULT_NULLS) | {strip_marks(word) for word in DEFAULT_NULLS}


def is_null_word(word: str) -> bool:
    """Return whether ``word`` is one of DEFAULT_NULLS, in any case, with or without its diacritics."""
    return fold(word) in _FOLDED
