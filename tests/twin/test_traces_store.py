"""Members of traces as bit strings: the database finds exactly those that were kept, and nothing waits too long."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.errors import TooLargeError, TooSlowError
from layers.schema import Text
from twin.immediate import Hurry
from twin.networks.commodities import COMMODITIES
from twin.networks.kept import UNSETTLED, KeptTrace, name_trace, stamp_trace
from twin.networks.traces import KINDS
from twin.processes.trace import KIND_TITLES, NETWORKS
from twin.store_traces import MOST_BITS, keep_trace, pack_fids, read_trace

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def keep(connection: Connection, fids: set[int], stamp: str) -> KeptTrace:
    """Keep a trace that found these features."""
    members = {"water_pipes": np.array(sorted(fids), np.int64)} if fids else {}
    kept = KeptTrace("trace", "water", {"starts": ["water_pipes/á"]}, stamp, members, {"length": 1.5})
    keep_trace(connection, kept, author="test")
    return kept


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fids=st.sets(st.integers(1, 5_000), max_size=60), asked=st.sets(st.integers(1, 6_000), max_size=60))
def test_the_database_finds_what_was_kept_and_nothing_else(
    connection: Connection, fids: set[int], asked: set[int]
) -> None:
    kept = keep(connection, fids, f"{sorted(fids)}")
    found = connection.execute(
        text(
            "select n from unnest(cast(:asked as bigint[])) n "
            "where network.holds((select network.read_members(:id, 'water_pipes')), n)"
        ),
        {"asked": sorted(asked | fids), "id": kept.id},
    ).scalars()
    assert set(found) == fids
    row = read_trace(connection, kept.id)
    assert row.members == ({"water_pipes": len(fids)} if fids else {})
    assert row.request == {"starts": ["water_pipes/á"]}


def test_feature_ids_beyond_a_bit_string_are_refused() -> None:
    with pytest.raises(TooLargeError, match="beyond"):
        pack_fids(np.array([MOST_BITS], np.int64))


def test_an_id_follows_from_question_and_network() -> None:
    one = name_trace("trace", {"a": 1, "b": [2]}, "v1")
    assert one == name_trace("trace", {"b": [2], "a": 1}, "v1")
    assert one not in {name_trace("trace", {"a": 1, "b": [2]}, "v2"), name_trace("isolation", {"a": 1, "b": [2]}, "v1")}
    assert stamp_trace("v1", NOW) == "v1"
    assert stamp_trace(UNSETTLED, NOW) == f"{UNSETTLED} 2026-01-01T00:00:00+00:00"


def test_who_waits_is_not_kept_waiting() -> None:
    Hurry(60.0).report(0.5, "đang tính — computing")
    with pytest.raises(TooSlowError, match=r"more than 0 s.*50%"):
        Hurry(0.0).report(0.5, "đang tính — computing")


def test_every_network_and_kind_has_its_words() -> None:
    assert set(NETWORKS) == set(COMMODITIES)
    assert set(KIND_TITLES) == set(KINDS)
    assert all(isinstance(words, Text) for words in (*NETWORKS.values(), *KIND_TITLES.values()))
