"""The words of an analysis: process, its inputs, the city it sees and what it hands back.

A process opens nothing. It is given a view of the city and returns rasters, features and numbers by layer id; who
reads and writes them is ``twin.runs``. Its OGC description, command-line help and web form follow from its inputs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from layers.errors import InputError
from layers.grid import Grid
from layers.schema import Access, Text
from layers.store.models import Model, ModelKind
from twin.board import Board
from twin.networks.city_graph import CityGraph
from twin.networks.kept import KeptTrace
from twin.roads.city_roads import CityRoads
from twin.store_traffic import RoadSeries
from twin.transit.feed import CityFeed

_MOST_SHOWN = 200
"""Characters of a wrong value that an error repeats: some are whole files."""
_TEXTS = ("title", "title_i18n", "description", "description_i18n")
Bounds = tuple[float, float, float, float]
Arrays = dict[str, NDArray[Any]]
Checkpoint = Arrays


class Inputs(BaseModel):
    """Base of all inputs of processes: frozen, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def describe(
    title: Text,
    description: Text,
    *,
    unit: str | None = None,
    choices: Mapping[Any, Text] | None = None,
    **rules: Any,
) -> Any:
    """Return the field of an input: title and a sentence in both languages, its unit [UCUM] and pydantic's rules.

    ``choices`` names each value of an enumeration.
    """
    extra: dict[str, Any] = {"title_i18n": title._asdict(), "description_i18n": description._asdict()}
    if unit is not None:
        extra["x-unit"] = unit
    if choices is not None:
        extra["x-enum-titles"] = {value: text._asdict() for value, text in choices.items()}
    return Field(title=title.en, description=description.en, json_schema_extra=extra, **rules)


class CityView(Protocol):
    """The city as a process sees it: at one time, with the edits of a scenario applied."""

    @property
    def crs(self) -> str:
        """The city's projected CRS, as ``EPSG:…``."""

    @property
    def now(self) -> datetime:
        """The time the city is looked at (UTC)."""

    @property
    def main_gauge(self) -> str | None:
        """Id of the sensor whose stage drives forecasts."""

    @property
    def damage(self) -> Mapping[str, Mapping[str, Any]]:
        """What a flood costs, by class of use, where the city says so; see hydrology.damage.read_damage_table."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the city's clocks."""

    @property
    def lamp_calendars(self) -> Sequence[tuple[str, datetime, Mapping[str, Any]]]:
        """Programs and calendars of lamps: cabinet ("" for all others), from when on, document; in order of time."""

    def layer(
        self, layer_id: str, *, bounds: Bounds | None = None, columns: Sequence[str] | None = None
    ) -> gpd.GeoDataFrame:
        """Return the features of a layer with ``id``, its properties and geometry in the city's CRS."""

    def find_features(
        self, layer_id: str, *, passing: str | None = None, named: Sequence[str] | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Return ids and feature ids (``fid``) of the features that pass a CQL2 filter, or have the ids ``named``."""

    def network(self, commodity: str) -> CityGraph:
        """Return the network of a commodity as it is now; NotFoundError for a commodity there is none of."""

    def roads(self) -> CityRoads:
        """Return the roads as they are now; they are kept in memory and never changed."""

    def feeds(self, names: Sequence[str] = ()) -> Sequence[CityFeed]:
        """Return the public transport feeds in force, all without ``names``; NotFoundError for one there is none of."""

    def road_series(self, at: datetime) -> Sequence[RoadSeries]:
        """Return the series of traffic that watch roads, with their newest good readings up to ``at``."""

    def read_model(self, model_id: str, kind: ModelKind) -> tuple[Model, Mapping[str, bytes]]:
        """Return a hydraulic model with the files it names, by name; NotFoundError tells those of its kind."""

    def find_run_folder(self, run_id: str) -> Path:
        """Return where a finished run keeps its files; NotFoundError where there is no such run."""

    def find_newest_run(self, layer_id: str) -> str:
        """Return the id of the newest run that wrote a raster layer; NotFoundError where none did."""

    def raster(
        self, layer_id: str, *, cell_size: float | None = None, bounds: Bounds | None = None
    ) -> tuple[NDArray[np.float32], Grid]:
        """Return the values of a raster layer (NaN no data) on a grid; NotFoundError when there is none."""

    def find_datastream(self, sensor_id: str, observed_property: str) -> str:
        """Return the id of the sensor's series of ``observed_property``; NotFoundError names what there is."""

    def series(
        self, datastream_id: str, start: datetime, end: datetime
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times [s since 1970 UTC] and values of a series, in order, without bad or missing readings."""

    def last_reading(self, datastream_id: str) -> datetime | None:
        """Return the time of the newest reading of a series, or None."""

    def issued(self, datastream_id: str, issue_time: datetime) -> Arrays | None:
        """Return what was issued for a series at that time, or None.

        times [s since 1970 UTC] (n,), quantiles (n, levels), warning and tide (n,), in the unit of the series.
        """

    def derived(self, kind: str, signature: str, make: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a ``kind`` that the city keeps under the signature of all they are made of.

        ``make`` is called when it keeps none.
        """


class Progress(Protocol):
    """How a process speaks with whoever runs it: how far it is, whether to stop, where to start again."""

    def report(self, fraction: float, message: str) -> None:
        """Say how far the work is, 0–1, and what is being done."""

    def should_stop(self) -> bool:
        """Return whether somebody asked to stop."""

    def read_checkpoint(self) -> Checkpoint | None:
        """Return what an interrupted attempt saved last, or None."""

    def write_checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        """Save what a next attempt needs to continue from here; ``make`` is called only when it is time to."""

    def open_shelf(self) -> Path | None:
        """Return a folder for members that outlive an interrupted attempt, which need not be there yet, or None."""

    def open_board(self, compute: Callable[[Any, "Progress"], Any]) -> Board | None:
        """Return a board on which other machines, told of it, find members to ``compute``; None where nobody helps."""


class Quiet:
    """Progress that nobody follows; never asks to stop and keeps no checkpoint."""

    def report(self, fraction: float, message: str) -> None:
        """Ignore it."""

    def should_stop(self) -> bool:
        """Return False."""
        return False

    def read_checkpoint(self) -> Checkpoint | None:
        """Return None."""
        return None

    def write_checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        """Ignore it."""

    def open_shelf(self) -> Path | None:
        """Return None."""
        return None

    def open_board(self, compute: Callable[[Any, Progress], Any]) -> Board | None:
        """Return None."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class RasterOutput:
    """Values (rows, cols), or (times, rows, cols) with one time a slice, on a grid; NaN = no value."""

    array: NDArray[np.float32]
    grid: Grid
    times: tuple[datetime, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a process hands back.

    ``features`` have an ``id`` unique within the run; the run's own id is put before it. ``parameters`` are the
    numerical parameters used, ``base_time`` the time the first result stands for. ``trace`` is kept under its id, so
    that filters find what it found. ``files`` are kept beside the rasters, by name.
    """

    title: Text
    base_time: datetime
    horizon_hours: float
    rasters: Mapping[str, RasterOutput] = field(default_factory=dict)
    features: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    stage_forecast: Mapping[str, Any] | None = None
    balance: Mapping[str, float] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    trace: KeptTrace | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


class StoppedError(Exception):
    """The process noticed that somebody asked to stop; no error of anyone."""


@dataclass(frozen=True, slots=True)
class Process:
    """One analysis. ``outputs`` are the ids of the layers it writes.

    ``immediate``: it only reads and takes milliseconds, so that it is answered at once where nobody asks for a job.
    ``access`` says from which level on somebody may ask it so; who begins a run needs that right besides.
    """

    id: str
    title: Text
    description: Text
    inputs: type[Inputs]
    outputs: tuple[str, ...]
    compute: Callable[[CityView, Any, Progress], Outputs]
    immediate: bool = False
    access: Access = "staff"


def parse_inputs(process: Process, values: Mapping[str, Any]) -> Inputs:
    """Return the checked inputs; InputError names the first one that is wrong and, if unknown, those there are."""
    try:
        return process.inputs.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "inputs"
        if first["type"] == "extra_forbidden":
            known = ", ".join(process.inputs.model_fields)
            raise InputError(f"process '{process.id}' has no input '{name}'", hint=f"one of {known}") from error
        found = "" if first["type"] == "missing" else f", found {repr(first['input'])[:_MOST_SHOWN]}"
        reason = first["msg"].removeprefix("Value error, ")
        raise InputError(f"input '{name}' of process '{process.id}': {reason}{found}") from error


def parse_words(process: Process, words: Sequence[str]) -> dict[str, Any]:
    """Return the values of ``name=value`` words; lists as JSON or separated by commas."""
    values: dict[str, Any] = {}
    described = describe_inputs(process)
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"input '{word}' is not of the form name=value")
        is_list = described.get(name, {}).get("schema", {}).get("type") == "array"
        if value[:1] in ("[", "{"):
            try:
                values[name] = json.loads(value)
            except json.JSONDecodeError as error:
                raise InputError(f"input '{name}' is not JSON: {error.msg} at character {error.pos}") from error
        else:
            values[name] = [part.strip() for part in value.split(",") if part.strip()] if is_list else value
    return values


def describe_inputs(process: Process) -> dict[str, dict[str, Any]]:
    """Return the inputs as OGC API Processes describes them: title, description, JSON Schema, occurrences."""
    schema = process.inputs.model_json_schema()
    definitions = schema.get("$defs", {})
    required = set(schema.get("required", ()))
    described: dict[str, dict[str, Any]] = {}
    for name, declared in schema["properties"].items():
        own = _flatten(declared, definitions)
        texts: dict[str, Any] = {key: own.pop(key) for key in _TEXTS if key in own}
        described[name] = {**texts, "schema": own, "minOccurs": int(name in required), "maxOccurs": 1}
    return described


def _flatten(declared: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without references, and without the null that an optional input allows."""
    own = dict(declared)
    if "$ref" in own:
        own = {**definitions[own.pop("$ref").rsplit("/", 1)[-1]], **own}
    choices = [choice for choice in own.pop("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        own = {**_flatten(choices[0], definitions), **own}
    elif choices:
        own["anyOf"] = [_flatten(choice, definitions) for choice in choices]
    if "items" in own:
        own["items"] = _flatten(own["items"], definitions)
    if "properties" in own:
        own["properties"] = {key: _flatten(value, definitions) for key, value in own["properties"].items()}
    if own.get("default", ...) is None:
        del own["default"]
    return own
