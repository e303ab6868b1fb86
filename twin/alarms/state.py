"""What the engine keeps of one alarm between two readings: small, plain, the same after a trip through JSON.

All times are seconds since 1970 UTC. ``time`` is when something was so (event time), ``stored`` when the database got
to know it, ``known`` the engine's clock.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

VisibleState = Literal["NORMAL", "UNACK", "ACK", "RTN-UNACK", "SHELVED", "SUPPRESSED", "OUT-OF-SERVICE"]
BaseState = Literal["NORMAL", "UNACK", "ACK", "RTN-UNACK"]
TransitionKind = Literal[
    "raise", "clear", "acknowledge", "shelve", "unshelve", "suppress", "unsuppress", "out-of-service",
    "return-to-service", "comment", "escalate", "rule-change", "end",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of one input. ``quality`` is a QARTOD flag; ``value`` None is a missing one."""

    source: str
    time: float
    stored: float
    value: float | None
    quality: int = 2


@dataclass(frozen=True, slots=True)
class Cover:
    """The parent alarm came or went, when what was ``stored`` then arrived."""

    stored: float
    covered: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the life of an alarm, to be written down.

    ``announced`` when a person now has something new to acknowledge; ``covers`` whether the alarm suppresses its
    children from here on; ``arrival`` is when what led to it was stored or due, be it before the engine's clock.
    """

    kind: TransitionKind
    at: float
    known: float
    before: VisibleState
    after: VisibleState
    occurrence: int
    announced: bool
    covers: bool
    arrival: float
    value: float | None = None
    author: str = "engine"
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class InputState:
    """One input: ``watermark`` up to which it is decided, what waits to be put in order, what a rate needs."""

    newest: float | None = None
    watermark: float | None = None
    heard: float | None = None
    late: int = 0
    pending: list[tuple[float, float, float | None, int]] = field(default_factory=list)
    recent: list[tuple[float, float]] = field(default_factory=list)
    history: list[tuple[float, float]] = field(default_factory=list)

    def copy(self) -> "InputState":
        """Return a copy that shares nothing that can change."""
        return InputState(
            self.newest, self.watermark, self.heard, self.late, self.pending[:], self.recent[:], self.history[:]
        )


@dataclass(slots=True)
class ConditionState:
    """One condition: whether it is on, and since when the opposite seems to hold."""

    on: bool = False
    since: float | None = None
    value: float | None = None


@dataclass(slots=True)
class AlarmState:
    """Everything the engine knows of one alarm."""

    begun: float
    clock: float
    inputs: dict[str, InputState] = field(default_factory=dict)
    conditions: list[ConditionState] = field(default_factory=list)
    active: bool = False
    base: BaseState = "NORMAL"
    occurrence: int = 0
    raised: float | None = None
    cleared: float | None = None
    since: float = 0.0
    announced_at: float | None = None
    escalated: int = 0
    acknowledged: float | None = None
    acknowledged_by: str | None = None
    shelved_until: float | None = None
    suppressed: bool = False
    covered: bool = False
    out_of_service: bool = False

    def copy(self) -> "AlarmState":
        """Return a copy that shares nothing that can change."""
        return replace(
            self,
            inputs={source: one.copy() for source, one in self.inputs.items()},
            conditions=[ConditionState(one.on, one.since, one.value) for one in self.conditions],
        )

    @property
    def visible(self) -> VisibleState:
        """The state a person sees: what hides an alarm goes before what it is."""
        if self.out_of_service:
            return "OUT-OF-SERVICE"
        if self.shelved_until is not None:
            return "SHELVED"
        if self.suppressed or self.covered:
            return "SUPPRESSED"
        return self.base

    @property
    def covers(self) -> bool:
        """Whether it suppresses its children: active, and a person can see it or what suppresses it."""
        return self.active and not (self.out_of_service or self.suppressed or self.shelved_until is not None)

    @property
    def value(self) -> float | None:
        """The newest value of the first condition."""
        return self.conditions[0].value if self.conditions else None


def begin_state(begun: float, conditions: int) -> AlarmState:
    """Return the state of an alarm nothing is known of yet."""
    return AlarmState(begun, begun, conditions=[ConditionState() for _ in range(conditions)], since=begun)


def read_state(written: dict[str, Any]) -> AlarmState:
    """Return the state from its JSON, in which ``orjson`` writes it."""
    inputs = {
        source: InputState(
            **{
                **one,
                "pending": [(row[0], row[1], row[2], row[3]) for row in one["pending"]],
                "recent": [(row[0], row[1]) for row in one["recent"]],
                "history": [(row[0], row[1]) for row in one["history"]],
            }
        )
        for source, one in written["inputs"].items()
    }
    conditions = [ConditionState(**one) for one in written["conditions"]]
    return AlarmState(**{**written, "inputs": inputs, "conditions": conditions})
