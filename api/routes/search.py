"""Search: features by words, places by address or coordinates, what is at a point."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer_json
from api.catalog import describe_city
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.parameters import parse_bbox
from layers.access import visible_layers
from layers.coordinate_text import MAX_LENGTH
from layers.coordinates import read_coordinates, write_coordinates
from layers.errors import InputError, NotFoundError
from layers.registry import THEMES
from layers.schema import VectorLayer
from layers.store.finding.geocode import Place, geocode, reverse_geocode
from layers.store.finding.search import MAX_HITS, Hit, search
from layers.store.migrate import read_city

router = APIRouter(prefix="/api", tags=["search"], dependencies=[Depends(refuse_unknown)])


@router.get("/search", summary="Features by words, without diacritics")
def search_features(
    connection: ConnectionOf,
    links: LinksOf,
    q: Annotated[str, Query(description="Words that begin words of a name, address, code or id")],
    bbox: Annotated[str | None, Query(description="Only there: west,south,east,north")] = None,
    theme: Annotated[str | None, Query(description="Only layers of these themes: a,b")] = None,
    collections: Annotated[str | None, Query(description="Only these layers: a,b")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_HITS)] = 20,
) -> Response:
    """Return features whose name, address, code or id has the words, the best first."""
    bounds = parse_bbox(bbox) if bbox is not None else None
    hits = search(connection, q, layers=_choose_layers(theme, collections), bounds=bounds, limit=limit)
    return answer_json(
        {"q": q, "numberReturned": len(hits), "hits": [_write_hit(hit, links) for hit in hits]},
        headers={"cache-control": "no-cache"},
    )


@router.get("/geocode", summary="Where an address is")
def find_address(
    connection: ConnectionOf,
    links: LinksOf,
    address: Annotated[str, Query(description="12 Nguyễn Trãi, Ninh Kiều; abbreviations Đ. P. Q. TP. are understood")],
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> Response:
    """Return places of an address; ``match`` says how each was found."""
    places = [_write_place(place, links) for place in geocode(connection, address, limit=limit)]
    return answer_json({"address": address, "numberReturned": len(places), "places": places})


@router.get("/reverse", summary="What is at a point")
def find_place(
    connection: ConnectionOf,
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-85, le=85, allow_inf_nan=False)],
) -> Response:
    """Return the nearest address and street, the ward, and the units it belonged to before."""
    around = reverse_geocode(connection, lon, lat)
    if not (around.address or around.street or around.ward):
        raise NotFoundError(f"there is no address, street or ward at {lon}, {lat}")
    return answer_json(
        {
            "position": [lon, lat],
            "address": around.address,
            "street": around.street,
            "ward": around.ward,
            "former": around.former,
        }
    )


@router.get("/coordinates", summary="What typed coordinates mean")
def find_coordinates(
    connection: ConnectionOf,
    resources: ResourcesOf,
    q: Annotated[
        str, Query(max_length=MAX_LENGTH, description="10.03, 105.78; 10°01'48\"N 105°46'48\"E; 1109275 585308")
    ],
) -> Response:
    """Return each place that a pair of WGS 84 or VN-2000 coordinates may mean, those in the city first; ``how`` says
    how it was read. No pair, no readings.
    """
    city = describe_city(connection, resources)
    readings = [
        {"crs": one.crs, "position": one.position, "how": one.how._asdict(), "in_city": one.inside}
        for one in read_coordinates(q, city=city["crs"], bounds=city["bounds"])
    ]
    return answer_json({"q": q, "numberReturned": len(readings), "readings": readings})


@router.get("/position", summary="A place in the coordinates people write")
def write_position(
    connection: ConnectionOf,
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-85, le=85, allow_inf_nan=False)],
) -> Response:
    """Return a place in decimal degrees, in degrees, minutes and seconds, and in the metres of the city's CRS."""
    city = f"EPSG:{read_city(connection).srid}"
    writings = [
        {"crs": one.crs, "form": one.form, "text": one.text, "how": one.how._asdict()}
        for one in write_coordinates(lon, lat, city=city)
    ]
    return answer_json({"position": [lon, lat], "writings": writings})


def _choose_layers(theme: str | None, collections: str | None) -> list[VectorLayer]:
    layers = list(visible_layers().values())
    for name, words, known in (
        ("theme", theme, [each.id for each in THEMES]),
        ("collections", collections, list(visible_layers())),
    ):
        wanted = words.split(",") if words is not None else known
        wrong = next((word for word in wanted if word not in known), None)
        if wrong is not None:
            raise InputError(f"{name} '{wrong[:80]}' does not exist", hint=f"one of {', '.join(known)}")
        layers = [layer for layer in layers if (layer.theme if name == "theme" else layer.id) in wanted]
    if not layers:
        raise InputError("no layer of these themes is among these collections")
    return layers


def _write_hit(hit: Hit, links: Links) -> dict[str, Any]:
    return {
        "collection": hit.layer.id,
        "collection_title": hit.layer.title._asdict(),
        "theme": hit.layer.theme,
        "id": hit.id,
        "kind": hit.kind,
        "title": hit.text,
        "marks": hit.marks,
        "position": hit.position,
        "bbox": hit.bounds,
        "count": hit.count,
        "score": hit.score,
        "exact": hit.exact,
        "links": links.of_item(hit.layer.id, hit.id),
    }


def _write_place(place: Place, links: Links) -> dict[str, Any]:
    written: dict[str, Any] = {
        "match": place.match,
        "interpolated": place.match == "interpolated",
        "title": place.text,
        "position": place.position,
        "score": place.score,
        "collection": place.layer,
        "id": place.id,
        "links": links.of_item(place.layer, place.id),
    }
    if place.between:
        written["between"] = place.between
    if place.former:
        written["former"] = place.former
    return written
