"""Readings of many requests stored together: each answered after its own rows are stored, or with its own error."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from api.sta.gathering import MOST_WAITING, Gatherer
from layers.errors import DatabaseError, NotFoundError


class Store:
    """Keeps what it is called with; refuses rows of series 'bad'; the first call waits until it is let go."""

    def __init__(self) -> None:
        self.calls: list[list[tuple[str, int]]] = []
        self.go = threading.Event()

    def __call__(self, rows: Sequence[dict[str, Any]], author: str, _reason: str) -> None:
        self.go.wait(10)
        self.calls.append([(author, row["phenomenon_time"]) for row in rows])
        if any(row["datastream_id"] == "bad" for row in rows):
            raise NotFoundError("no datastream called 'bad'")


def make_row(at: int, series: str = "good") -> dict[str, Any]:
    return {"datastream_id": series, "phenomenon_time": at}


async def bring_all(store: Store, brought: Sequence[tuple[list[dict[str, Any]], str]]) -> list[BaseException | None]:
    """Bring one, then the others while it is being stored; return what each was answered."""
    gatherer = Gatherer(store)
    tasks = []
    for rows, author in brought:
        tasks.append(asyncio.create_task(gatherer.store(rows, author, "")))
        await asyncio.sleep(0)
    store.go.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_what_comes_while_one_is_stored_is_stored_together() -> None:
    store = Store()
    answers = asyncio.run(bring_all(store, [([make_row(k)], "Lan") for k in range(5)]))
    assert answers == [None] * 5
    assert sorted(len(call) for call in store.calls) in ([1, 4], [5])
    assert sorted(at for call in store.calls for _, at in call) == [0, 1, 2, 3, 4]


def test_one_that_fails_fails_alone() -> None:
    store = Store()
    brought = [([make_row(k, "bad" if k == 3 else "good")], "Lan") for k in range(6)]
    answers = asyncio.run(bring_all(store, brought))
    assert [isinstance(answer, NotFoundError) for answer in answers] == [k == 3 for k in range(6)]
    alone = {call[0][1] for call in store.calls if len(call) == 1}
    assert {1, 2, 4, 5} <= alone | {at for call in store.calls if all(at != 3 for _, at in call) for _, at in call}


def test_authors_and_equal_readings_stay_apart() -> None:
    """One author a call; two values of one reading in two calls, so that the later is a correction."""
    store = Store()
    brought = [([make_row(0)], "a"), ([make_row(1)], "a"), ([make_row(1)], "a"), ([make_row(2)], "b")]
    assert asyncio.run(bring_all(store, brought)) == [None] * 4
    for call in store.calls:
        assert len({author for author, _ in call}) == 1
        assert len({at for _, at in call}) == len(call)


def test_more_than_can_wait_is_refused() -> None:
    store = Store()
    many = [make_row(k) for k in range(MOST_WAITING)]
    answers = asyncio.run(bring_all(store, [([make_row(-1)], "a"), (many, "a"), ([make_row(-2)], "a")]))
    assert isinstance(answers[2], DatabaseError)
    assert answers[0] is None


@pytest.mark.parametrize("count", [1, 3])
def test_who_goes_away_harms_nobody(count: int) -> None:
    async def leave(store: Store) -> None:
        gatherer = Gatherer(store)
        tasks = [asyncio.create_task(gatherer.store([make_row(k)], "a", "")) for k in range(count)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        store.go.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gatherer.store([make_row(99)], "a", "")

    store = Store()
    asyncio.run(leave(store))
    assert ("a", 99) in store.calls[-1]
