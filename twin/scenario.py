"""A scenario: a base time and a list of edits, frozen and hashable. Taking an edit away restores the base."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from hydrology.design_storm import Shape
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.store.models import Model, ModelKind
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import read_commodity
from twin.networks.laying import view_network
from twin.process import Arrays, Bounds, CityView
from twin.roads.city_roads import CityRoads
from twin.store_traffic import RoadSeries
from twin.transit.feed import CityFeed


@dataclass(frozen=True, slots=True)
class StageOffset:
    """The stage stands ``metres`` [m] above (or below) what is forecast."""

    metres: float


@dataclass(frozen=True, slots=True)
class HoldStage:
    """The stage rises over ``ramp_hours`` [h] to ``level`` [m] and stays."""

    level: float
    ramp_hours: float


@dataclass(frozen=True, slots=True)
class DesignStorm:
    """A storm of ``depth_mm`` [mm] in ``duration_hours`` [h] falls from the start in the time ``shape`` gives it."""

    depth_mm: float
    duration_hours: float
    shape: Shape = "chicago"


@dataclass(frozen=True, slots=True)
class ReturnStorm:
    """The storm that comes once in ``return_period`` [years] on average falls from the start.

    curve: the place's A, C, b, n of TCVN 7957, for l/s/ha and minutes.
    """

    return_period: float
    duration_hours: float
    curve: tuple[float, float, float, float]
    shape: Shape = "chicago"


@dataclass(frozen=True, slots=True)
class CloseGate:
    """The tide gate is closed all the time."""

    gate_id: str


@dataclass(frozen=True, slots=True)
class OpenGate:
    """The tide gate stays open at any stage."""

    gate_id: str


@dataclass(frozen=True, slots=True)
class StopPump:
    """The pump does not run."""

    pump_id: str


@dataclass(frozen=True, slots=True)
class OperateGate:
    """The tide gate is set by hand: shares of its opening [1] from each of ``hours`` [h after the start] on."""

    gate_id: str
    hours: tuple[float, ...]
    settings: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OperatePump:
    """The pump is run by hand: shares of its capacity [1] from each of ``hours`` [h after the start] on."""

    pump_id: str
    hours: tuple[float, ...]
    settings: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BreachDyke:
    """A gap of ``width`` [m] down to ``crest`` [m] (None: to the ground) at a point, or in the middle of a dyke.

    It begins ``start_hours`` [h] after the start and forms in ``formation_hours`` [h] (None: by its size).
    """

    width: float
    crest: float | None = None
    dyke_id: str | None = None
    lon: float | None = None
    lat: float | None = None
    start_hours: float = 0.0
    formation_hours: float | None = None


@dataclass(frozen=True, slots=True)
class RaiseSea:
    """The sea, and with it the stage at any time, stands ``metres`` [m] higher than today."""

    metres: float


@dataclass(frozen=True, slots=True)
class Subside:
    """The land with all that stands on it has sunk by ``metres`` [m]; the rivers' stage has not."""

    metres: float


@dataclass(frozen=True, slots=True)
class ScaleRain:
    """All rain is ``factor`` [1] times as heavy."""

    factor: float


@dataclass(frozen=True, slots=True)
class RepeatRain:
    """The rain that the city's gauges recorded falls."""


@dataclass(frozen=True, slots=True)
class SupplyRain:
    """Rain given step by step falls from the start: depths [mm], each in ``step_minutes`` [min]."""

    depths: tuple[float, ...]
    step_minutes: float


@dataclass(frozen=True, slots=True)
class BlowWind:
    """Wind of ``speed`` [m/s] blows from ``direction`` [deg clockwise from north] all the time."""

    speed: float
    direction: float


@dataclass(frozen=True, slots=True)
class BlockLinks:
    """Sediment or rubbish takes ``share`` [1] of the section of drainage links."""

    link_ids: tuple[str, ...]
    share: float


Measure = Literal["green_roof", "permeable_pavement", "rain_garden", "rain_barrel"]


@dataclass(frozen=True, slots=True)
class RetainRain:
    """A measure keeps back the rain of ``share`` [1] of the sealed ground of catchments."""

    measure: Measure
    catchment_ids: tuple[str, ...]
    share: float


Places = tuple[tuple[float, float], ...]
"""Longitudes and latitudes [deg] of a drawing's corners."""


@dataclass(frozen=True, slots=True)
class DigPond:
    """A retention pond of ``depth`` [m] below the ground is dug within ``ring``; it is empty at the start."""

    ring: Places
    depth: float


@dataclass(frozen=True, slots=True)
class WidenCanal:
    """A strip of ``width`` [m] along ``line`` is dug ``depth`` [m] deep; what is water there already stays."""

    line: Places
    width: float
    depth: float


@dataclass(frozen=True, slots=True)
class RaiseRoad:
    """A road of ``width`` [m] along ``line`` lies ``height`` [m] above the ground and holds water back."""

    line: Places
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class BuildDyke:
    """A dyke or wall along ``line`` has its crest ``height`` [m] above the ground."""

    line: Places
    height: float


Edit = (
    StageOffset
    | HoldStage
    | DesignStorm
    | ReturnStorm
    | CloseGate
    | OpenGate
    | StopPump
    | OperateGate
    | OperatePump
    | BreachDyke
    | RaiseSea
    | Subside
    | ScaleRain
    | RepeatRain
    | SupplyRain
    | BlowWind
    | BlockLinks
    | RetainRain
    | DigPond
    | WidenCanal
    | RaiseRoad
    | BuildDyke
)
Kind = TypeVar("Kind", bound=Edit)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The city at ``base_time`` with ``edits``, in the order they were made; two with equal edits are equal."""

    base_time: datetime
    edits: tuple[Edit, ...] = ()

    def with_edit(self, edit: Edit) -> "Scenario":
        """Return the scenario with one edit more; the same edit twice is once."""
        return self if edit in self.edits else replace(self, edits=(*self.edits, edit))

    def without_edit(self, edit: Edit) -> "Scenario":
        """Return the scenario with one edit less; InputError when it is not there."""
        if edit not in self.edits:
            raise InputError(f"the scenario has no edit {edit}")
        return replace(self, edits=tuple(kept for kept in self.edits if kept != edit))

    def find(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """Return the edits of one kind."""
        return tuple(edit for edit in self.edits if isinstance(edit, kind))


@dataclass(frozen=True, slots=True)
class EditedCity:
    """A view of the city with a scenario's gates and pumps applied; all else is the city's own."""

    base: CityView
    scenario: Scenario

    @property
    def crs(self) -> str:
        """The city's projected CRS."""
        return self.base.crs

    @property
    def now(self) -> datetime:
        """The scenario's base time."""
        return self.scenario.base_time

    @property
    def main_gauge(self) -> str | None:
        """Id of the sensor whose stage drives forecasts."""
        return self.base.main_gauge

    @property
    def damage(self) -> Mapping[str, Mapping[str, Any]]:
        """What a flood costs, by class, where the city says so."""
        return self.base.damage

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the city's clocks."""
        return self.base.zone

    @property
    def lamp_calendars(self) -> Sequence[tuple[str, datetime, Mapping[str, Any]]]:
        """Programs and calendars of lamps, in order of time."""
        return self.base.lamp_calendars

    def layer(
        self, layer_id: str, *, bounds: Bounds | None = None, columns: Sequence[str] | None = None
    ) -> gpd.GeoDataFrame:
        """Return the features with stopped pumps not active and bodies behind closed gates not tidal."""
        frame = self.base.layer(layer_id, bounds=bounds, columns=columns)
        pumps = {edit.pump_id for edit in self.scenario.find(StopPump)}
        gates = {edit.gate_id for edit in self.scenario.find(CloseGate)}
        if layer_id == "drainage_links" and pumps and "is_active" in frame.columns:
            frame = frame.copy()
            active = frame["is_active"].astype(object)
            frame["is_active"] = active.where(~frame["id"].isin(pumps), False)
        if layer_id == "water_bodies" and gates and {"is_tidal", "gate_id"} <= set(frame.columns):
            frame = frame.copy()
            tidal = frame["is_tidal"].astype(object)
            frame["is_tidal"] = tidal.where(~frame["gate_id"].isin(gates), False)
        return frame

    def find_features(
        self, layer_id: str, *, passing: str | None = None, named: Sequence[str] | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Return the features that pass as they stand in the city: no edit adds or takes one away."""
        return self.base.find_features(layer_id, passing=passing, named=named)

    def network(self, commodity: str) -> CityGraph:
        """Return the network with stopped pumps letting nothing through; without one it is the city's."""
        edited = self.scenario.find(StopPump) and "drainage_links" in read_commodity(commodity).layers
        return view_network(self, commodity) if edited else self.base.network(commodity)

    def roads(self) -> CityRoads:
        """Return the city's roads: no edit of a scenario changes them."""
        return self.base.roads()

    def feeds(self, names: Sequence[str] = ()) -> Sequence[CityFeed]:
        """Return the city's public transport: no edit of a scenario changes it."""
        return self.base.feeds(names)

    def road_series(self, at: datetime) -> Sequence[RoadSeries]:
        """Return the city's series of traffic."""
        return self.base.road_series(at)

    def read_model(self, model_id: str, kind: ModelKind) -> tuple[Model, Mapping[str, bytes]]:
        """Return the city's model and its files."""
        return self.base.read_model(model_id, kind)

    def find_run_folder(self, run_id: str) -> Path:
        """Return where a run of the city keeps its files."""
        return self.base.find_run_folder(run_id)

    def find_newest_run(self, layer_id: str) -> str:
        """Return the newest run of the city that wrote a raster layer."""
        return self.base.find_newest_run(layer_id)

    def raster(
        self, layer_id: str, *, cell_size: float | None = None, bounds: Bounds | None = None
    ) -> tuple[NDArray[np.float32], Grid]:
        """Return the city's raster."""
        return self.base.raster(layer_id, cell_size=cell_size, bounds=bounds)

    def find_datastream(self, sensor_id: str, observed_property: str) -> str:
        """Return the city's datastream."""
        return self.base.find_datastream(sensor_id, observed_property)

    def series(
        self, datastream_id: str, start: datetime, end: datetime
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the city's readings."""
        return self.base.series(datastream_id, start, end)

    def last_reading(self, datastream_id: str) -> datetime | None:
        """Return the time of the city's newest reading."""
        return self.base.last_reading(datastream_id)

    def issued(self, datastream_id: str, issue_time: datetime) -> Arrays | None:
        """Return the city's forecast."""
        return self.base.issued(datastream_id, issue_time)

    def derived(self, kind: str, signature: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what the city keeps."""
        return self.base.derived(kind, signature, make)


def check_edits(view: CityView, scenario: Scenario) -> None:
    """Raise NotFoundError for an edit that names a gate, pump or dyke the city does not have."""
    closed, opened, worked = scenario.find(CloseGate), scenario.find(OpenGate), scenario.find(OperateGate)
    gates = [edit.gate_id for edit in closed] + [edit.gate_id for edit in opened] + [edit.gate_id for edit in worked]
    _check_ids(view, "gate", gates)
    stopped, run = scenario.find(StopPump), scenario.find(OperatePump)
    _check_ids(view, "pump", [edit.pump_id for edit in stopped] + [edit.pump_id for edit in run])
    dykes = [edit.dyke_id for edit in scenario.find(BreachDyke) if edit.dyke_id is not None]
    if dykes:
        _refuse_missing("dyke", dykes, view.layer("dykes", columns=["crest_elevation"])["id"].tolist())


def _check_ids(view: CityView, link_type: str, wanted: Sequence[str]) -> None:
    if wanted:
        links = view.layer("drainage_links", columns=["link_type"])
        _refuse_missing(link_type, wanted, links.loc[links["link_type"] == link_type, "id"].tolist())


def _refuse_missing(kind: str, wanted: Sequence[str], present: Sequence[str]) -> None:
    for name in wanted:
        if name not in present:
            listed = ", ".join(sorted(present)[:20]) or "none"
            raise NotFoundError(f"{kind} '{name}' does not exist", hint=f"the city has {listed}")
