"""Vietnamese written in the encodings before Unicode, as byte text: what old files hold."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

from layers.ingest.text.alphabets import TCVN3, VISCII, VNI_LETTERS, VNI_MARKS
from layers.ingest.text.syllables import TONES

LETTERS = "àảãáạăằẳẵắặâầẩẫấậèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵđ"
_TO_TCVN3 = {letter: chr(byte) for byte, letter in TCVN3.items()}
_TO_VISCII = {letter: chr(byte) for byte, letter in VISCII.items()}
_VNI = {letter: written for written, letter in VNI_LETTERS.items()} | {"í": "í", "ì": "ì"}
_MARKS = {marks: written for written, marks in VNI_MARKS.items()}


def write_tcvn3(text: str) -> str:
    """TCVN3 has no toned capitals; a font shows small letters as capitals."""
    return "".join(
        letter if letter.isascii() else _TO_TCVN3[letter if letter in "ĂÂÊÔƠƯĐ" else letter.lower()] for letter in text
    )


def write_viscii(text: str) -> str:
    return "".join(letter if letter.isascii() else _TO_VISCII[letter] for letter in text)


def write_cp1258(text: str) -> str:
    return "".join(_part_tone(letter).encode("cp1258").decode("latin-1") for letter in text)


def _part_tone(letter: str) -> str:
    """Return a letter as windows-1258 has it: whole where it can, else with its tone behind."""
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        marks = unicodedata.normalize("NFD", letter)
        tone = next(mark for mark in marks if mark in TONES)
        return unicodedata.normalize("NFC", marks.replace(tone, "")) + tone
    return letter


def write_vni(text: str) -> str:
    return "".join(letter if letter.isascii() else _write_vni_letter(letter) for letter in text)


def _write_vni_letter(letter: str) -> str:
    small = letter.lower()
    if small in _VNI:
        made = _VNI[small]
    else:
        marks = unicodedata.normalize("NFD", small)
        horned = {"o": "ô", "u": "ö"}[marks[0]] if "\u031b" in marks else marks[0]
        rest = sorted(marks[1:].replace("\u031b", ""), key=lambda mark: mark in TONES)
        made = horned + _MARKS["".join(rest)]
    return made.upper() if letter.isupper() else made


WRITERS: dict[str, Callable[[str], str]] = {
    "tcvn3": write_tcvn3,
    "vni": write_vni,
    "viscii": write_viscii,
    "cp1258": write_cp1258,
}


def read_names(path: Path) -> list[str]:
    """Return the full names of all wards and provinces of Viet Nam since July 2025."""
    provinces = json.loads(path.read_text(encoding="utf-8"))
    return [ward["FullName"] for one in provinces for ward in one["Wards"]] + [one["FullName"] for one in provinces]
