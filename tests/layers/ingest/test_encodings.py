"""Old Vietnamese encodings are recognised and read; text that is something else stays what it is."""

import random
import shutil
import subprocess
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from layers.ingest.text.alphabets import READERS
from layers.ingest.text.encodings import Encoding, choose_encoding, decode_frame, decode_text, is_lost
from tests.layers.ingest.legacy import LETTERS, WRITERS, read_names

NAMES = "vn-admin-2025/vn_units_codes_names_2026-07-25.json"
REPUBLIC = "Cộng hòa xã hội chủ nghĩa Việt Nam"
WARDS = ["Phường Ninh Kiều", "Xã Thới Lai", "Đường Nguyễn Trãi", "Quận Bình Thủy", "Cầu Cái Răng"]


def mangle(text: str) -> str:
    """Return UTF-8 read as windows-1252: Phường → PhÆ°á»ng."""
    pieces = (bytes([byte]) for byte in text.encode())
    return "".join(piece.decode("cp1252", errors="ignore") or piece.decode("latin-1") for piece in pieces)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        # As typed in .VnTime, VNI-Times and VISCII; the words are those every textbook shows.
        ("tcvn3", "Céng hßa x· héi chñ nghÜa ViÖt Nam", REPUBLIC),
        ("tcvn3", "hép møt tÕt", "hộp mứt tết"),
        ("tcvn3", "Ph\xadêng Ninh KiÒu – “§Êt”".replace("“", "\x93").replace("”", "\x94").replace("–", "\x96"),
         "Phường Ninh Kiều – “Đất”"),
        ("vni", "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", REPUBLIC),
        ("vni", "Xin chaøo caùc baïn, ÑÖÔØNG", "Xin chào các bạn, ĐƯỜNG"),
        ("viscii", "Vi®t Nam, Ð¤t", "Việt Nam, Đất"),
        ("cp1258", "Vi\xea\xf2t Nam, \xd0\xe2\xect", "Việt Nam, Đất"),
        ("utf-8", "Phường".encode().decode("latin-1"), "Phường"),
    ],
)  # fmt: skip
def test_texts_of_old_days(name: str, text: str, expected: str) -> None:
    assert READERS[name](text) == expected


@pytest.mark.parametrize(("name", "peer"), [("tcvn3", "TCVN5712-1"), ("viscii", "VISCII"), ("cp1258", "CP1258")])
def test_tables_are_those_of_the_c_library(name: str, peer: str) -> None:
    if shutil.which("iconv") is None:
        pytest.skip("the program iconv is not installed")
    # Fonts for TCVN3 have the signs of windows-1252 below 0xA0, and nowhere the toned capitals of the standard.
    for byte in range(0xA1 if name == "tcvn3" else 0x80, 0x100):
        known = subprocess.run(["iconv", "-f", peer, "-t", "UTF-8"], input=bytes([byte]), capture_output=True)
        letter = known.stdout.decode()
        if letter and not (name == "tcvn3" and letter.isupper() and letter not in "ĂÂÊÔƠƯĐ"):
            assert READERS[name](chr(byte)) == letter, hex(byte)


@settings(deadline=None)
@given(st.text(alphabet=LETTERS + "abcdeghiklmnopqrstuvxy 0123456789.,-/", max_size=40))
def test_what_was_written_is_read(text: str) -> None:
    for name, write in WRITERS.items():
        # In VNI a mark behind a vowel belongs to it: two vowels in a row that no syllable has cannot be told apart.
        if name != "vni":
            assert READERS[name](write(text)) == text


@pytest.mark.parametrize("name", WRITERS)
def test_every_name_of_the_country_comes_back(name: str, shared: Callable[[str], Path]) -> None:
    """TCVN3 has no toned capitals: 23 names begin with one (Ái Quốc, Ý Yên) and come back in small letters there."""
    names = read_names(shared(NAMES))
    made = [READERS[name](WRITERS[name](one)) or "" for one in names]
    assert sum(one != two for one, two in zip(made, names, strict=True)) == (23 if name == "tcvn3" else 0)
    assert [one.lower() for one in made] == [one.lower() for one in names]


@settings(deadline=None)
@given(st.sampled_from(LETTERS + LETTERS.upper()))
def test_every_letter_of_vni(letter: str) -> None:
    assert READERS["vni"](WRITERS["vni"](f"t{letter}n")) == f"t{letter}n"


def test_a_font_of_capitals() -> None:
    """In .VnTimeH small toned letters look like capitals; the word around them says so."""
    assert READERS["tcvn3"](WRITERS["tcvn3"]("UBND HUYỆN PHÚ TÂN")) == "UBND HUYỆN PHÚ TÂN"
    assert READERS["tcvn3"](WRITERS["tcvn3"]("Cầu RẠCH NGỖNG cũ")) == "Cầu RẠCH NGỖNG cũ"
    assert READERS["tcvn3"](WRITERS["tcvn3"]("Vũ Hồ")) == "Vũ Hồ"


@pytest.mark.parametrize("undecoded", [True, False])
@pytest.mark.parametrize("name", WRITERS)
def test_real_names_are_recognised(name: str, undecoded: bool, shared: Callable[[str], Path]) -> None:
    """All 3,355 names by one, five and fifty: what is said to be sure is right, and from five on nearly all is sure."""
    names = [one for one in read_names(shared(NAMES)) if not one.isascii()]
    wanted = {1: (0.58, 0.99), 5: (0.97, 0.99), 50: (1.0, 1.0)}
    rng = random.Random(1)
    for size, (sure_share, right_share) in wanted.items():
        trials = [rng.sample(names, size) for _ in range(300 // size + 50)]
        sure, right = 0, 0
        for trial in trials:
            written = [WRITERS[name](one) for one in trial]
            chosen = choose_encoding(written, undecoded=undecoded)
            if chosen.is_sure:
                sure += 1
                read = [decode_text(one, chosen)[0].lower() for one in written]
                right += read == [one.lower() for one in trial]
        assert sure / len(trials) >= sure_share - 0.05, size
        assert right / sure >= right_share - 0.01, size


def test_unicode_of_all_forms(shared: Callable[[str], Path]) -> None:
    names = read_names(shared(NAMES))
    forms = {
        "unicode": (False, names),
        "utf-8": (True, [name.encode().decode("latin-1") for name in names]),
        "mojibake": (False, [mangle(name) for name in names]),
        "utf-8>mojibake": (True, [mangle(name).encode().decode("latin-1") for name in names]),
        "utf-8>tcvn3": (True, [WRITERS["tcvn3"](name).encode().decode("latin-1") for name in names]),
    }
    for expected, (undecoded, texts) in forms.items():
        chosen = choose_encoding(texts, undecoded=undecoded)
        assert (chosen.name, chosen.is_sure) == (expected, True)
        assert [decode_text(text, chosen)[0].lower() for text in texts] == [name.lower() for name in names]
    spread = [unicodedata.normalize("NFD", name) for name in names]
    chosen = choose_encoding(spread, undecoded=False)
    assert chosen.name == "unicode"
    assert [decode_text(text, chosen)[0] for text in spread] == names


WESTERN = """
    Montréal Québec Orléans Besançon Évry Châtelet Où Nîmes Forêt Crèche Théâtre Rhône Saône Bâle Genève Zürich Köln
    München Straße Größe Österreich Ålesund Tromsø Århus Ærø Coruña León Córdoba Niño Peña España Façade Curaçao Één
    Ideeën België reünie São João Estação Conceição Três Praça Ação Florianópolis Brasília 3ª m² 20° Ø600 N°5
"""


@pytest.mark.parametrize("word", WESTERN.split())
def test_other_languages_stay_as_they_are(word: str) -> None:
    """Even one word alone is not turned into Vietnamese."""
    as_bytes = {False: word, True: word.encode("cp1252").decode("latin-1")}
    for undecoded, text in as_bytes.items():
        assert decode_text(text, choose_encoding([text], undecoded=undecoded))[0] == word


def test_files_of_other_cities_stay_as_they_are(shared: Callable[[str], Path]) -> None:
    """Stops and routes of Porto Alegre, whole and name by name."""
    with zipfile.ZipFile(shared("porto-alegre/poa_eptc.zip")) as archive:
        tables = [pd.read_csv(archive.open(name), dtype=str) for name in ("stops.txt", "routes.txt")]
    names = [name for table in tables for column in table for name in table[column].dropna().unique()]
    assert choose_encoding(names, undecoded=False).name == "unicode"
    odd = [name for name in names if not name.isascii()]
    assert len(odd) > 10
    for text in odd:
        assert decode_text(text, choose_encoding([text], undecoded=False))[0] == text


def test_real_vietnamese_tables_are_unicode(shared: Callable[[str], Path]) -> None:
    for path in ("cantho-bus/stops.csv", "cantho-osm/healthcare_facilities_cantho.csv"):
        table = pd.read_csv(shared(path), dtype=str)
        chosen = choose_encoding([cell for column in table for cell in table[column].dropna()], undecoded=False)
        assert (chosen.name, chosen.confidence) == ("unicode", 1.0)


def test_plain_ascii_is_certain() -> None:
    assert choose_encoding(["Nanaimo", "12", ""], undecoded=True) == Encoding("ascii", 1.0, of_bytes=True)
    assert choose_encoding([], undecoded=False).name == "ascii"


def test_what_is_given_overrules_and_a_doubt_is_said() -> None:
    texts = [WRITERS["vni"](name) for name in WARDS]
    chosen = choose_encoding(texts, undecoded=True, given="TCVN3")
    assert (chosen.name, chosen.confidence) == ("tcvn3", 1.0)
    assert chosen.describe() == "text encoding tcvn3 as given, though the text looks like vni"
    with pytest.raises(InputError, match="encoding 'klingon' is not known"):
        choose_encoding(texts, undecoded=True, given="klingon")


def test_what_is_not_sure_stays_and_names_the_candidates() -> None:
    # Xã is a syllable in TCVN3 and, read so, in VISCII: one word alone does not tell.
    text = WRITERS["tcvn3"]("Xã")
    chosen = choose_encoding([text], undecoded=False)
    assert (chosen.name, chosen.is_sure) == ("unicode", False)
    assert {"tcvn3", "viscii"} <= {name for name, _ in chosen.candidates}
    assert "say which with --encoding" in chosen.describe()
    assert decode_text(text, chosen) == (text, None)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("Ph??ng Ninh Ki?u", True), ("?inh Tiên Hoàng", True), ("Hu\ufffd", True), ("Huế?", False), ("?", False),
        ("??", False), ("http://a.vn/x?y=z", False), ("Đường số 3 ?", False),
    ],
)  # fmt: skip
def test_lost_letters(text: str, lost: bool) -> None:
    assert is_lost(text) is lost


def test_lost_letters_are_counted_and_not_invented() -> None:
    frame = pd.DataFrame({"ten": ["Ph??ng", "Phường", "Ph??ng"]})
    chosen = choose_encoding(frame["ten"].tolist(), undecoded=False)
    counted: Counter[str] = Counter()
    assert decode_frame(frame, chosen, counted)["ten"].tolist() == ["Ph??ng", "Phường", "Ph??ng"]
    assert (chosen.lost, counted) == (1, {"texts with letters lost to '?'": 2})
    assert "lost letters" in chosen.describe()


def test_a_frame_is_decoded_with_its_names() -> None:
    write = WRITERS["tcvn3"]
    frame = pd.DataFrame(
        {
            write("Tên đường"): [write("Nguyễn Trãi"), None, "Hoà Bình – Việt"],
            "n": [1, 2, 3],
            "ma": ["a", "b", "c"],
        },
        index=[5, 6, 7],
    )
    counted: Counter[str] = Counter()
    made = decode_frame(frame, Encoding("tcvn3", 1.0), counted)
    assert made.columns.tolist() == ["Tên đường", "n", "ma"]
    assert made["Tên đường"].tolist() == ["Nguyễn Trãi", None, "Hoà Bình – Việt"]
    assert made["n"].tolist() == [1, 2, 3]
    assert made.index.tolist() == [5, 6, 7]
    # The third cell holds ệ, which no byte can be: it was typed in Unicode.
    assert counted == {"texts decoded from tcvn3": 1, "texts already Unicode": 1}


def test_cells_in_unicode_among_old_ones_stay() -> None:
    """à and capitals with tones are no letters of the fonts, and Châu and Zürich read worse decoded."""
    old = [WRITERS["tcvn3"](name) for name in WARDS]
    frame = pd.DataFrame({"a": [*old, "Hà Nam", "Á Châu", "Zürich 2°", "Đồng Tháp"]})
    chosen = choose_encoding(frame["a"].tolist(), undecoded=False)
    assert (chosen.name, chosen.is_sure) == ("tcvn3", True)
    assert decode_frame(frame, chosen)["a"].tolist() == [*WARDS, "Hà Nam", "Á Châu", "Zürich 2°", "Đồng Tháp"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), max_size=8), st.booleans(), st.sampled_from([None, *READERS, "mojibake"]))
def test_any_text_is_read_or_left_and_always_composed(texts: list[str], undecoded: bool, name: str | None) -> None:
    chosen = choose_encoding(texts, undecoded=undecoded, given=name)
    frame = pd.DataFrame({"a": pd.Series(texts, dtype=object)})
    made = decode_frame(frame, chosen)
    assert len(made) == len(texts)
    assert all(unicodedata.is_normalized("NFC", text) for text in made["a"])
    half = len(texts) // 2
    parts = [decode_frame(part, chosen)["a"] for part in (frame[:half], frame[half:])]
    assert pd.concat(parts).tolist() == made["a"].tolist()
