"""How tables of routes, stops and headways are read: a YAML file that names their columns and what is assumed."""

from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from layers.errors import MappingError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AgencyColumns(_Strict):
    """The file of operators, and what none of its columns says."""

    file: str
    id: str = "id"
    name: str = "name"
    url: str
    timezone: str
    language: str = "vi"


class StopColumns(_Strict):
    """The file of stops; the place is two columns, or one with longitude, latitude."""

    file: str
    id: str = "id"
    code: str | None = None
    name: str = "name"
    description: str | None = None
    lon: str | None = None
    lat: str | None = None
    lon_lat: str | None = None


class RouteColumns(_Strict):
    """The file of routes with their hours and headways; ``type`` is a GTFS route type."""

    file: str
    id: str = "id"
    short_name: str
    long_name: str
    description: str | None = None
    agency: str | None = None
    hours: str
    headway: str
    fare: str | None = None
    currency: str = "VND"
    type: int = Field(default=3, ge=0, le=1702)


class CallColumns(_Strict):
    """The file of calls: which stop a route calls at, in which order, in which direction (0 or 1)."""

    file: str
    route: str
    stop: str
    sequence: str
    direction: str | None = None


class HeadwayMapping(_Strict):
    """How tables of routes, stops and headways are read, and what is assumed of running times.

    speed: between stops [km/h]; halt: at each stop [s]; detour: of the way to the straight line, where no road is
    known. farthest: neighbours this far apart [km] are out of order, see ``stop_order``; without it the order stays.
    """

    agencies: AgencyColumns
    stops: StopColumns
    routes: RouteColumns
    calls: CallColumns
    valid_from: date
    valid_to: date
    speed: float = Field(default=25.0, gt=1.0, le=120.0)
    halt: float = Field(default=15.0, ge=0.0, le=600.0)
    detour: float = Field(default=1.3, ge=1.0, le=4.0)
    farthest: float | None = Field(default=None, gt=0.0, le=1_000.0)


def read_mapping(path: Path) -> HeadwayMapping:
    """Return the mapping of a YAML file; MappingError names what is wrong."""
    try:
        return HeadwayMapping.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"{path} cannot be read: {str(error)[:200]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise MappingError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
