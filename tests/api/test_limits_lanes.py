"""Lanes: so many at work, so many that wait, and everybody else hears no at once."""

import asyncio

import pytest

from api.limits.connections import _AT_WORK, _CONNECTIONS, _GROUPS
from api.limits.lanes import LANES, THREADS, BusyError, Gate, Lane, current_lane, in_lane


def make(at_work: int = 2, waiting: int = 2, patience_s: float = 60.0) -> Gate:
    return Gate(Lane("features", at_work, waiting, patience_s))


def test_who_finds_no_place_and_no_place_to_wait_is_sent_away_at_once() -> None:
    async def crowd() -> None:
        gate = make()
        for _ in range(2):
            await gate.enter(None)
        patient = [asyncio.create_task(gate.enter(None)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as refused:
            await gate.enter(None)
        assert not refused.value.own
        assert 1 <= refused.value.retry_after <= 4
        assert (gate.working, gate.waiting, gate.refused) == (2, 2, 1)
        gate.leave(None)
        gate.leave(None)
        await asyncio.gather(*patient)
        assert (gate.working, gate.waiting) == (2, 0)

    asyncio.run(crowd())


def test_nobody_waits_longer_than_the_lane_is_patient() -> None:
    async def crowd() -> None:
        gate = make(patience_s=0.01)
        for _ in range(2):
            await gate.enter(None)
        with pytest.raises(BusyError):
            await gate.enter("ann")
        gate.leave(None)
        await gate.enter("ann")
        assert gate.working == 2

    asyncio.run(crowd())


def test_one_who_asks_has_at_most_half_of_a_lane() -> None:
    async def crowd() -> None:
        gate = make(at_work=2, waiting=6)
        for _ in range(2):
            await gate.enter("ann")
        waiting = [asyncio.create_task(gate.enter("ann")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as refused:
            await gate.enter("ann")
        assert refused.value.own
        other = asyncio.create_task(gate.enter("binh"))
        for _ in range(3):
            gate.leave("ann")
        await asyncio.gather(*waiting, other)
        assert (gate.working, gate.waiting) == (2, 0)

    asyncio.run(crowd())


def test_who_gives_up_while_waiting_leaves_no_trace() -> None:
    async def crowd() -> None:
        gate = make(at_work=1, waiting=2)
        await gate.enter("ann")
        task = asyncio.create_task(gate.enter("binh"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (gate.working, gate.waiting) == (1, 0)
        gate.leave("ann")
        await gate.enter("binh")
        gate.leave("binh")
        assert not gate._held

    asyncio.run(crowd())


def test_every_lane_has_connections_and_threads_for_what_is_at_work() -> None:
    assert {lane.name for lane in LANES} == set(_GROUPS)
    held = sum(lane.at_work for lane in LANES if lane.name != "streams")
    assert held < THREADS
    # What asks the database for long never waits for a connection; short questions share theirs.
    for group in ("features", "batch"):
        assert _CONNECTIONS[group] == sum(_AT_WORK[lane] for lane, one in _GROUPS.items() if one == group)


def test_a_request_knows_its_lane_and_the_server_itself_is_in_control() -> None:
    async def look() -> None:
        assert current_lane() == "control"
        async with in_lane("map"):
            assert await asyncio.to_thread(current_lane) == "map"
        assert current_lane() == "control"

    asyncio.run(look())
