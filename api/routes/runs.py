"""Runs: the scientific record of what was computed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, refuse_unknown
from layers.store.migrate import read_city
from layers.store.rasters import RasterRow, list_rasters
from twin.store import RunRow, list_runs, read_run

router = APIRouter(prefix="/api/runs", tags=["runs"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="Runs, the newest first")
def list_all(
    connection: ConnectionOf,
    links: LinksOf,
    process: Annotated[str | None, Query(description="Only of this process")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """List runs without their results."""
    synthetic = _is_synthetic(connection)
    runs = [_write_short(run, synthetic) for run in list_runs(connection, process=process, limit=limit)]
    return answer_json(
        {"runs": runs, "links": [links.link("/api/runs", "self")]}, headers={"cache-control": "no-cache"}
    )


@router.get("/{run_id}", summary="One run with its results and provenance")
def read_one(run_id: str, connection: ConnectionOf) -> Response:
    """Return a run: inputs, rasters, summary, stage forecast, mass balance, provenance."""
    run = read_run(connection, run_id)
    record = _write_short(run, _is_synthetic(connection))
    record["rasters"] = [_write_raster(row) for row in list_rasters(connection, run_id=run.id)]
    record["summary"] = run.summary
    record["stage_forecast"] = run.stage_forecast
    record["balance"] = run.balance
    record["provenance"] = run.provenance
    if run.error:
        record["error"] = run.error
    return answer_json(record, headers={"cache-control": "no-cache"})


def _is_synthetic(connection: ConnectionOf) -> bool:
    return read_city(connection).synthetic


def _write_short(run: RunRow, synthetic: bool) -> dict[str, Any]:
    return {
        "id": run.id,
        "process": run.process,
        "status": run.status,
        "progress": round(run.progress),
        "message": run.message,
        "inputs": run.inputs,
        "title": {"vi": run.title_vi, "en": run.title_en},
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "base_time": run.base_time,
        "horizon_hours": run.horizon_hours,
        "synthetic": synthetic,
    }


def _write_raster(row: RasterRow) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": row.id,
        "layer": row.layer,
        "bounds": row.bounds,
        "tiles": f"/tiles/raster/{row.id}" + "/{z}/{x}/{y}.png",
        "minimum": row.minimum,
        "maximum": row.maximum,
    }
    if row.times:
        described["times"] = [write_moment(moment) for moment in row.times]
    return described
