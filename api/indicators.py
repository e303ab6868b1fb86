"""Indicators as they are sent: JSON, CSV, and events of those that changed."""

import asyncio
import csv
import hashlib
import io
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import ServerSentEvent

from api.answers import write_json, write_moment
from api.live import Interest
from api.resources import Resources
from layers.access import WHOLE, asking_as, visible_layers
from layers.quantities import QUANTITIES
from twin.indicators.words import STATE_TITLES, OfSeries, Reported

BEAT_S, LEAST_PAUSE_S, AGAIN_S = 15.0, 2.0, 5.0
_log = logging.getLogger("api")
_SYMBOLS = {each.unit: each.symbol for each in QUANTITIES.values()} | {
    "{#}": "", "{people}": "", "m2": "m²", "ug/m3": "µg/m³", "[ppth]": "‰", "%": "%", "min": "min",
}  # fmt: skip
_COLUMNS = (
    "id", "theme", "title_vi", "title_en", "value", "unit", "state", "reason_vi", "reason_en", "time", "count", "of",
    "watch", "bad",
)  # fmt: skip


def write_indicator(told: Reported) -> dict[str, Any]:
    """Return an indicator as JSON, without the items behind it."""
    indicator, measured = told.indicator, told.measured
    limits = indicator.limits
    return {
        "id": indicator.id,
        "theme": indicator.theme,
        "title": indicator.title._asdict(),
        "description": indicator.description._asdict(),
        "value": None if measured.value is None else round(measured.value, max(indicator.digits, 3)),
        "unit": indicator.unit,
        "symbol": _SYMBOLS.get(indicator.unit, indicator.unit),
        "digits": indicator.digits,
        "state": told.state,
        "state_title": STATE_TITLES[told.state]._asdict(),
        "reason": told.reason._asdict(),
        "limits": {
            "watch": limits.watch,
            "bad": limits.bad,
            "direction": "below" if limits.below else "above",
            "of": "share" if limits.share else "value",
            "source": limits.source._asdict() if limits.source else None,
        },
        "change": None if told.change is None else round(told.change, 3),
        "time": measured.time and write_moment(measured.time),
        "count": measured.count,
        "of": measured.of,
        "parts": [{"id": each.id, "title": each.title._asdict(), "value": each.value} for each in measured.parts],
        "recent": [None if value is None else round(value, 3) for _, value in told.recent],
        "links": _link(told),
    }


def write_items(told: Reported, hidden: frozenset[str]) -> list[dict[str, Any]]:
    """Return the items behind an indicator that who asks may see, those that weigh most first."""
    return [
        {
            "layer": each.layer,
            "id": each.id,
            "name": each.name,
            "value": None if each.value is None else round(each.value, 4),
            "position": None if each.place is None else [round(side, 7) for side in each.place],
        }
        for each in told.measured.items
        if each.layer in visible_layers() and f"{each.layer}/{each.id}" not in hidden
    ]


def write_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return indicators as CSV, a line each."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        flat = {name: row[name] for name in ("id", "theme", "value", "unit", "state", "time", "count", "of")}
        words = {f"{name}_{lang}": row[name][lang] for name in ("title", "reason") for lang in ("vi", "en")}
        writer.writerow({**flat, **words, "watch": row["limits"]["watch"], "bad": row["limits"]["bad"]})
    return out.getvalue()


def write_hours_csv(hours: Sequence[tuple[datetime, float | None]]) -> str:
    """Return hourly figures as CSV."""
    lines = [f"{write_moment(at)},{'' if value is None else round(value, 4)}" for at, value in hours]
    return "\r\n".join(["time,value", *lines, ""])


def make_token(written: Sequence[Mapping[str, Any]]) -> str:
    """Return a mark of what indicators say: another one whenever one of them says something else."""
    return hashlib.blake2b(write_json(written), digest_size=12).hexdigest()


async def measure(resources: Resources) -> tuple[Reported, ...]:
    """Return all indicators, not on the loop."""
    # They are kept for all who ask, so they are measured as the twin itself.
    with asking_as(WHOLE):
        return await asyncio.to_thread(resources.indicators.measure, resources.engine.connect)


async def stream_indicators(
    resources: Resources, ids: frozenset[str], seen: str | None
) -> AsyncIterator[ServerSentEvent]:
    """Yield the indicators of ``ids`` (all when empty), then those that change and the alarms that do.

    Events: ``indicators`` with a list, ``alarm`` with its id, ``beat`` after ``BEAT_S`` [s] of silence. A client that
    knows ``seen``, the id of the newest event, gets the first list only where something changed since.
    """
    live = resources.live
    with live.listen(Interest()) as listener:
        sent: dict[str, Mapping[str, Any]] = {}
        while not live.ending.is_set():
            listener.woken.clear()
            listener.told = None
            while listener.notices:
                yield ServerSentEvent(listener.notices.popleft()[1], event="alarm")
            try:
                measured = await measure(resources)
            except SQLAlchemyError as error:
                _log.warning("indicators are not measured for now: %s", error)
                await asyncio.sleep(AGAIN_S)
                continue
            shown = [write_indicator(each) for each in measured if not ids or each.indicator.id in ids]
            token = make_token(shown)
            changed = [each for each in shown if sent.get(each["id"]) != each]
            if changed and (sent or token != seen):
                yield ServerSentEvent(write_json({"indicators": changed}).decode(), event="indicators", id=token)
            else:
                yield ServerSentEvent("{}", event="beat", id=token)
            sent = {each["id"]: each for each in shown}
            await asyncio.sleep(LEAST_PAUSE_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(listener.woken.wait(), BEAT_S - LEAST_PAUSE_S)


def _link(told: Reported) -> dict[str, str]:
    indicator = told.indicator
    links = {"self": f"/indicators/{indicator.id}", "items": indicator.link}
    if isinstance(indicator.measure, OfSeries):
        links["history"] = f"/indicators/{indicator.id}/history"
    return links
