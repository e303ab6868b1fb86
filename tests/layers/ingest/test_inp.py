"""The writer of SWMM input files: tables with titles, names that SWMM tells apart, no word that it would misread."""

import pytest

from layers.errors import InputError
from layers.ingest.inp import Section, name_objects, write_inp


def test_a_section_is_a_table_under_its_titles() -> None:
    places = Section("COORDINATES", ("node", "x(m)", "y(m)"), [("J1", 586000.123, 1109000.5), ("J22", 1.0, 2.0)])
    text = write_inp([Section("TITLE", ("text",), []), places, Section("OPTIONS", ("option", "value"), [("A", "B")])])
    assert text == (
        "[COORDINATES]\n"
        ";;node x(m)       y(m)\n"
        "J1     586000.123 1109000.5\n"
        "J22    1          2\n"
        "\n"
        "[OPTIONS]\n"
        ";;option value\n"
        "A        B\n"
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("J 1", 1.0), r"\[JUNCTIONS\] row 2 has the word 'J 1'"),
        (("", 1.0), "row 2 has the word ''"),
        (("J;1", 1.0), "row 2 has the word 'J;1'"),
        (("J1", float("nan")), "row 2 has the number nan, expected a finite one"),
        (("J1",), "row 2 has 1 words, expected 2"),
        (("J" * 1030, 1.0), "row 2 is longer than 1024 characters"),
    ],
)
def test_what_swmm_would_misread_is_refused(row: tuple[str | float, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        write_inp([Section("JUNCTIONS", ("name", "invert(m)"), [("J1", 10.0), row])])


def test_an_empty_text_is_a_word_of_two_quotes() -> None:
    assert write_inp([Section("INFLOWS", ("node", "series"), [("J1", '""')])]).endswith('J1     ""\n')


def test_names_are_the_ids_where_they_can_be() -> None:
    ids = ["J1", "j1", "Hố ga 5", "Hố_ga_5", "[x]", "J1~2", ""]
    names = name_objects(ids)
    assert list(names.values()) == ["J1", "j1~2", "Hố_ga_5", "Hố_ga_5~2", "_x]", "J1~2~2", "_"]
    assert len({name.upper() for name in names.values()}) == len(ids)
    write_inp([Section("JUNCTIONS", ("name", "invert(m)"), [(name, 0.0) for name in names.values()])])
