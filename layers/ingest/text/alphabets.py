"""The letters of Vietnamese before Unicode: TCVN3 (ABC fonts), VNI for Windows, VISCII, windows-1258.

Text here is "byte text": a string whose characters U+0000–U+00FF stand for bytes. TCVN3 and VISCII give each letter
one byte (TCVN 5712:1993, RFC 1456), VNI a base letter and a mark, windows-1258 a letter and a combining tone.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import partial

_WINDOWS = bytes(byte for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
_FROM_1252 = dict(zip(_WINDOWS, _WINDOWS.decode("cp1252"), strict=True))
_TO_BYTES = {ord(letter): byte for byte, letter in _FROM_1252.items()}

_TCVN_5712 = dict(
    zip(
        range(0xA1, 0x100),
        "ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụ"
        "ừửữứựỳỷỹýỵỐ",
        strict=True,
    )
)
# The fonts have none of the toned capitals of the standard; a byte that would be one is no TCVN3.
TCVN3 = {
    byte: letter for byte, letter in _TCVN_5712.items() if not letter.isupper() or letter in "ĂÂÊÔƠƯĐ"
} | _FROM_1252
VISCII = dict(
    zip(
        (0x02, 0x05, 0x06, 0x14, 0x19, 0x1E, *range(0x80, 0x100)),
        "ẲẴẪỶỸỴẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫ"
        "èéêẻìíĩỉđựòóôõỏọụùúũủýợỮ",
        strict=True,
    )
)
_CP1258 = {byte: bytes([byte]).decode("cp1258", errors="replace") for byte in range(0x80, 0x100)}

VNI_LETTERS = {"ñ": "đ", "ô": "ơ", "ö": "ư", "ò": "ị", "æ": "ỉ", "ó": "ĩ", "î": "ỵ"}
VNI_MARKS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323", "ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309",
    "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_PAIR = re.compile(r"([aeiouyôöAEIOUYÔÖ])([ùøûõïâáàåãäêéèúüëÙØÛÕÏÂÁÀÅÃÄÊÉÈÚÜË])|([ñôöòæóîÑÔÖÒÆÓÎ])")
_WORD = re.compile(r"[^\W\d_]+")
_TWO_CAPITALS = re.compile(r"[A-Z][^\W\d_a-z]*[A-Z]")


def to_byte_text(text: str) -> str | None:
    """Return text whose characters were read as windows-1252 or Latin-1 as byte text; None where some are neither."""
    made = text.translate(_TO_BYTES)
    return made if made.isascii() or max(map(ord, made)) < 0x100 else None


def read_tcvn3(text: str) -> str:
    """Decode TCVN3; words typed in a font of capitals (.VnTimeH: same codes as small letters) become capitals."""
    return _mend_capitals(unicodedata.normalize("NFC", text.translate(TCVN3)))


def _mend_capitals(text: str) -> str:
    """Return ``text`` with small toned letters among capitals raised: KIềU → KIỀU, and a whole cell of such words."""
    if not _TWO_CAPITALS.search(text):
        return text
    words = _WORD.findall(text)
    if not any(_is_half_raised(word) for word in words):
        return text
    if not any(letter.isascii() and letter.islower() for letter in text):
        return text.upper()
    return _WORD.sub(lambda found: found[0].upper() if _is_half_raised(found[0]) else found[0], text)


def _is_half_raised(word: str) -> bool:
    plain = [letter for letter in word if letter.isascii()]
    return len(plain) >= 2 and all(letter.isupper() for letter in plain) and not word.isupper()


def read_vni(text: str) -> str:
    """Decode VNI for Windows; marks that follow no vowel stay as they are."""
    return unicodedata.normalize("NFC", _VNI_PAIR.sub(_read_vni_pair, text).translate(_FROM_1252))


def _read_vni_pair(found: re.Match[str]) -> str:
    if found[3]:
        return _raise_like(found[3], VNI_LETTERS[found[3].lower()])
    base, mark = found[1], VNI_MARKS[found[2].lower()]
    letter = _raise_like(base, VNI_LETTERS.get(base.lower(), base.lower()))
    made = unicodedata.normalize("NFC", letter + mark)
    return made if len(made) == 1 else letter + found[2]


def _raise_like(sample: str, letter: str) -> str:
    return letter.upper() if sample.isupper() else letter


def _read_by_table(text: str, table: dict[int, str]) -> str:
    return unicodedata.normalize("NFC", text.translate(table))


def read_utf8(text: str) -> str | None:
    """Decode UTF-8; None where the bytes are none. A letter cut off at the end (fixed-width fields) is dropped."""
    made = text.encode("latin-1").decode("utf-8", errors="replace")
    if made.endswith("\ufffd") and not made[:-1].isascii() and not text.endswith("ï¿½"):
        made = made[:-1]
    return None if made.count("\ufffd") > text.count("ï¿½") else unicodedata.normalize("NFC", made)


# Byte text → Unicode, or None where it cannot be.
Reader = Callable[[str], str | None]
READERS: dict[str, Reader] = {
    "utf-8": read_utf8,
    "cp1252": partial(_read_by_table, table=_FROM_1252),
    "tcvn3": read_tcvn3,
    "vni": read_vni,
    "viscii": partial(_read_by_table, table=VISCII),
    "cp1258": partial(_read_by_table, table=_CP1258),
}
