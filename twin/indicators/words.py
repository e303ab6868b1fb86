"""The words of an indicator: what is declared, what is measured, how it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from layers.schema import Text

State = Literal["good", "watch", "bad", "unknown"]
Figure = Literal["count", "highest", "lowest"]
Test = Literal["above", "below", "alarm", "slow"]
STATE_TITLES: dict[State, Text] = {
    "good": Text("Bình thường", "Normal"),
    "watch": Text("Cần theo dõi", "Watch"),
    "bad": Text("Cần xử lý", "Act"),
    "unknown": Text("Chưa có dữ liệu", "No data"),
}
ORDER: Sequence[State] = ("unknown", "good", "watch", "bad")


@dataclass(frozen=True, slots=True)
class Limits:
    """From ``watch`` on somebody should look, from ``bad`` on somebody should act; downward where ``below``.

    ``share`` judges the share of what is counted and not the number. ``source`` says whose limits they are.
    """

    watch: float | None = None
    bad: float | None = None
    below: bool = False
    share: bool = False
    source: Text | None = None

    def judge(self, value: float) -> State:
        """Return the state of a value."""
        sign = -1.0 if self.below else 1.0
        if self.bad is not None and sign * value >= sign * self.bad:
            return "bad"
        return "watch" if self.watch is not None and sign * value >= sign * self.watch else "good"


@dataclass(frozen=True, slots=True)
class OfSeries:
    """A figure over the newest readings of all sensors of a ``kind``.

    ``test`` says which of them count: at or ``above`` a step, ``below`` it, at an ``alarm`` level of its own, or as
    ``slow`` as a share of the speed limit. ``urgent`` is the step (of alarms the level) from which one alone is bad.
    """

    kind: str
    observed_property: str
    figure: Figure = "count"
    test: Test = "above"
    step: float = 0.0
    urgent: float | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator as it is declared. ``unit`` is UCUM; ``measure`` is its figure over series, or the name of a count.

    ``link`` leads to the items behind it. ``missing`` is said while nothing tells it.
    """

    id: str
    theme: str
    title: Text
    description: Text
    measure: OfSeries | str
    link: str
    missing: Text
    unit: str = "{#}"
    digits: int = 0
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Behind:
    """One item behind an indicator: a feature of a layer or a sensor; ``place`` is longitude, latitude [°]."""

    layer: str | None
    id: str
    name: str
    value: float | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part that a value is made of."""

    id: str
    title: Text
    value: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found: ``value`` is None where nothing tells it, ``note`` says why.

    ``count`` is how many things told it, ``of`` how many there are. ``time`` is that of the newest datum. ``least`` is
    the state that one of the parts alone calls for.
    """

    value: float | None
    count: int = 0
    of: int | None = None
    time: datetime | None = None
    note: Text | None = None
    least: State = "good"
    parts: tuple[Part, ...] = ()
    items: tuple[Behind, ...] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """An indicator with what was measured, its state and why, and its hourly values of the last day."""

    indicator: Indicator
    measured: Measured
    state: State
    reason: Text
    recent: tuple[tuple[datetime, float | None], ...] = field(default=())

    @property
    def change(self) -> float | None:
        """Return how much the value differs from that of the hour before the last, None where that is not known."""
        if self.measured.value is None or len(self.recent) < 2:
            return None
        before = self.recent[-2][1]
        return None if before is None else self.measured.value - before
