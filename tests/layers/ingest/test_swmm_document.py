"""Input files as documents: every line kept, one word changed at a time, errors with line and section."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError, NotFoundError, SourceError, TooLargeError
from layers.ingest.inp import Section
from layers.ingest.swmm.check import check_document
from layers.ingest.swmm.document import Inp, build_document, cut_words, fold_name, read_inp, write_document
from layers.ingest.swmm.files import confine_files, list_files, read_beside

TEXT = """\
;; made by hand
[TITLE]
Hẻm 5 [thử]
;a comment of the title

[options]
FLOW_UNITS           CFS     ; cubic feet
ROUTING_STEP 5

[JUNC]
;;Name  Elev   MaxDepth
J1      10.50  4        0 0 0
j2\t9.25\t4;deep
[OUTFALLS]
O1      8      FREE  NO
[CONDUITS]
C1      J1     j2    400   0.013  0  0
C2      J2     O1    40.125  0.013  0.5  0  ; last
[XSECTIONS]
C1      CIRCULAR 2  0 0 0
C2      CIRCULAR 2  0 0 0
[JUNCTIONS]
J3      7 0
[TAGS]
Node J1 old
Link J1 "two words"
"""


@pytest.fixture
def document() -> Inp:
    """The file above."""
    return read_inp(TEXT)


def test_what_is_not_changed_is_written_as_it_was_read(document: Inp) -> None:
    assert write_document(document) == TEXT
    assert write_document(read_inp(TEXT.replace("\n", "\r\n"))) == TEXT
    assert document.title == "Hẻm 5 [thử]"


def test_a_section_is_known_by_how_its_name_begins_and_can_stand_twice(document: Inp) -> None:
    assert document.sections == ("TITLE", "OPTIONS", "JUNCTIONS", "OUTFALLS", "CONDUITS", "XSECTIONS", "TAGS")
    assert document.names("JUNCTIONS") == ["J1", "j2", "J3"]
    assert document.option("flow_units") == "CFS"
    assert [row.number for row in document.rows("JUNCTIONS")] == [12, 13, 23]


def test_names_are_found_whatever_the_case_of_their_latin_letters(document: Inp) -> None:
    assert document.read("JUNCTIONS", "J2").words == ("j2", "9.25", "4")
    assert document.find("TAGS", "node j1")[0].words[2] == "old"
    assert fold_name("đầu") != fold_name("ĐẦU")
    with pytest.raises(NotFoundError, match=r"\[JUNCTIONS\] has no 'X'"):
        document.read("JUNCTIONS", "X")


def test_a_changed_word_changes_its_line_only(document: Inp) -> None:
    document.replace("JUNCTIONS", "j1", {1: 9.75})
    document.replace("CONDUITS", "C2", {3: "123456.789012"})
    changed = [
        pair
        for pair in zip(TEXT.splitlines(), write_document(document).splitlines(), strict=True)
        if len(set(pair)) > 1
    ]
    assert changed == [
        ("J1      10.50  4        0 0 0", "J1      9.75   4        0 0 0"),
        (
            "C2      J2     O1    40.125  0.013  0.5  0  ; last",
            "C2      J2     O1    123456.789012 0.013  0.5  0  ; last",
        ),
    ]


def test_a_word_is_put_behind_the_last_before_a_comment(document: Inp) -> None:
    document.replace("JUNCTIONS", "J2", {3: 0.5})
    assert document.read("JUNCTIONS", "J2").words == ("j2", "9.25", "4", "0.5")
    assert "j2\t9.25\t4 0.5 ;deep" in write_document(document)
    with pytest.raises(InputError, match=r"\[JUNCTIONS\] line 13 has 4 words, expected 6"):
        document.replace("JUNCTIONS", "J2", {6: 1.0})


def test_rows_are_added_where_their_section_ends_and_removed_by_name(document: Inp) -> None:
    document.add("JUNCTIONS", ("J4", 1.5, "a b"))
    document.add("PUMPS", ("P", "J1", "J2", "*"))
    text = write_document(document)
    assert text.splitlines()[23].split() == ["J4", "1.5", '"a', 'b"']
    assert text.endswith("[PUMPS]\nP                J1         J2         *\n")
    assert document.read("JUNCTIONS", "J4").words == ("J4", "1.5", "a b")
    assert document.remove("JUNCTIONS", "j4") + document.remove("PUMPS", "P") == 2
    document.blocks.pop()
    assert write_document(document).strip() == TEXT.strip()


def test_options_and_title_are_set(document: Inp) -> None:
    document.set_option("routing_step", 2.5)
    document.set_option("THREADS", 1)
    document.set_title("Một\nHai")
    again = read_inp(write_document(document))
    assert (again.option("ROUTING_STEP"), again.option("THREADS"), again.title) == ("2.5", "1", "Một\nHai")
    with pytest.raises(InputError, match="begins with"):
        document.set_title("[PUMPS]")


def test_a_copy_is_another_document(document: Inp) -> None:
    other = document.copy()
    other.replace("JUNCTIONS", "J1", {1: 0})
    other.remove("CONDUITS", "C1")
    assert write_document(document) == TEXT


def test_tables_become_a_document() -> None:
    made = build_document([Section("JUNCTIONS", ("name", "invert(m)"), [("J", 1.25)])])
    assert made.read("JUNCTIONS", "J").read_number(1) == 1.25


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("[OPTIONS]\nA B\n[PIPES]\n", SourceError, r"line 3: section \[PIPES\] is not one of SWMM"),
        ("J1 2 3\n", SourceError, "line 1 stands before the first section: 'J1 2 3'"),
        ("", SourceError, "has no section"),
        ("[TITLE]\0", SourceError, "signs of value 0"),
        (f"[JUNCTIONS]\nJ {'1 ' * 600}\n", SourceError, "line 2 has 1202 characters, expected less than 1024"),
        ("[TITLE]\n" * 1000, TooLargeError, "8,000 signs, expected at most 5,000"),
    ],
)
def test_what_is_no_input_file_is_refused_with_its_line(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_inp(text, largest=5000)


def test_numbers_name_section_and_line(document: Inp) -> None:
    for word in ("x", "1_0", "nan", "1e999"):
        document.replace("JUNCTIONS", "J1", {1: word})
        with pytest.raises(InputError, match=rf"\[JUNCTIONS\] line 12 has '{word}', expected a number"):
            document.read("JUNCTIONS", "J1").read_number(1)
    with pytest.raises(InputError, match="has 3 words, expected a number as word 6"):
        document.read("JUNCTIONS", "J3").read_number(5)
    with pytest.raises(InputError, match="expected one without"):
        document.add("JUNCTIONS", ('a"b',))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("J3      7 0", "j1 7 0", r"\[JUNCTIONS\] line 23: 'j1' is there already, at \[JUNCTIONS\] line 12"),
        ("O1      8", "j1 8", r"\[OUTFALLS\] line 15: 'j1' is there already"),
        ("C1      J1 ", "C1      X ", r"\[CONDUITS\] line 17 names the node 'X', which is not there"),
        ("C1      CIRCULAR 2  0 0 0\n", "", r"\[CONDUITS\] line 17: link 'C1' has no row in \[XSECTIONS\]"),
        ("[TAGS]", "[CONTROLS]\nRULE 1\nIF NODE X DEPTH > 1\n[TAGS]", r"\[CONTROLS\] line 26 names the node 'X'"),
        ("[TAGS]", "[CONTROLS]\nRULE 1\nTHEN PUMP P = ON\n[TAGS]", r"\[CONTROLS\] line 26 names the link 'P'"),
        ("[TAGS]", "[SUBCATCHMENTS]\nS * X 1 1 1 1 0\n[TAGS]", r"line 25 names the node or subcatchment 'X'"),
        ("[TAGS]", "[SUBCATCHMENTS]\nS R J1 1 1 1 1 0\n[TAGS]", r"line 25 names the rain gauge 'R'"),
        ("[TAGS]", "[DWF]\nX FLOW 1\n[TAGS]", r"\[DWF\] line 25 names the node 'X'"),
    ],
)
def test_a_name_without_its_object_is_refused_with_its_line(old: str, new: str, words: str) -> None:
    check_document(read_inp(TEXT))
    with pytest.raises(SourceError, match=words):
        check_document(read_inp(TEXT.replace(old, new)))


def test_files_are_found_and_confined_to_one_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    document = read_inp(
        '[OPTIONS]\nTEMPDIR /etc\n[FILES]\nUSE RAINFALL "..\\..\\rain.txt"\nSAVE HOTSTART /etc/passwd\n'
        '[RAINGAGES]\nR INTENSITY 1:00 1 FILE "C:\\x\\absent.dat" S IN\n[TIMESERIES]\nT FILE outside.dat\n'
    )
    assert [(file.plain, file.is_read) for file in list_files(document)] == [
        ("absent.dat", True), ("outside.dat", True), ("rain.txt", True), ("passwd", False),
    ]  # fmt: skip
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "model" / "outside.dat").symlink_to(tmp_path / "secret")
    (tmp_path / "model" / "rain.txt").write_text("1")
    found, absent = read_beside(document, tmp_path / "model")
    assert (found, absent) == ({"rain.txt": b"1"}, ["absent.dat", "outside.dat"])
    text = write_document(confine_files(document))
    assert "/" not in text.replace("[", "") and "\\" not in text and "TEMPDIR" not in text


WORD = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), blacklist_characters=';"['), min_size=1
)


@settings(max_examples=40)
@given(st.lists(st.tuples(WORD, WORD, st.floats(-1e300, 1e300)), min_size=1, max_size=20))
def test_every_word_that_is_written_is_read_again(rows: list[tuple[str, str, float]]) -> None:
    document = read_inp("[CURVES]\n")
    for row in rows:
        document.add("CURVES", row)
    again = read_inp(write_document(document)).rows("CURVES")
    assert [row.words[:2] for row in again] == [row[:2] for row in rows]
    assert [row.read_number(2) for row in again] == pytest.approx([row[2] for row in rows], rel=1e-9)


@settings(max_examples=100)
@given(st.text(st.sampled_from('ab1 \t";.'), max_size=40), st.integers(0, 5), WORD)
def test_a_replaced_word_leaves_the_others(line: str, position: int, word: str) -> None:
    before = [found for found, _, _ in cut_words(f"N {line}")]
    document = read_inp(f"[CURVES]\nN {line}\n")
    if position >= len(before) or position == 0:
        return
    document.replace("CURVES", "N", {position: word})
    after = list(document.rows("CURVES")[0].words)
    assert after == [*before[:position], word, *before[position + 1 :]]
