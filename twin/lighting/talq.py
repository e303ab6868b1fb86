"""Control programs, calendar rules and their conditions in the words of TALQ 2.6, as pure values.

Source: TALQ Smart City Protocol 2.6.2, data model: ControlProgramOne, AbsoluteActivePeriod, AstroClockActivePeriod,
FixedTimeControl, AstroClockTimeControl, EffectOperation, CalendarRule, ccDate, ccDay. Days run from noon to noon
(``dayOffset`` 12). Levels are 0–1 here and per cent in documents.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from layers.errors import InputError
from twin.state.lamps import Night, Program

MonthDay = tuple[int, int]
OPERATIONS = ("Set", "Max", "Min", "Add", "Sub", "Mul")


@dataclass(frozen=True, slots=True)
class AbsoluteActivePeriod:
    """Active from one clock time to another; equal times are the whole day."""

    start: time
    end: time

    def find_span(self, night: Night) -> tuple[datetime, datetime] | None:
        """Return from when to when it is active in a lighting day."""
        begin = night.find_moment(self.start)
        if self.start == self.end:
            noon = night.find_moment(time(12))
            return noon, noon + timedelta(days=1)
        end = night.find_moment(self.end)
        # 6:00 to 20:00 lies across noon: within this lighting day it ends at the next noon.
        return begin, end if end > begin else night.find_moment(time(12)) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AstroClockActivePeriod:
    """Active from sunset to sunrise, each with an offset [min]."""

    sunset_offset: float
    sunrise_offset: float

    def find_span(self, night: Night) -> tuple[datetime, datetime] | None:
        """Return from when to when it is active in a lighting day; None where the sun does not set and rise."""
        if night.sunset is None or night.sunrise is None:
            return None
        return (
            night.sunset + timedelta(minutes=self.sunset_offset),
            night.sunrise + timedelta(minutes=self.sunrise_offset),
        )


ActivePeriod = AbsoluteActivePeriod | AstroClockActivePeriod


@dataclass(frozen=True, slots=True)
class FixedTimeControl:
    """From a clock time on the level is ``level``, until the next control."""

    start: time
    level: float

    def __post_init__(self) -> None:
        _check_level(self.level)


@dataclass(frozen=True, slots=True)
class AstroClockTimeControl:
    """From a sunset or sunrise with an offset [min] on, an operation changes the level of the fixed controls."""

    event: str
    offset: float
    operation: str
    level: float

    def __post_init__(self) -> None:
        _check_level(self.level)
        if self.event not in ("sunset", "sunrise") or self.operation not in OPERATIONS:
            raise InputError(
                f"a control operates '{self.operation}' at '{self.event}'",
                hint=f"sunset or sunrise; one of {', '.join(OPERATIONS)}",
            )

    def find_moment(self, night: Night) -> datetime | None:
        """Return when it begins in a lighting day."""
        sun = night.sunset if self.event == "sunset" else night.sunrise
        return None if sun is None else sun + timedelta(minutes=self.offset)

    def change(self, level: float) -> float:
        """Return a level as the operation leaves it, within 0 to 1."""
        own = self.level
        changed = {
            "Set": own,
            "Max": max(level, own),
            "Min": min(level, own),
            "Add": level + own,
            "Sub": level - own,
            "Mul": level * own,
        }[self.operation]
        return min(max(changed, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class ControlProgramOne:
    """Lit within its active periods (always without one), at the level of its controls; else off.

    Before the first fixed control of a lighting day the last one counts, as programs wrap around.
    """

    id: str
    periods: tuple[ActivePeriod, ...] = ()
    fixed: tuple[FixedTimeControl, ...] = ()
    astro: tuple[AstroClockTimeControl, ...] = ()

    def list_switches(self, night: Night) -> list[tuple[datetime, float]]:
        """Return the moments of a lighting day at which the level changes, beginning with its noon."""
        noon = night.find_moment(time(12))
        spans = [span for span in (period.find_span(night) for period in self.periods) if span is not None]
        fixed = sorted((night.find_moment(control.start), control.level) for control in self.fixed)
        found = [(control.find_moment(night), control) for control in self.astro]
        astro = sorted(((at, control) for at, control in found if at is not None), key=lambda each: each[0])
        edges = {noon, *(edge for span in spans for edge in span), *(at for at, _ in fixed), *(at for at, _ in astro)}

        def find_level(at: datetime) -> float:
            if self.periods and not any(begin <= at < end for begin, end in spans):
                return 0.0
            before = [level for moment, level in fixed if moment <= at]
            level = before[-1] if before else fixed[-1][1] if fixed else 1.0
            started = [control for moment, control in astro if moment <= at]
            return started[-1].change(level) if started else level

        return [(edge, find_level(edge)) for edge in sorted(edges) if edge >= noon]


@dataclass(frozen=True, slots=True)
class DateCondition:
    """``ccDate``: days of every month (month 0) or of a month, each with the last day of its range."""

    ranges: tuple[tuple[MonthDay, MonthDay], ...]

    def holds(self, day: date) -> bool:
        """Return whether a day is one of them."""
        return any(
            first[1] <= day.day <= last[1] if first[0] == 0 else first <= (day.month, day.day) <= last
            for first, last in self.ranges
        )


@dataclass(frozen=True, slots=True)
class DayCondition:
    """``ccDay``: weekdays (1 Monday – 7 Sunday), each with the last of its range.

    occurrences: only the first, second … of the month; "L" is the last.
    """

    ranges: tuple[tuple[int, int], ...]
    occurrences: frozenset[str] = frozenset()

    def holds(self, day: date) -> bool:
        """Return whether a day is one of them."""
        if not any(first <= day.isoweekday() <= last for first, last in self.ranges):
            return False
        is_last = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return (
            not self.occurrences
            or str((day.day - 1) // 7 + 1) in self.occurrences
            or ("L" in self.occurrences and is_last)
        )


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """From ``start`` to ``end`` (a date, or a month and day of every year), where its condition holds, a program."""

    program: Program
    start: date | MonthDay | None = None
    end: date | MonthDay | None = None
    condition: DateCondition | DayCondition | None = None

    def applies(self, day: date) -> bool:
        """Return whether it applies to the lighting day that begins at noon of ``day``."""
        return self._spans(day) and (self.condition is None or self.condition.holds(day))

    def _spans(self, day: date) -> bool:
        here = day.month, day.day
        if isinstance(self.start, tuple) and isinstance(self.end, tuple) and self.start > self.end:
            return here >= self.start or here <= self.end
        begun = self.start is None or (here >= self.start if isinstance(self.start, tuple) else day >= self.start)
        return begun and (self.end is None or (here <= self.end if isinstance(self.end, tuple) else day <= self.end))


def _check_level(level: float) -> None:
    if not 0.0 <= level <= 1.0:
        raise InputError(f"level {100.0 * level:g} % of a control lies outside 0 to 100 %")
