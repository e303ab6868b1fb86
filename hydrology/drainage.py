"""The sewer: an EPA SWMM 5.2 model that is stepped from outside, in SI units whatever its file uses.

SWMM keeps one model in global variables, so a process can hold one at a time. Coupled nodes are given a small ponded
area (their shaft) and ponding is allowed: water that rises above the rim stays in the node, where its head drives it
back to the surface through the exchange, and SWMM does not count it as flooding lost from the system (SWMM 5.2,
``dynwave.c``: a node that can pond keeps its overflow as volume). Without ponding a node with a surcharge depth has
no storage under pressure, so that its head jumps with every rate that is set from outside.

The toolkit cannot set the option ALLOW_PONDING nor shorten a routing step, both of which the coupling needs: those
globals of the engine are written directly.
"""

import ctypes
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from swmm.toolkit import solver

from layers.errors import ConflictError, InputError, NumericsError
from layers.quantities import conversion_factor

Array = NDArray[np.float64]

FLOW_UNITS = ("CFS", "GPM", "MGD", "CMS", "LPS", "MLD")

# m3/s in one flow unit, and SWMM's own flow units in one ft3/s (swmm5.c, Qcf: rounded, hence the second table).
_TO_SI = tuple(conversion_factor(unit, "m3/s") for unit in ("ft3/s", "gal/min", "MGD", "m3/s", "l/s"))
_FLOW_TO_SI = (*_TO_SI, 1000.0 / 86400.0)
_PER_CFS = (1.0, 448.831, 0.64632, 0.02832, 28.317, 2.4466)
_FIRST_METRIC = 3
_CUBIC_METRES_PER_CUBIC_FOOT = 0.02832
"""SWMM's factor for volumes of metric models (swmm5.c, Ucf)."""

SMALLEST_RATE = 1.0e-6
"""Lateral inflows below this are not given to SWMM, which would drop those below 1e-5 ft3/s [m3/s]."""

DEFAULT_SHAFT = 1.167
"""Surface area of a node where the model gives none: a manhole of 4 ft diameter (SWMM 5.2 manual) [m2]."""

_INVERT, _FULL_DEPTH, _POND_AREA = 0, 1, 3
_INFLOW, _OUTFLOW, _FLOOD, _HEAD = 0, 1, 4, 6
_NODE, _END_DATE, _MIN_SURFACE, _THREADS = 2, 1, 5, 14

_LIBRARY = ctypes.CDLL(str(next(Path(solver.__file__).parent.glob("*swmm5.*"))))
_open_model: list[str] = []


def _real(name: str) -> ctypes.c_double:
    return ctypes.c_double.in_dll(_LIBRARY, name)


def _integer(name: str) -> ctypes.c_int:
    return ctypes.c_int.in_dll(_LIBRARY, name)


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The nodes of a model, arrays (nodes,).

    ids; kinds: junction, outfall, storage or divider. invert [m], full_depth [m]; rim: invert + full depth [m].
    flap_gate: True where an outfall has one, so that no water comes back through it.
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    invert: Array
    full_depth: Array
    flap_gate: NDArray[np.bool_]

    @property
    def rim(self) -> Array:
        """Elevation of the ground at the node by the model [m]."""
        return self.invert + self.full_depth

    def find(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the index of each of ``ids``; raise InputError naming the first that the model does not have."""
        known = {name: index for index, name in enumerate(self.ids)}
        for name in ids:
            if name not in known:
                sample = ", ".join(self.ids[:5]) + (", …" if len(self.ids) > 5 else "")
                raise InputError(
                    f"node '{name}' is not in the drainage model, expected one of its {len(known)} nodes: {sample}"
                )
        return np.array([known[name] for name in ids], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class RoutingTotals:
    """SWMM's own account of the routing since the start [m3].

    dry_weather, wet_weather, groundwater, infiltration, external: inflows; external holds what came from the surface
    and what came back through outfalls. outflow: through outfalls and from coupled nodes to the surface. flooded: lost
    above nodes that are not coupled. losses: evaporation and seepage. initial, stored: in nodes and links at the start
    and now.
    """

    dry_weather: float
    wet_weather: float
    groundwater: float
    infiltration: float
    external: float
    outflow: float
    flooded: float
    losses: float
    initial: float
    stored: float

    @property
    def residual(self) -> float:
        """Volume that appeared inside SWMM from nowhere [m3].

        Its dynamic wave is not conservative: depths are iterated, and the half of a pipe that belongs to an outfall
        fills and empties with the stage there without a flow.
        """
        gained = self.dry_weather + self.wet_weather + self.groundwater + self.infiltration + self.external
        return self.stored + self.outflow + self.flooded + self.losses - self.initial - gained

    @property
    def relative_error(self) -> float:
        """SWMM's continuity error: inflow less outflow, relative to the inflow [1]; positive where water was lost."""
        into = self.initial + self.wet_weather + self.infiltration
        out = self.stored + self.flooded + self.losses
        for value in (self.dry_weather, self.groundwater, self.external, -self.outflow):
            into, out = into + max(value, 0.0), out + max(-value, 0.0)
        return (into - out) / into if into > 0.0 else 0.0


class Scale(NamedTuple):
    """What one unit of a model's file is in SI: flow [m3/s], length [m], volume [m3], rain [m]."""

    flow: float
    length: float
    volume: float
    rain: float


class SewerState(NamedTuple):
    """A drainage model at one time.

    heads: water level at each coupled node (n,) [m]. net_inflows: what pipes and other inflows bring to each, less what
    pipes take away, without the exchange with the surface (n,) [m3/s]. outfall_volumes: what left through each outfall
    since the start, less what came back (outfalls,) [m3]. first_step: length of the first routing step of the stretch
    that led here [s].
    """

    heads: Array
    net_inflows: Array
    outfall_volumes: Array
    first_step: float


class Drainage:
    """One open SWMM model: heads out, lateral inflows and outfall stages in. Use it in a ``with`` statement."""

    def __init__(
        self,
        model: Path | str,
        *,
        duration_s: float | None = None,
        keeps_results: bool = False,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Open ``model``: a path, or the text of an input file.

        duration_s: how long it will be run [s]; where not given, the model's own end holds. keeps_results: SWMM
        writes its binary ``results``, and routing events are allowed. files: what the text names, by name. Raise
        ConflictError where this process has a model open, InputError with SWMM's own words where the model cannot be
        read.
        """
        if _open_model:
            raise ConflictError(
                f"drainage model '{_open_model[0]}' is open in this process, and SWMM can hold one at a time",
                hint="close it first, or run each model in a process of its own",
            )
        self._folder = tempfile.TemporaryDirectory(prefix="drainage-")
        self._report = Path(self._folder.name) / "report.txt"
        self.results = Path(self._folder.name) / "results.out"
        """SWMM's binary results, whole after ``end``, gone after ``close``."""
        self._keeps_results = keeps_results
        for name, content in (files or {}).items():
            (Path(self._folder.name) / Path(name).name).write_bytes(content)
        self._opened = self._started = self._listed = False
        try:
            path, text = self._read(model)
            _open_model.append(self.name)
            self._listed = True
            self._open(path)
            self._set_end(duration_s)
            # Threads of the engine wait actively: on a busy machine 60 times slower than one (26 junctions).
            solver.swmm_setSimulationParam(_THREADS, 1.0)
            self._set_units()
            self.nodes = self._read_nodes(text)
        except BaseException:
            self.close()
            raise
        self._coupled = np.zeros(0, dtype=np.int64)
        self._rates = np.zeros(0)
        self._outfalls = [index for index, kind in enumerate(self.nodes.kinds) if kind == "outfall"]
        self._outfall_rates = np.zeros(len(self._outfalls))
        self.outfall_volumes = np.zeros(len(self._outfalls))
        """What left through each outfall since the start, less what came back (outfalls,) [m3]."""
        self.outfall_backflow = 0.0
        """What came back through all outfalls [m3]."""
        self.continuity_errors = (0.0, 0.0)
        """SWMM's own of runoff and routing [1], positive where water was lost; known after ``end``."""
        self.time = 0.0
        """Since the start of the model [s]."""
        self.steps = 0

    def __enter__(self) -> "Drainage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, model: Path | str) -> tuple[Path, str]:
        if isinstance(model, str) and "\n" in model:
            self.name, path, text = "text", Path(self._folder.name) / "model.inp", model
            path.write_text(text, encoding="utf-8")
        else:
            path = Path(model).resolve()
            self.name = path.name
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise InputError(f"drainage model {path} cannot be read: {error.strerror}") from error
        if not any(line.lstrip().startswith("[") for line in text.splitlines()):
            raise InputError(
                f"drainage model '{self.name}' has no section in brackets, expected a SWMM 5 input file",
                hint="open files of SWMM 4 and older in the SWMM 5 program's converter and save them again",
            )
        return path, text

    def _open(self, path: Path) -> None:
        self._opened = True
        try:
            solver.swmm_open(str(path), str(self._report), str(self.results))
        except Exception as error:
            solver.swmm_close()
            self._opened = False
            words = self._read_complaints() or str(error).strip()
            raise InputError(
                f"drainage model '{self.name}' cannot be opened: {words}",
                hint="files of older SWMM 5 versions may lack values that 5.2 asks for: save them again with 5.2",
            ) from error
        if _integer("NumEvents").value and not self._keeps_results:
            raise InputError(
                f"drainage model '{self.name}' has routing [EVENTS], between which SWMM ignores inflows",
                hint="remove the section",
            )

    def _read_complaints(self) -> str:
        """Return the first errors of SWMM's report, each with the line of the model it stands for."""
        if not self._report.exists():
            return ""
        lines = [line.strip() for line in self._report.read_text(errors="replace").splitlines()]
        said = [" ".join(lines[k : k + 2]).strip() for k, line in enumerate(lines) if line.startswith("ERROR")]
        return "; ".join(said[:3]) + ("; …" if len(said) > 3 else "")

    def _set_units(self) -> None:
        unit = int(solver.simulation_get_unit(1))
        metric = unit >= _FIRST_METRIC
        self.flow_unit = FLOW_UNITS[unit]
        self._flow = _FLOW_TO_SI[unit]
        self._length = 1.0 if metric else conversion_factor("ft", "m")
        self._cubic_foot = self._flow * _PER_CFS[unit]
        self._volume = self._cubic_foot / (_CUBIC_METRES_PER_CUBIC_FOOT if metric else 1.0)

    def _set_end(self, duration_s: float | None) -> None:
        if duration_s is None:
            return
        if not 0.0 < duration_s < 1.0e10:
            raise InputError(f"duration of the drainage model is {duration_s} s, expected above 0")
        end = self.start + timedelta(seconds=float(np.ceil(duration_s)) + 1.0)
        solver.simulation_set_datetime(_END_DATE, end.year, end.month, end.day, end.hour, end.minute, end.second)

    def _read_nodes(self, text: str) -> Nodes:
        count = solver.project_get_count(_NODE)
        ids = tuple(solver.project_get_id(_NODE, index) for index in range(count))
        gates = _find_flap_gates(text)
        return Nodes(
            ids,
            tuple(solver.node_get_type(index).name.lower() for index in range(count)),
            self._read_parameter(_INVERT, count),
            self._read_parameter(_FULL_DEPTH, count),
            np.array([name in gates for name in ids], dtype=np.bool_),
        )

    def _read_parameter(self, which: int, count: int) -> Array:
        return np.array([solver.node_get_parameter(index, which) for index in range(count)]) * self._length

    @property
    def outfalls(self) -> tuple[str, ...]:
        """Ids of the outfalls, in the order of ``outfall_volumes``."""
        return tuple(self.nodes.ids[index] for index in self._outfalls)

    @property
    def start(self) -> datetime:
        """The model's first moment, in its own clock."""
        return datetime(*solver.simulation_get_datetime(0))

    @property
    def duration(self) -> float:
        """From the model's start to its end [s]."""
        return _real("TotalDuration").value / 1000.0

    @property
    def scale(self) -> Scale:
        """What the units of the model's file are in SI."""
        rain = 0.001 if self._length == 1.0 else conversion_factor("ft", "m") / 12.0
        return Scale(self._flow, self._length, self._volume, rain)

    @property
    def shaft_area(self) -> float:
        """Least surface area of a node in this model [m2]."""
        given = float(solver.simulation_get_parameter(_MIN_SURFACE)) * self._length**2
        return given if given > 0.0 else DEFAULT_SHAFT

    def couple(self, ids: Sequence[str], shaft_areas: Sequence[float] | Array | None = None) -> Array:
        """Let the nodes ``ids`` exchange water with the surface; to be called once, before the first step.

        shaft_areas: horizontal area of the water above the rim of each (n,) [m2], at least ``shaft_area``. Return
        the areas used [m2]. A node's ponded area in the file is replaced: the surface model is that pond. Raise
        InputError for a node that is not there, is named twice or is an outfall.
        """
        if self._started:
            raise ConflictError("nodes can be coupled before the first step only")
        indices = self.nodes.find(ids)
        for position, index in enumerate(indices):
            if self.nodes.kinds[index] == "outfall":
                raise InputError(f"node '{ids[position]}' is an outfall, expected a junction, divider or storage node")
            if ids[position] in ids[:position]:
                raise InputError(f"node '{ids[position]}' is coupled twice, expected once")
        areas = np.full(len(ids), self.shaft_area)
        if shaft_areas is not None:
            areas = np.maximum(areas, np.asarray(shaft_areas, dtype=np.float64))
        ponding = _integer("AllowPonding")
        if not ponding.value:
            for index in range(len(self.nodes.ids)):
                solver.node_set_parameter(index, _POND_AREA, 0.0)
            ponding.value = 1
        for index, area in zip(indices, areas, strict=True):
            solver.node_set_parameter(int(index), _POND_AREA, area / self._length**2)
        self._coupled, self._rates = indices, np.zeros(len(indices))
        return areas

    def _start(self) -> None:
        if self._started:
            return
        try:
            solver.swmm_start(int(self._keeps_results))
        except Exception as error:
            raise InputError(f"drainage model '{self.name}' cannot start: {str(error).strip()}") from error
        self._started = True
        self._route_step, self._least_step = _real("RouteStep").value, _real("MinRouteStep").value

    def heads(self) -> Array:
        """Return the water level at each coupled node (n,) [m]."""
        return self._read_results(_HEAD) * self._length

    def net_inflows(self) -> Array:
        """Return what pipes and other inflows bring to each coupled node, less what pipes take away (n,) [m3/s].

        The exchange with the surface is not in it. Of the end of the last step.
        """
        return (self._read_results(_INFLOW) - self._read_results(_OUTFLOW)) * self._flow - self._rates

    def ponded_volumes(self) -> Array:
        """Return the water above the rim of each coupled node (n,) [m3]."""
        full = self.nodes.rim[self._coupled]
        areas = np.array([solver.node_get_parameter(int(k), _POND_AREA) for k in self._coupled]) * self._length**2
        return np.maximum(self.heads() - full, 0.0) * areas

    def flooding(self) -> Array:
        """Return the rate lost above each node of the model (nodes,) [m3/s]; 0 at coupled nodes, which pond."""
        self._start()
        rates = np.array([solver.node_get_result(k, _FLOOD) for k in range(len(self.nodes.ids))]) * self._flow
        rates[self._coupled] = 0.0
        return rates

    def _read_results(self, which: int) -> Array:
        self._start()
        return np.array([solver.node_get_result(int(index), which) for index in self._coupled])

    def set_inflows(self, rates: Array) -> Array:
        """Set what the surface gives to each coupled node from now on (n,) [m3/s], negative where it receives.

        Return the rates that SWMM will take: those below ``SMALLEST_RATE`` are 0.
        """
        self._start()
        taken = np.where(np.abs(rates) < SMALLEST_RATE, 0.0, rates)
        for index, rate in zip(self._coupled, taken, strict=True):
            solver.node_set_total_inflow(int(index), float(rate) / self._flow)
        self._rates = taken
        return taken

    def look(self) -> SewerState:
        """Return the state now."""
        return SewerState(self.heads(), self.net_inflows(), self.outfall_volumes.copy(), 0.0)

    def route(self, rates: Array, outfalls: Sequence[int], stages: Array, duration_s: float) -> SewerState:
        """Set inflows and the stages of outfalls, route for ``duration_s`` [s] and return the state then.

        Arguments as of ``set_inflows``, ``set_outfall_stages`` and ``advance``.
        """
        if self._coupled.size:
            self.set_inflows(rates)
        self.set_outfall_stages(outfalls, stages)
        first = self.advance(duration_s)
        return self.look()._replace(first_step=first)

    def set_outfall_stages(self, positions: Sequence[int], stages: Array) -> None:
        """Hold a stage [m] outside outfalls from now on, by position in ``outfalls`` (n,).

        Up to its invert an outfall is free.
        """
        self._start()
        for position, stage in zip(positions, stages, strict=True):
            solver.outfall_set_stage(self._outfalls[position], float(stage) / self._length)

    def advance(self, duration_s: float) -> float:
        """Route for exactly ``duration_s`` [s], a whole number of milliseconds, and return the first step [s].

        SWMM integrates by trapezoid: of a rate that changed from a to b, a node receives
        b · duration + (a − b) · first step / 2. Raise InputError where the model ends before, NumericsError where
        SWMM stops.
        """
        self._start()
        goal = self.time * 1000.0 + duration_s * 1000.0
        if duration_s <= 0.0 or abs(goal - round(goal)) > 1.0e-3:
            raise InputError(f"drainage step is {duration_s} s, expected a whole number of milliseconds above 0")
        goal = float(round(goal))
        now, step, least, total = (_real(k) for k in ("NewRoutingTime", "RouteStep", "MinRouteStep", "TotalDuration"))
        if goal > total.value:
            raise InputError(
                f"drainage model '{self.name}' ends at {total.value / 1000.0:g} s, before {goal / 1000.0:g} s",
                hint="open it with duration_s",
            )
        first = 0.0
        while now.value < goal - 0.5:
            began, left = now.value, goal - now.value
            # SWMM cuts its steps to whole milliseconds: the little more keeps the last one from falling short.
            step.value = min(self._route_step, left / 1000.0 + 1.0e-7)
            least.value = min(self._least_step, step.value)
            try:
                solver.swmm_step()
            except Exception as error:
                raise NumericsError(f"SWMM stopped at {began / 1000.0:g} s: {str(error).strip()}") from error
            seconds = (now.value - began) / 1000.0
            if seconds <= 0.0:
                raise NumericsError(f"SWMM did not move on from {began / 1000.0:g} s")
            self._add_outfalls(seconds)
            first = first or seconds
            self.steps += 1
        now.value = goal
        self.time = goal / 1000.0
        return first

    def step(self) -> bool:
        """Route by a step of SWMM's own choice; return False where the model's end is reached.

        Raise NumericsError where SWMM stops.
        """
        self._start()
        now = _real("NewRoutingTime")
        began = now.value
        try:
            left = solver.swmm_step()
        except Exception as error:
            raise NumericsError(f"SWMM stopped at {began / 1000.0:g} s: {str(error).strip()}") from error
        self._add_outfalls((now.value - began) / 1000.0)
        self.time = now.value / 1000.0
        self.steps += 1
        return bool(left > 0.0)

    def _add_outfalls(self, seconds: float) -> None:
        for position, index in enumerate(self._outfalls):
            back = solver.node_get_result(index, _OUTFLOW)
            rate = (solver.node_get_result(index, _INFLOW) if back == 0.0 else -back) * self._flow
            before = self._outfall_rates[position]
            self.outfall_volumes[position] += 0.5 * (before + rate) * seconds
            self.outfall_backflow -= 0.5 * (min(before, 0.0) + min(rate, 0.0)) * seconds
            self._outfall_rates[position] = rate

    def totals(self) -> RoutingTotals:
        """Return SWMM's own account since the start."""
        self._start()
        account, factor = solver.system_get_routing_totals(), self._volume

        def volume(name: str) -> float:
            return float(getattr(account, name)) * factor

        return RoutingTotals(
            dry_weather=volume("dwInflow"),
            wet_weather=volume("wwInflow"),
            groundwater=volume("gwInflow"),
            infiltration=volume("iiInflow"),
            external=volume("exInflow"),
            outflow=volume("outflow"),
            flooded=volume("flooding"),
            losses=volume("evapLoss") + volume("seepLoss"),
            # The toolkit leaves these two in cubic feet.
            initial=float(account.initStorage) * self._cubic_foot,
            stored=float(account.finalStorage) * self._cubic_foot,
        )

    def end(self) -> str:
        """End the run and return SWMM's report; its ``results`` and continuity errors are there until ``close``."""
        self._start()
        solver.swmm_end()
        self._started = False
        runoff, routing, _ = solver.swmm_get_mass_balance()
        self.continuity_errors = (runoff / 100.0, routing / 100.0)
        solver.swmm_report()
        solver.swmm_close()
        self._opened = False
        return self._report.read_text(errors="replace")

    def finish(self) -> str:
        """End the run, close the model and return SWMM's report."""
        report = self.end()
        self.close()
        return report

    def close(self) -> None:
        """Close the model and remove its temporary files; nothing where it is closed."""
        if self._opened:
            if self._started:
                solver.swmm_end()
            solver.swmm_close()
        self._opened = self._started = False
        if self._listed:
            _open_model.clear()
            self._listed = False
        self._folder.cleanup()


def _find_flap_gates(text: str) -> set[str]:
    """Return the outfalls of an input file with a flap gate: ``name elevation type [stage] gated``."""
    gated: set[str] = set()
    inside = False
    for line in text.splitlines():
        words = line.split(";", 1)[0].split()
        if words and words[0].startswith("["):
            inside = words[0].upper().startswith("[OUTF")
        elif inside and any(word.upper() == "YES" for word in words[2:]):
            gated.add(words[0])
    return gated
