"""What an open model says of its nodes and links, in SI units."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from layers.errors import InputError
from network.epanet.engine import Engine
from network.epanet.units import find_units

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

NODE_TYPES = ("junction", "reservoir", "tank")
LINK_TYPES = ("cv_pipe", "pipe", "pump", "prv", "psv", "pbv", "fcv", "tcv", "gpv", "pcv")


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The nodes or links of a model in EPANET's order.

    ids and types (n,): of NODE_TYPES or LINK_TYPES.
    """

    ids: tuple[str, ...]
    types: tuple[str, ...]
    what: str

    def find(self, ids: Sequence[str]) -> Indices:
        """Return the index of each of ``ids``, from zero; InputError names the first that the model does not have."""
        known = {name: index for index, name in enumerate(self.ids)}
        for name in ids:
            if name not in known:
                sample = ", ".join(self.ids[:5]) + (", …" if len(self.ids) > 5 else "")
                raise InputError(
                    f"{self.what} '{name}' is not in the water model, expected one of {len(known)}: {sample}"
                )
        return np.array([known[name] for name in ids], dtype=np.int64)

    def select(self, *types: str) -> Indices:
        """Return the indices of those of one of ``types``."""
        return np.array([index for index, own in enumerate(self.types) if own in types], dtype=np.int64)


class Reader:
    """The network of an open project, and the values at its nodes (nodes,) and links (links,) now.

    Indices count from zero in the order of ``nodes`` and ``links``. ``ends`` (links, 2) are the nodes a link joins.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        nodes, links = (engine.ask_integer("getcount", code) for code in (toolkit.NODECOUNT, toolkit.LINKCOUNT))
        if nodes == 0 or links == 0:
            raise InputError(f"the water model has {nodes} nodes and {links} links, expected at least one of each")
        self.nodes = Names(
            tuple(engine.ask_name("getnodeid", k + 1) for k in range(nodes)),
            tuple(NODE_TYPES[engine.ask_integer("getnodetype", k + 1)] for k in range(nodes)),
            "node",
        )
        self.links = Names(
            tuple(engine.ask_name("getlinkid", k + 1) for k in range(links)),
            tuple(LINK_TYPES[engine.ask_integer("getlinktype", k + 1)] for k in range(links)),
            "link",
        )
        self.ends = np.empty((links, 2), np.int64)
        start, end = ctypes.c_int(), ctypes.c_int()
        for k in range(links):
            engine.call("getlinknodes", k + 1, ctypes.byref(start), ctypes.byref(end))
            self.ends[k] = start.value - 1, end.value - 1
        pressure = int(engine.ask_number("getoption", toolkit.PRESS_UNITS))
        self.units = find_units(engine.ask_integer("getflowunits"), pressure)
        self._tanks = self.nodes.select("tank")
        self._are_pumps = np.array([kind == "pump" for kind in self.links.types])

    def read_nodes(self, code: int) -> Array:
        """Return the values of a property of all nodes (nodes,) in the units of the file; see toolkit.ELEVATION …"""
        out = np.empty(len(self.nodes.ids))
        self._engine.read_array("getnodevalues", code, out)
        return out

    def read_links(self, code: int) -> Array:
        """Return the values of a property of all links (links,) in the units of the file; see toolkit.DIAMETER …"""
        out = np.empty(len(self.links.ids))
        self._engine.read_array("getlinkvalues", code, out)
        return out

    def pressures(self) -> Array:
        """Return the pressure at every node now [m of water]."""
        return self.read_nodes(toolkit.PRESSURE) * self.units.pressure

    def heads(self) -> Array:
        """Return the hydraulic head at every node now [m]."""
        return self.read_nodes(toolkit.HEAD) * self.units.length

    def elevations(self) -> Array:
        """Return the elevation of every node [m]."""
        return self.read_nodes(toolkit.ELEVATION) * self.units.length

    def outflows(self) -> Array:
        """Return what leaves the network at every node now [m3/s]: demand and emitters; what a source gives is < 0."""
        return self.read_nodes(toolkit.DEMAND) * self.units.flow

    def demands(self) -> Array:
        """Return what the customers of every node get now [m3/s], without emitters and leaks."""
        return self.read_nodes(toolkit.DEMANDFLOW) * self.units.flow

    def deficits(self) -> Array:
        """Return what the customers of every node ask now and do not get for want of pressure [m3/s]."""
        return self.read_nodes(toolkit.DEMANDDEFICIT) * self.units.flow

    def emitter_flows(self) -> Array:
        """Return what leaves through the emitter of every node now, 0 where there is none [m3/s]."""
        # EPANET begins a run with 1 ft3/s at each emitter (hydraul.c, ``inithyd``) and sets it anew only where there is
        # one: where it was taken away, the last flow stands on.
        has_emitter = self.read_nodes(toolkit.EMITTER) > 0.0
        return np.where(has_emitter, self.read_nodes(toolkit.EMITTERFLOW) * self.units.flow, 0.0)

    def leakages(self) -> Array:
        """Return what leaves at every node now through leaks of its pipes (section LEAKAGE) [m3/s]."""
        return self.read_nodes(toolkit.LEAKAGEFLOW) * self.units.flow

    def flows(self) -> Array:
        """Return the flow in every link now, from its first to its second node [m3/s]."""
        return self.read_links(toolkit.FLOW) * self.units.flow

    def velocities(self) -> Array:
        """Return the speed in every link now [m/s]."""
        return self.read_links(toolkit.VELOCITY) * self.units.length

    def head_losses(self) -> Array:
        """Return the loss of head along every link now [m]; negative over a pump, which adds head."""
        return self.read_links(toolkit.HEADLOSS) * self.units.length

    def powers(self) -> Array:
        """Return the electric power that every pump takes now, 0 for other links [kW]."""
        # For pipes and valves EPANET gives what friction takes.
        return np.where(self._are_pumps, self.read_links(toolkit.ENERGY), 0.0)

    def opened(self) -> NDArray[np.bool_]:
        """Return which links are open now (links,)."""
        return self.read_links(toolkit.STATUS) > 0.5

    def tank_volumes(self) -> Array:
        """Return the water in every tank now, 0 at other nodes [m3]."""
        return self.read_nodes(toolkit.TANKVOLUME) * self.units.length**3

    def lengths(self) -> Array:
        """Return the length of every pipe, 0 for other links [m]."""
        return self.read_links(toolkit.LENGTH) * self.units.length

    def diameters(self) -> Array:
        """Return the inner diameter of every link [m]."""
        return self.read_links(toolkit.DIAMETER) * self.units.diameter
