"""People who write: they read an item, change it with its ETag, read back what they wrote, and record inspections."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
import psycopg

from bench.load_client import Client
from bench.load_tally import UNANSWERED, Tally

LAYER = "trees"
"""What is edited: a layer with many items and a free note."""
PACE_S = 3.0
"""Time between two edits of a writer, on average [s]."""
_INSPECTED = 0.3
EDIT, INSPECTION = "edit", "inspection"


async def list_editable(port: int, wanted: int, headers: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return ids of items that writers may change; RuntimeError where there are fewer than ``wanted``."""
    client = Client(port, Tally(), headers)
    try:
        asked = f"/api/collections/{LAYER}/items?limit={wanted}"
        answer = await client.ask("learn", asked, headers={"accept-encoding": "identity"}, keep=True)
    finally:
        client.close()
    found = orjson.loads(answer.body).get("features", ()) if answer.status == 200 else ()
    if len(found) < wanted:
        raise RuntimeError(f"{asked} answers {answer.status} with {len(found)} items, {wanted} are edited")
    return tuple(str(item["id"]) for item in found)


async def writer(
    port: int,
    items: Sequence[str],
    tally: Tally,
    stop: asyncio.Event,
    *,
    name: str,
    seed: int,
    pace_s: float = PACE_S,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Edit ``items`` in the name of ``name`` until told to stop; two writers may share items, then some edits conflict.

    ``tally.acknowledged`` counts what was said to be kept, ``tally.faults`` what could not be read back.
    """
    chance = random.Random(seed)
    named = {**(headers or {}), "twin-author": name, "twin-reason": "load", "accept-encoding": "identity"}
    client = Client(port, tally, named)
    try:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), chance.uniform(0.5, 1.5) * pace_s)
            if stop.is_set():
                break
            item = f"/api/collections/{LAYER}/items/{quote(chance.choice(items), safe='')}"
            await _edit(client, item, tally, f"{name} {time.time_ns()}")
            if chance.random() < _INSPECTED:
                await _inspect(client, item, tally, name)
    finally:
        client.close()


def count_written(url: str, names: Sequence[str]) -> dict[str, int]:
    """Return how many edits and inspections the database holds of writers ``names``."""
    with psycopg.connect(url) as connection:
        counted: dict[str, int] = {}
        for kind, statement in (
            (EDIT, "select count(*) from meta.edit where author = any(%s) and reason = 'load'"),
            (INSPECTION, "select count(*) from inventory.inspection where inspector = any(%s)"),
        ):
            row = connection.execute(statement, (list(names),)).fetchone()
            counted[kind] = int(row[0]) if row else 0
    return counted


async def _edit(client: Client, item: str, tally: Tally, note: str) -> None:
    before = await client.ask("item before an edit", item)
    if before.status != 200 or "etag" not in before.headers:
        return
    body = orjson.dumps({"properties": {"note": note}})
    given = {"content-type": "application/merge-patch+json", "if-match": before.headers["etag"]}
    done = await client.send(EDIT, "PATCH", item, body, headers=given)
    if done.status != 200:
        return
    tally.acknowledged[EDIT] += 1
    after = await client.ask("item after an edit", item, keep=True)
    if after.status != 200 or after.headers.get("etag") != done.headers.get("etag"):
        if after.status not in (UNANSWERED, 200, 429, 503):
            tally.faults["an edited item is gone"] += 1
        return
    read: Any = orjson.loads(after.body)
    if read["properties"].get("note") != note:
        tally.faults["an edit is not read back"] += 1


async def _inspect(client: Client, item: str, tally: Tally, name: str) -> None:
    seen = {"inspected": datetime.now(UTC).date().isoformat(), "inspector": name, "grade": 2}
    # The grade becomes an edit of the item: not one of those that are counted.
    given = {"content-type": "application/json", "twin-reason": "load: inspection"}
    done = await client.send(INSPECTION, "POST", f"{item}/inspections", orjson.dumps(seen), headers=given)
    if done.status == 201:
        tally.acknowledged[INSPECTION] += 1
