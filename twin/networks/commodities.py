"""The commodities: which layers make the network of each, what its devices do and what hangs on it.

A declaration says nothing that a layer says already: it names layers and properties, and the values that matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from layers.errors import NotFoundError
from layers.schema import Text

NO_LEVELS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class When:
    """A test of a feature: its ``name`` is one of ``values``; None among them is a property that is not filled in."""

    name: str
    values: tuple[Any, ...]


EVERY = When("*", ())
"""The test that every feature passes."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A layer whose features are lines of the network.

    kind: the property that says what a line is. only: lines that take part. closed: those that let nothing through.
    one_way: those that let through from start to end only. levels: the level of each value of ``level_by``; lines of
    different levels never meet. from_id, to_id: what a source says the ends are, compared with the geometry. alone:
    what may stand by itself, such as a gate in a canal.
    """

    layer: str
    kind: str | None = None
    only: When | None = None
    closed: tuple[When, ...] = ()
    one_way: When | None = None
    level_by: str | None = None
    levels: Mapping[str, int] = field(default_factory=lambda: NO_LEVELS)
    from_id: str | None = None
    to_id: str | None = None
    alone: When | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """A layer whose features are nodes.

    reach: devices up to this far from a line [m] stand on it and split it; 0 for nodes that lines must meet.
    line_id: the property that names the line. sources, sinks: where the commodity comes from and goes to. valves: what
    can be closed to part the network. closed, stuck: those that are, and that cannot be moved. one_way: devices that
    let through only as their line is drawn.
    """

    layer: str
    kind: str | None = None
    only: When | None = None
    reach: float = 0.0
    line_id: str | None = None
    sources: tuple[When, ...] = ()
    sinks: tuple[When, ...] = ()
    valves: When | None = None
    closed: tuple[When, ...] = ()
    stuck: tuple[When, ...] = ()
    one_way: When | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """A layer of points that stand between two nodes which they name, as a pump or valve of EPANET is a link.

    A device that names no two nodes is none of these. ``as_node``: it is a node with a link to either side, so that it
    can be closed; else one link. one_way: those that let through from the first to the second only.
    """

    layer: str
    from_id: str
    to_id: str
    as_node: bool
    kind: str | None = None
    closed: tuple[When, ...] = ()
    one_way: When | None = None


@dataclass(frozen=True, slots=True)
class Coupler:
    """A layer of points that join levels, such as transformers: each has a link to the nearest node of each level.

    named_by: property of the lines that names the coupler; the nearest such line is taken up to ``named_reach`` [m],
    else the nearest node up to ``reach`` [m].
    """

    layer: str
    levels: tuple[int, ...]
    named_by: Mapping[int, str]
    reach: float
    named_reach: float
    kind: str | None = None
    sources: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """What hangs on the network without being part of it, such as meters.

    node_id, line_id: properties that name a node or a line. reach: else the nearest node this close [m]. weight: the
    property that counts, 1 without it. via: the attachment that shares ``via_id`` with this layer's id is where it
    hangs (a hospital by the meter of its building). only: which features. self_node: they are nodes themselves.
    """

    kind: str
    layer: str
    node_id: str | None = None
    line_id: str | None = None
    reach: float = 0.0
    weight: str | None = None
    only: When | None = None
    self_node: bool = False


Basis = Literal["source", "sink"]


@dataclass(frozen=True, slots=True)
class Commodity:
    """The network of one commodity.

    basis: whether up and down is away from sources, or as the lines are drawn, towards sinks. tree: loops are faults.
    tolerance: ends this close are one node [m].
    """

    id: str
    title: Text
    basis: Basis
    lines: tuple[Lines, ...]
    points: tuple[Points, ...]
    between: tuple[Between, ...] = ()
    couplers: tuple[Coupler, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    tolerance: float = 0.001
    tree: bool = False

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose features are links or nodes, in the order that ``CityGraph.layers`` has."""
        every: list[Lines | Points | Between | Coupler] = [*self.lines, *self.points, *self.between, *self.couplers]
        return tuple(dict.fromkeys(part.layer for part in every))

    @property
    def placed(self) -> frozenset[str]:
        """The layers whose features decide about where nodes are."""
        return frozenset([*(one.layer for one in self.lines), *(one.layer for one in self.points)])

    @property
    def followed(self) -> tuple[str, ...]:
        """The layers that the network and what hangs on it are made of."""
        return tuple(dict.fromkeys((*self.layers, *(one.layer for one in self.attachments))))

    @property
    def reach(self) -> float:
        """How far a device may stand from its line [m]."""
        return max((points.reach for points in self.points), default=0.0)


_STORM = When("system", ("storm", "combined", None))
_FOUL = When("system", ("sanitary", "combined"))
_CONTROL = ("prv", "psv", "pbv", "fcv", "tcv", "gpv")


def _declare_drains(key: str, title: Text, only: When) -> Commodity:
    return Commodity(
        key,
        title,
        "sink",
        lines=(
            Lines(
                "drainage_links",
                kind="link_type",
                only=only,
                closed=(When("is_active", (False,)),),
                one_way=When("link_type", ("pump",)),
                from_id="from_node",
                to_id="to_node",
                alone=When("link_type", ("gate", "pump", "weir")),
            ),
        ),
        points=(
            Points(
                "drainage_nodes",
                kind="node_type",
                only=When("system", (*only.values, None)),
                sinks=(When("node_type", ("outfall",)),),
            ),
        ),
        attachments=(Attachment("catchments", "catchments", node_id="outlet_node", weight="area"),),
    )


DRAINAGE = _declare_drains("drainage", Text("Thoát nước mưa", "Drainage"), _STORM)
SEWER = _declare_drains("sewer", Text("Thoát nước thải", "Sewers"), _FOUL)
WATER = Commodity(
    "water",
    Text("Cấp nước", "Water supply"),
    "source",
    lines=(
        Lines(
            "water_pipes",
            kind="pipe_type",
            closed=(When("status", ("closed",)),),
            one_way=When("status", ("check_valve",)),
            from_id="from_node",
            to_id="to_node",
        ),
    ),
    points=(
        Points("water_nodes", kind="node_type", sources=(When("node_type", ("reservoir", "tank")),)),
        Points(
            "water_valves",
            kind="valve_type",
            reach=0.5,
            line_id="pipe_id",
            valves=When("valve_type", ("isolation", *_CONTROL)),
            closed=(When("status", ("closed",)),),
            stuck=(When("status", ("stuck",)), When("is_operable", (False,)), When("condition", ("failed",))),
            one_way=When("valve_type", ("check",)),
        ),
    ),
    between=(
        Between(
            "water_valves",
            "from_node",
            "to_node",
            as_node=True,
            kind="valve_type",
            one_way=When("valve_type", ("prv", "psv")),
        ),
        Between(
            "water_pumps",
            "from_node",
            "to_node",
            as_node=False,
            closed=(When("status", ("standby", "failed")),),
            one_way=When("status", ("running", "standby", "failed", None)),
        ),
    ),
    attachments=(
        Attachment("customers", "water_meters", "node_id", "pipe_id", 60.0, "connections"),
        Attachment("hydrants", "hydrants", "node_id", "pipe_id", 30.0),
        Attachment("hospitals", "places", reach=150.0, only=When("category", ("hospital",))),
        Attachment("schools", "places", reach=150.0, only=When("category", ("school",))),
    ),
)
LIGHTING = Commodity(
    "lighting",
    Text("Chiếu sáng", "Lighting circuits"),
    "source",
    lines=(Lines("lighting_circuits", kind="laying"),),
    points=(
        Points("lighting_cabinets", sources=(EVERY,)),
        Points("luminaires", kind="lamp_type", reach=3.0),
    ),
    attachments=(
        Attachment("luminaires", "luminaires", self_node=True, weight="power"),
        Attachment("cabinets", "lighting_cabinets", self_node=True),
    ),
    tree=True,
)
_HIGH, _MEDIUM, _LOW = 2, 1, 0
POWER = Commodity(
    "power",
    Text("Điện trung áp, hạ áp", "Power, medium and low voltage"),
    "source",
    lines=(
        Lines(
            "power_lines",
            kind="voltage_class",
            level_by="voltage_class",
            levels=MappingProxyType({"extra_high": _HIGH, "high": _HIGH, "medium": _MEDIUM, "low": _LOW}),
        ),
    ),
    points=(),
    couplers=(
        Coupler(
            "substations",
            (_HIGH, _MEDIUM),
            MappingProxyType({_HIGH: "substation_id", _MEDIUM: "substation_id"}),
            reach=20.0,
            named_reach=100.0,
            kind="voltage_class",
            sources=True,
        ),
        Coupler(
            "transformers",
            (_MEDIUM, _LOW),
            MappingProxyType({_LOW: "transformer_id"}),
            reach=20.0,
            named_reach=60.0,
            kind="mounting",
        ),
    ),
    attachments=(
        Attachment("customers", "transformers", self_node=True, weight="customers"),
        Attachment("transformers", "transformers", self_node=True, weight="rated_power"),
        Attachment("cabinets", "lighting_cabinets", reach=80.0),
        Attachment("hospitals", "places", reach=150.0, only=When("category", ("hospital",))),
        Attachment("schools", "places", reach=150.0, only=When("category", ("school",))),
    ),
)

COMMODITIES: dict[str, Commodity] = {one.id: one for one in (WATER, DRAINAGE, SEWER, LIGHTING, POWER)}


def read_commodity(commodity_id: str) -> Commodity:
    """Return the commodity; NotFoundError names those there are."""
    if commodity_id not in COMMODITIES:
        raise NotFoundError(f"commodity '{commodity_id[:40]}' does not exist", hint=f"one of {', '.join(COMMODITIES)}")
    return COMMODITIES[commodity_id]
