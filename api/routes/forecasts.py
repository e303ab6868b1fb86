"""Forecasts: the newest of all gauges, every issue that was kept, how good they were, the loop, a page about it."""

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection
from starlette.responses import HTMLResponse, Response

from api.answers import answer_json
from api.dependencies import ConnectionOf, refuse_unknown
from api.parameters import parse_moment
from api.verification import Page, write_empty_page, write_page
from layers.store.migrate import read_city
from layers.store.sensing.datastreams import read_datastream
from twin.forecasts.loop import describe_loop
from twin.forecasts.models import read_stages
from twin.forecasts.verifying import verify_gauge
from twin.forecasts.writing import (
    write_alarms,
    write_issue,
    write_next_high,
    write_peak,
    write_skill,
    write_trend,
    write_values,
)
from twin.store_forecasts import (
    Issue,
    StageGauge,
    find_gauge,
    list_issues,
    list_newest,
    list_stage_gauges,
    read_issue,
    read_values,
)

_NO_STORE = {"cache-control": "no-cache"}
_NEVER_TURNED: dict[str, object] = {"last_started": None, "late_since": None, "newest_run": None, "wards": []}
_SHOWN_HOURS = (6.0, 12.0, 24.0)
_LOOK_BACK = timedelta(hours=5)
"""How much of the readings tells the trend, and whether a high water has just passed."""

router = APIRouter(tags=["forecasts"], dependencies=[Depends(refuse_unknown)])
Days = Annotated[float, Query(gt=0, le=3660, description="How many days back from the newest reading")]


@router.get("/forecasts", summary="The newest forecast of every series")
def read_newest(connection: ConnectionOf) -> Response:
    """Return all series that have a forecast: highest stage, next high water, how likely each alarm level is, trend."""
    gauges = {gauge.datastream_id: gauge for gauge in list_stage_gauges(connection)}
    found = []
    for issue in list_newest(connection):
        values = read_values(connection, issue.id)
        gauge = gauges.get(issue.datastream_id)
        words: dict[str, Any] = {**write_issue(issue), "peak": write_peak(values)}
        if gauge is not None:
            times, stages = read_stages(connection, gauge.datastream_id, gauge.newest - _LOOK_BACK, gauge.newest)
            words |= {
                "sensor_id": gauge.sensor_id,
                "name": gauge.name,
                "alarms": write_alarms(values, gauge),
                "next_high": write_next_high(values, times, stages),
                "trend": write_trend(times, stages),
            }
        found.append(words)
    return answer_json({"forecasts": found}, headers=_NO_STORE)


@router.get("/forecasts/loop", summary="How the loop from readings to floods stands")
def read_loop(connection: ConnectionOf) -> Response:
    """Return when it last ran or why not, since when it is late, and whom its newest flood reaches when.

    A loop that never turned has neither: it needs a main gauge.
    """
    return answer_json(describe_loop(connection) or _NEVER_TURNED, headers=_NO_STORE)


@router.get("/forecasts/{datastream_id}/issues", summary="Every issue of a series, the newest first")
def read_issues(
    datastream_id: str,
    connection: ConnectionOf,
    before: Annotated[str | None, Query(description="Only issued before this moment: the next page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Return the issues without their values."""
    read_datastream(connection, datastream_id)
    moment = None if before is None else parse_moment(before, "before")
    rows = list_issues(connection, datastream_id, limit=limit, before=moment)
    return answer_json({"issues": [write_issue(row) for row in rows]}, headers=_NO_STORE)


@router.get("/forecasts/{datastream_id}/issues/{issue_time}", summary="One issue with its values")
def read_one_issue(datastream_id: str, issue_time: str, connection: ConnectionOf) -> Response:
    """Return what was said at that issue time, or with ``latest`` the newest."""
    moment = None if issue_time == "latest" else parse_moment(issue_time, "issue_time")
    issue = read_issue(connection, datastream_id, moment)
    return answer_json({**write_issue(issue), **write_values(read_values(connection, issue.id))}, headers=_NO_STORE)


@router.get("/forecasts/{datastream_id}/skill", summary="What was issued against what came")
def read_skill(datastream_id: str, connection: ConnectionOf, days: Days = 30.0) -> Response:
    """Return the scores by lead, the errors of high waters, the lead of the first right warning."""
    skill = verify_gauge(connection, find_gauge(connection, datastream_id), days=days)
    return answer_json({"datastream_id": datastream_id, **write_skill(skill)}, headers=_NO_STORE)


@router.get("/verification", summary="The verification page", response_class=HTMLResponse)
def read_page(
    connection: ConnectionOf,
    datastream: Annotated[str | None, Query(description="Series to show; the main gauge's without it")] = None,
    days: Days = 30.0,
) -> Response:
    """Return the page: last issues against what came, skill by lead, reliability, the loop."""
    city = read_city(connection)
    title = _find_title(city.declaration)
    known = {issue.datastream_id: issue for issue in list_newest(connection, "stage")}
    gauges = [gauge for gauge in list_stage_gauges(connection) if gauge.datastream_id in known]
    if not gauges:
        return HTMLResponse(write_empty_page(title), headers=_NO_STORE)
    chosen = _choose(connection, gauges, datastream, city.declaration.get("main_gauge"))
    newest = known[chosen.datastream_id]
    start = newest.issue_time - timedelta(hours=48)
    times, stages = read_stages(connection, chosen.datastream_id, start, newest.issue_time + timedelta(hours=48))
    page = Page(
        title,
        ZoneInfo(str(city.declaration.get("timezone") or "UTC")),
        gauges,
        chosen,
        newest,
        [(issue, read_values(connection, issue.id)) for issue in _pick_issues(connection, newest)],
        times,
        stages,
        verify_gauge(connection, chosen, days=days),
        describe_loop(connection),
    )
    return HTMLResponse(write_page(page), headers=_NO_STORE)


def _choose(connection: Connection, gauges: list[StageGauge], wanted: str | None, main: object) -> StageGauge:
    if wanted is not None:
        read_issue(connection, wanted)
        return find_gauge(connection, wanted)
    return next((gauge for gauge in gauges if gauge.sensor_id == main), gauges[0])


def _pick_issues(connection: Connection, newest: Issue) -> list[Issue]:
    """Return the newest issue, and of the hours before it those made at or just before some leads."""
    rows = list_issues(connection, newest.datastream_id, limit=300)
    picked = [newest]
    for hours in _SHOWN_HOURS:
        at = newest.issue_time - timedelta(hours=hours)
        found = next((row for row in rows if row.issue_time <= at), None)
        if found is not None and found not in picked:
            picked.append(found)
    return picked


def _find_title(declaration: dict[str, Any]) -> str:
    title = declaration.get("title")
    return str(title.get("vi", "")) if isinstance(title, dict) else str(title or "")
