"""Service level objectives: what the twin promises and how it keeps it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, refuse_unknown
from layers.store.migrate import read_city
from twin.observing.judging import STATE_TITLES, Judged, find_measured_share, find_ratio, judge_objectives
from twin.observing.objectives import DAYS
from twin.store_observing import Counted, list_hours

router = APIRouter(tags=["health"], dependencies=[Depends(refuse_unknown)])


@router.get("/slo", summary="Objectives and how they are met")
def read_objectives(connection: ConnectionOf) -> Response:
    """Return each objective with its target, what was counted now, within a day and within thirty, and the budget left.

    A ratio is null where there were no chances. ``measured`` is the share of minutes that were measured at all.
    """
    now = datetime.now(UTC)
    zone = ZoneInfo(str(read_city(connection).declaration.get("timezone", "UTC")))
    hours = list_hours(connection, now - timedelta(days=DAYS))
    measured = find_measured_share(hours, now)
    return answer_json(
        {
            "timeStamp": write_moment(now),
            "days": DAYS,
            "measured": None if measured is None else round(measured, 4),
            "objectives": [_write(each) for each in judge_objectives(hours, now, zone)],
        },
        headers={"cache-control": "no-cache"},
    )


def _write(judged: Judged) -> dict[str, Any]:
    objective = judged.objective
    return {
        "id": objective.id,
        "title": objective.title._asdict(),
        "good": objective.good._asdict(),
        "unit": objective.unit._asdict(),
        "target": objective.target,
        "state": judged.state,
        "state_title": STATE_TITLES[judged.state]._asdict(),
        "now": _count(judged.now),
        "day": _count(judged.day),
        "month": _count(judged.month),
        "budget_left": None if judged.budget is None else round(judged.budget, 4),
        "expression": objective.expression,
        "by_day": [{"day": day.isoformat(), **_count(counted)} for day, counted in judged.days],
    }


def _count(counted: Counted) -> dict[str, float | None]:
    ratio = find_ratio(counted)
    return {"ratio": None if ratio is None else round(ratio, 5), "good": counted.good, "total": counted.total}
