"""Scenarios are values: equal edits are equal scenarios, and taking an edit away restores the base."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError, NotFoundError
from twin.scenario import (
    BreachDyke,
    CloseGate,
    DesignStorm,
    Edit,
    EditedCity,
    HoldStage,
    ReturnStorm,
    Scenario,
    StageOffset,
    StopPump,
    check_edits,
)

BASE = Scenario(datetime(2026, 10, 25, tzinfo=UTC))
METRES = st.floats(-5.0, 5.0)
EDITS = st.one_of(
    st.builds(StageOffset, METRES),
    st.builds(HoldStage, METRES, st.floats(0.0, 24.0)),
    st.builds(DesignStorm, st.floats(1.0, 500.0), st.floats(0.5, 48.0)),
    st.builds(ReturnStorm, st.floats(0.5, 100.0), st.floats(0.5, 48.0), st.just((5000.0, 0.6, 20.0, 0.8))),
    st.builds(CloseGate, st.text(min_size=1, max_size=5)),
    st.builds(StopPump, st.text(min_size=1, max_size=5)),
    st.builds(BreachDyke, st.floats(1.0, 100.0), st.none() | METRES, st.text(min_size=1, max_size=5)),
)


@given(st.lists(EDITS, unique=True, max_size=6), EDITS)
def test_taking_an_edit_away_restores_the_base(edits: list[Edit], edit: Edit) -> None:
    before = Scenario(BASE.base_time, tuple(kept for kept in edits if kept != edit))
    after = before.with_edit(edit)
    assert after != before
    assert after.without_edit(edit) == before
    assert hash(after.without_edit(edit)) == hash(before)
    assert after.with_edit(edit) == after


def test_what_is_not_there_cannot_be_taken_away() -> None:
    with pytest.raises(InputError, match="no edit"):
        BASE.without_edit(StopPump("P1"))


def test_gates_and_pumps_are_seen_through_the_edited_city(city) -> None:
    edited = EditedCity(city, BASE.with_edit(CloseGate("G1")).with_edit(StopPump("P1")))
    assert edited.layer("water_bodies")["is_tidal"].tolist() == [True, False]
    links = edited.layer("drainage_links", columns=["link_type", "is_active"])
    assert dict(zip(links["id"], links["is_active"], strict=True)) == {"G1": True, "P1": False}
    assert city.layer("water_bodies")["is_tidal"].tolist() == [True, True]
    assert EditedCity(city, BASE).layer("water_bodies")["is_tidal"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (CloseGate("P1"), "gate 'P1' does not exist — the city has G1"),
        (StopPump("G1"), "pump 'G1' does not exist — the city has P1"),
        (BreachDyke(20.0, None, "D9"), "dyke 'D9' does not exist — the city has D1"),
    ],
)
def test_an_edit_of_nothing_names_what_there_is(city, edit: Edit, words: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        check_edits(city, BASE.with_edit(edit))
    assert str(caught.value) == words
