"""The state of assets: pumping, open, lit, at which level, flooded how deep; now, then, and as it was known then."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, ResourcesOf, find_collection, refuse_unknown
from api.parameters import parse_bbox, parse_moment
from layers.errors import InputError
from layers.store.migrate import read_city
from twin.state.assets import AssetState, find_state, find_states
from twin.state.written import write_state

router = APIRouter(prefix="/state", tags=["state"], dependencies=[Depends(refuse_unknown)])
At = Annotated[str | None, Query(description="The moment asked for, also one to come; without it, now")]
Known = Annotated[str | None, Query(description="As it was known at this moment; without it, as it is known now")]
_HEADERS = {"cache-control": "no-cache"}


@router.get("", summary="The state of all items of a layer")
def read_states(
    connection: ConnectionOf,
    resources: ResourcesOf,
    layer: Annotated[str, Query(description="Collection")],
    bbox: Annotated[str | None, Query(description="west,south,east,north in CRS84")] = None,
    at: At = None,
    known: Known = None,
    limit: Annotated[int, Query(ge=1, le=50_000, description="At most so many items, by id")] = 10_000,
) -> Response:
    """Return items as GeoJSON with their state."""
    states = find_states(
        connection,
        find_collection(layer),
        resources.settings.processed_dir,
        zone=read_zone(connection),
        bbox=parse_bbox(bbox) if bbox is not None else None,
        limit=limit,
        at=_read_time(at, "at"),
        known=_read_time(known, "known"),
    )
    features = [write_feature(state) for state in states]
    answer = {"type": "FeatureCollection", "numberReturned": len(features), "features": features}
    return answer_json(answer, media_type=GEOJSON, headers=_HEADERS)


@router.get("/{layer}/{item_id:path}", summary="The state of one item")
def read_state(
    layer: str, item_id: str, connection: ConnectionOf, resources: ResourcesOf, at: At = None, known: Known = None
) -> Response:
    """Return the state of an item with every series that speaks of it."""
    state = find_state(
        connection,
        find_collection(layer),
        item_id,
        resources.settings.processed_dir,
        zone=read_zone(connection),
        at=_read_time(at, "at"),
        known=_read_time(known, "known"),
    )
    return answer_json(write_state(state), headers=_HEADERS)


def read_zone(connection: Connection) -> ZoneInfo:
    """Return the city's time zone."""
    return ZoneInfo(str(read_city(connection).declaration.get("timezone", "UTC")))


def _read_time(value: str | None, name: str) -> datetime | None:
    if value is None:
        return None
    moment = parse_moment(value, name)
    if not 1900 <= moment.year <= 2200:
        raise InputError(f"{name} {write_moment(moment)} lies outside the years 1900 to 2200")
    return moment


def write_feature(state: AssetState) -> dict[str, Any]:
    """Return a state as a GeoJSON feature."""
    told = write_state(state)
    return {
        "type": "Feature",
        "id": told.pop("id"),
        "geometry": orjson.Fragment(state.item.geometry),
        "properties": {name: value for name, value in told.items() if name != "readings"},
    }
