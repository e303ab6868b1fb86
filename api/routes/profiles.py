"""What a drainage run keeps: series of its nodes and links, long profiles, the model that was run."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query
from numpy.typing import NDArray
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, ResourcesOf, refuse_unknown
from api.resources import Resources
from layers.errors import InputError, NotFoundError
from twin.store import RunRow, find_run_folder, read_run
from twin.swmm.profile import read_profile
from twin.swmm.profile_drawing import draw_profile
from twin.swmm.results_files import LINK_VALUES, MODEL, NODE_VALUES, SYSTEM_VALUES, StoredRun, open_results

router = APIRouter(prefix="/api/runs", tags=["runs"], dependencies=[Depends(refuse_unknown)])

# What a run left never changes.
KEPT = {"cache-control": "public, max-age=86400"}


@router.get("/{run_id}/drainage/series", summary="Series of a node or link of a drainage run, or of all of it")
def read_series(
    run_id: str,
    connection: ConnectionOf,
    resources: ResourcesOf,
    node: Annotated[str | None, Query(max_length=200, description="Id of a node")] = None,
    link: Annotated[str | None, Query(max_length=200, description="Id of a link")] = None,
) -> Response:
    """Return times and values: of a node, of a link (flow, depth, velocity), or of the whole system."""
    if node is not None and link is not None:
        raise InputError("parameters 'node' and 'link' exclude each other")
    run, stored = _open(connection, resources, run_id)
    values: dict[str, NDArray[np.float32]]
    about: dict[str, Any] = {"run": run.id}
    if node is not None:
        index = stored.find_node(node)
        values, units = stored.read_node(index), NODE_VALUES
        about |= {"node": stored.nodes["ids"][index], "invert": stored.nodes["invert"][index]}
    elif link is not None:
        index = stored.find_link(link)
        values, units = stored.read_link(index), LINK_VALUES
        about |= {"link": stored.links["ids"][index], "full_depth": stored.links["full_depth"][index]}
    else:
        values, units = stored.read_system(), SYSTEM_VALUES
    written = {name: [round(float(value), 5) for value in array] for name, array in values.items()}
    answer = {**about, "times": _write_times(run, stored), "seconds": stored.times.tolist(), "units": units, **written}
    return answer_json(answer, headers=KEPT)


@router.get("/{run_id}/drainage/profile", summary="Long profile between two nodes of a drainage run")
def draw(
    run_id: str,
    connection: ConnectionOf,
    resources: ResourcesOf,
    first: Annotated[str, Query(alias="from", max_length=200, description="Id of the node it begins at")],
    last: Annotated[str, Query(alias="to", max_length=200, description="Id of the node it ends at")],
    hours: Annotated[
        float | None, Query(ge=0.0, le=9000.0, description="Hours after the start, for levels then")
    ] = None,
    f: Annotated[Literal["json", "svg"], Query(description="Arrays, or a picture")] = "json",
) -> Response:
    """Return bed, crown, ground and water along the drains, as arrays or as a picture (SVG)."""
    run, stored = _open(connection, resources, run_id)
    at = None if hours is None else hours * 3600.0
    profile = read_profile(stored, first, last, at=at)
    if f == "json":
        return answer_json({"run": run.id, **profile.to_json()}, headers=KEPT)
    names = profile.stations[0].id, profile.stations[-1].id
    moment = None if hours is None else f"{int(hours)}:{round(hours % 1.0 * 60.0):02d} h"
    picture = draw_profile(profile, title=f"Trắc dọc · long profile {names[0]} – {names[1]}", moment=moment)
    return Response(picture, media_type="image/svg+xml", headers=KEPT)


@router.get("/{run_id}/drainage/model", summary="The SWMM input file that a drainage run ran")
def read_model_text(run_id: str, connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the model as text, with storm, stage and edits in it."""
    run, stored = _open(connection, resources, run_id)
    try:
        text = (stored.folder / MODEL).read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"run '{run.id}' keeps no model") from error
    headers = {**KEPT, "content-disposition": f'attachment; filename="{run.id}.inp"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)


def _open(connection: Connection, resources: Resources, run_id: str) -> tuple[RunRow, StoredRun]:
    folder = find_run_folder(connection, resources.settings.processed_dir, run_id, with_rasters=False)
    return read_run(connection, run_id), open_results(folder)


def _write_times(run: RunRow, stored: StoredRun) -> list[str | None]:
    if run.base_time is None:
        return []
    return [write_moment(run.base_time + timedelta(seconds=float(seconds))) for seconds in stored.times]
