"""A water network in EPANET: read, changed, stepped in time; all values in SI units whatever its file uses."""

import ctypes
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from epanet import toolkit

from layers.errors import InputError
from network.epanet.engine import Engine, write_array, write_name
from network.epanet.reading import Array, Reader

_CONSTANT = "~constant"


class Project(Reader):
    """One model of EPANET. Use it in a ``with`` statement; many may be open at once, each for one thread."""

    def __init__(self, model: Path | str) -> None:
        """Open a ``model``: the path of an input file, or its text.

        Raise InputError with what EPANET says of the lines it cannot read.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="epanet-")
        self._engine = Engine()
        self._running = False
        self.warning = 0
        """EPANET's warning at the last solution: 0 none, 1 unbalanced, 2 unstable, 3 cut off, 4 pump, 5 valve,
        6 negative pressure."""
        try:
            self._open(model)
            super().__init__(self._engine)
        except BaseException:
            self.close()
            raise

    def _open(self, model: Path | str) -> None:
        folder = Path(self._folder.name)
        path, report = folder / "model.inp", folder / "model.rpt"
        if isinstance(model, Path):
            path = model
        else:
            path.write_text(model, encoding="utf-8")
        try:
            self._engine.call("open", str(path).encode(), str(report).encode(), str(folder / "model.out").encode())
        except InputError as error:
            self._engine.delete()
            raise InputError(f"{error.message}{_read_complaints(report)}") from error
        self._engine.call("setstatusreport", 0)

    def __enter__(self) -> "Project":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory and the temporary files back; a second time does nothing."""
        self._engine.delete()
        self._folder.cleanup()

    def set_node(self, node: int, code: int, value: float) -> None:
        """Set a property of a node in the units of the file."""
        self._engine.call("setnodevalue", node + 1, code, ctypes.c_double(value))

    def set_link(self, link: int, code: int, value: float) -> None:
        """Set a property of a link in the units of the file."""
        self._engine.call("setlinkvalue", link + 1, code, ctypes.c_double(value))

    def set_demand(self, node: int, demand: float, pattern: str | None = None) -> None:
        """Give a junction one base demand [m3/s] instead of those it has, and the pattern ``pattern`` if given."""
        for category in range(self._engine.ask_integer("getnumdemands", node + 1), 1, -1):
            self._engine.call("deletedemand", node + 1, category)
        self.set_node(node, toolkit.BASEDEMAND, demand / self.units.flow)
        if pattern is not None:
            self.set_node(node, toolkit.PATTERN, self._find_pattern(pattern) if pattern else 0)

    def add_draw(self, node: int) -> Callable[[float], None]:
        """Add a demand to a junction that no pattern changes, 0 at first; return the function that sets it [m3/s]."""
        self.set_pattern(_CONSTANT, np.ones(1))
        self._engine.call("adddemand", node + 1, ctypes.c_double(0.0), _CONSTANT.encode(), b"")
        category = self._engine.ask_integer("getnumdemands", node + 1)

        def draw(flow: float) -> None:
            value = flow / (self.units.flow * self.get_option(toolkit.DEMANDMULT))
            self._engine.call("setbasedemand", node + 1, category, ctypes.c_double(value))

        return draw

    def set_emitter(self, node: int, coefficient: float) -> None:
        """Give a junction an emitter: flow = coefficient · pressure^exponent [m3/s with m of water].

        The exponent is that of the model, see ``emitter_exponent``; 0 takes the emitter away.
        """
        factor = self.units.pressure**self.emitter_exponent / self.units.flow
        self.set_node(node, toolkit.EMITTER, coefficient * factor)

    @property
    def emitter_exponent(self) -> float:
        """Exponent of the pressure in the flow of every emitter; 0.5 is a hole that keeps its size."""
        # EPANET keeps its reciprocal inside, the toolkit gives the exponent of the file.
        return self._engine.ask_number("getoption", toolkit.EMITEXPON)

    @emitter_exponent.setter
    def emitter_exponent(self, value: float) -> None:
        """Set the exponent of every emitter."""
        self.set_option(toolkit.EMITEXPON, value)

    def set_status(self, link: int, *, opened: bool) -> None:
        """Open or close a link; before a run from its start, during a run from now on."""
        code = toolkit.STATUS if self._running else toolkit.INITSTATUS
        self.set_link(link, code, float(opened))

    def set_option(self, code: int, value: float) -> None:
        """Set an option of the analysis: toolkit.ACCURACY, DEMANDMULT, TRIALS, …"""
        self._engine.call("setoption", code, ctypes.c_double(value))

    def get_option(self, code: int) -> float:
        """Return an option of the analysis."""
        return self._engine.ask_number("getoption", code)

    def set_time(self, code: int, seconds: int) -> None:
        """Set a time of the analysis [s]: toolkit.DURATION, HYDSTEP, PATTERNSTEP, REPORTSTEP, QUALSTEP, …"""
        self._engine.call("settimeparam", code, ctypes.c_long(seconds))

    def get_time(self, code: int) -> int:
        """Return a time of the analysis [s]."""
        return self._engine.ask_time("gettimeparam", code)

    def set_pattern(self, pattern: str, values: Array) -> None:
        """Give a pattern its multipliers, one each PATTERNSTEP, again from the first after the last; made if new."""
        name = write_name(pattern)
        index = ctypes.c_int()
        if self._engine_has("getpatternindex", name, index):
            number = index.value
        else:
            self._engine.call("addpattern", name)
            number = self._find_pattern(pattern)
        self._engine.call("setpattern", number, *write_array(values))

    def _find_pattern(self, pattern: str) -> int:
        return self._engine.ask_integer("getpatternindex", write_name(pattern))

    def _engine_has(self, function: str, name: bytes, index: ctypes.c_int) -> bool:
        try:
            self._engine.call(function, name, ctypes.byref(index))
        except InputError:
            return False
        return True

    def set_demand_model(
        self, *, pressure_driven: bool, minimum: float = 0.0, required: float = 20.0, exponent: float = 0.5
    ) -> None:
        """Choose whether customers get what they ask, or what the pressure lets through (Wagner et al. 1988).

        Between ``minimum`` and ``required`` [m of water] they get the share
        ((p − minimum)/(required − minimum))^exponent.
        """
        self._engine.call(
            "setdemandmodel",
            int(pressure_driven),
            *(
                ctypes.c_double(value)
                for value in (minimum / self.units.pressure, required / self.units.pressure, exponent)
            ),
        )

    def run_hydraulics(self, *, keep: bool = False) -> Iterator[int]:
        """Solve from the start to the end; yield the time of every solution [s], which holds until the next one's.

        Between two solutions values can be read and changed; a change acts from the next one on. A step ends with the
        hydraulic step, or sooner where a pattern, a tank or a control changes something. The warning of each solution
        is in ``warning``. ``keep`` writes the flows down for ``run_quality``. Raise NumericsError where none is found.
        """
        engine = self._engine
        engine.call("openH")
        self._running = True
        time = ctypes.c_long()
        try:
            engine.call("initH", toolkit.SAVE if keep else toolkit.NOSAVE)
            while True:
                self.warning = engine.call("runH", ctypes.byref(time))
                yield time.value
                if self._step() == 0:
                    return
        finally:
            self._running = False
            engine.call("closeH")

    def _step(self) -> int:
        """Take the step to the next solution and return its length [s], 0 at the end.

        EPANET ends a step when a tank is empty or full, rounded to seconds, and overlooks one that is within half a
        second of it: the tank then gives or takes water that it has not for a whole step (hydraul.c, ``tanktimestep``
        and ``tanklevels``). Such a step is made one second long here; after it the tank is found empty or full.
        """
        if not self._is_tank_ending():
            return self._engine.ask_time("nextH")
        usual = self.get_time(toolkit.HYDSTEP)
        self.set_time(toolkit.HYDSTEP, 1)
        try:
            return self._engine.ask_time("nextH")
        finally:
            self.set_time(toolkit.HYDSTEP, usual)

    def _is_tank_ending(self) -> bool:
        tanks = self._tanks
        if not tanks.size:
            return False
        gained = self.outflows()[tanks]
        volume, least, most = (
            self.read_nodes(code)[tanks] * self.units.length**3
            for code in (toolkit.TANKVOLUME, toolkit.MINVOLUME, toolkit.MAXVOLUME)
        )
        left = np.where(gained < 0.0, volume - least, most - volume)
        return bool(((left > 0.0) & (left < np.abs(gained))).any())

    @contextmanager
    def open_snapshots(self) -> Iterator[Callable[[], None]]:
        """Give a function that solves the state at the start of the run anew, as often as values were changed."""
        engine = self._engine
        engine.call("openH")
        time = ctypes.c_long()

        def solve() -> None:
            engine.call("initH", toolkit.NOSAVE)
            self.warning = engine.call("runH", ctypes.byref(time))

        try:
            yield solve
        finally:
            engine.call("closeH")

    def set_quality(self, code: int, chemical: str, source: str) -> None:
        """Choose what is followed: toolkit.NONE, AGE, TRACE of the node ``source``, CHEM with its name [mg/L]."""
        self._engine.call("setqualtype", code, chemical.encode(), b"mg/L", source.encode())

    def run_quality(self) -> Iterator[tuple[int, int]]:
        """Follow the quality through the flows that were kept; yield times [s] and how long the step before took [s].

        Raise NumericsError where no flows were kept.
        """
        engine = self._engine
        engine.call("openQ")
        time, last = ctypes.c_long(), 0
        try:
            engine.call("initQ", toolkit.NOSAVE)
            while True:
                engine.call("runQ", ctypes.byref(time))
                yield time.value, time.value - last
                last = time.value
                if engine.ask_time("nextQ") == 0:
                    return
        finally:
            engine.call("closeQ")

    def save(self, path: Path) -> None:
        """Write the model as it is now to an input file."""
        self._engine.call("saveinpfile", str(path).encode())


def _read_complaints(report: Path) -> str:
    """Return the first lines in which a report names what it could not read, after a colon; empty without any."""
    if not report.is_file():
        return ""
    lines = [line.strip() for line in report.read_text("utf-8", "replace").splitlines()]
    said = [line for line in lines if line.startswith("Error") and " 200" not in line[:10]]
    if not said:
        return ""
    rest = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return ": " + "; ".join(said[:3]) + rest
