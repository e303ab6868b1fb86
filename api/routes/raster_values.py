"""What a raster says at a place, through the time of a run, and along a line."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ResourcesOf, refuse_unknown
from api.rasters.pictures import read_point
from api.rasters.rows import Raster, describe_times, fetch_raster, find_band, find_file, find_steps, write_times
from api.rasters.series import (
    COVERAGE_JSON,
    CSV,
    MAX_SAMPLES,
    Series,
    parse_line,
    read_profile,
    write_coverage,
    write_profile_csv,
    write_series_csv,
)
from api.resources import Resources
from api.routes.rasters import During, Time
from layers.errors import InputError
from layers.quantities import QUANTITIES

router = APIRouter(prefix="/tiles/raster/{raster_id}", tags=["rasters"], dependencies=[Depends(refuse_unknown)])


@router.get("/point", summary="Values at a place")
def read_values(
    raster_id: str,
    resources: ResourcesOf,
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
    during: Annotated[str | None, Query(alias="datetime", description="Only this time, or start/end")] = None,
    f: Annotated[Literal["json", "csv", "covjson"], Query(description="Format")] = "json",
) -> Response:
    """Return the value at a place, one for every time of a series."""
    raster = fetch_raster(resources, raster_id)
    series = read_series(resources, raster, lon, lat, during)
    if f == "csv":
        return answer_csv(write_series_csv(series), f"{raster.row.id}-point.csv")
    if f == "covjson":
        return answer_json(write_coverage(series), media_type=COVERAGE_JSON)
    quantity = QUANTITIES[raster.layer.quantity]
    times = write_times(raster.row)
    if times is not None and during is not None:
        times = [times[place] for place in find_steps(raster.row, during)]
    return answer_json({"times": times, "values": series.values, "unit": quantity.unit, "symbol": quantity.symbol})


@router.get("/profile", summary="Values along a line")
def read_values_along(
    raster_id: str,
    resources: ResourcesOf,
    coords: Annotated[str, Query(description="The line as WKT in CRS84: LINESTRING(105.77 10.03, 105.79 10.04)")],
    time: Time = None,
    during: During = None,
    samples: Annotated[int, Query(ge=2, le=MAX_SAMPLES, description="How many places")] = 200,
    f: Annotated[Literal["json", "csv"], Query(description="Format")] = "json",
) -> Response:
    """Return the values along a line with distances [m], for one time of a series."""
    raster = fetch_raster(resources, raster_id)
    band = find_band(raster.row, time, during)
    profile = read_profile(find_file(resources, raster.row), parse_line(coords), band, samples)
    if f == "csv":
        return answer_csv(write_profile_csv(profile, raster.layer), f"{raster.row.id}-profile.csv")
    quantity = QUANTITIES[raster.layer.quantity]
    times = write_times(raster.row)
    return answer_json(
        {
            "time": times[band - 1] if times else None,
            "distances": profile.distances,
            "coordinates": profile.places,
            "values": profile.values,
            "unit": quantity.unit,
            "symbol": quantity.symbol,
        }
    )


def read_series(resources: Resources, raster: Raster, lon: float, lat: float, during: str | None) -> Series:
    """Return the values at a place [°] within ``during``; InputError where the raster has no time within it."""
    row, layer = raster
    values = read_point(find_file(resources, row), lon, lat)
    if not row.times:
        if during is not None:
            raise InputError(f"raster '{row.id}' has no times", hint="leave out datetime")
        return Series(layer, lon, lat, None, values)
    steps = find_steps(row, during)
    if not steps:
        raise InputError(f"datetime '{during}' holds no time of raster '{row.id}'", hint=describe_times(row.times))
    return Series(layer, lon, lat, [row.times[place] for place in steps], [values[place] for place in steps])


def answer_csv(words: str, name: str) -> Response:
    """Return a response with ``words`` as a CSV file called ``name``."""
    return Response(words, media_type=CSV, headers={"content-disposition": f'attachment; filename="{name}"'})
