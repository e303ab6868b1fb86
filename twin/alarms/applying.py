"""Rules meet series: which alarms there are, what each listens to, which suppresses which, what is one incident."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layers.errors import InputError
from twin.alarms.engine import Point
from twin.alarms.rules import Condition, ForecastCondition, IncidentCondition, LateCondition, LeakCondition, Rule

LOOP = "loop:"
LEAKS = "leaks:"
INCIDENTS = "incident:"


@dataclass(frozen=True, slots=True)
class Series:
    """A series and where it belongs."""

    id: str
    thing: str
    kind: str | None
    observed_property: str
    watched_layer: str | None
    watched_id: str | None
    ward: str | None


@dataclass(frozen=True, slots=True)
class Applied:
    """One alarm: a rule on one series, or on none."""

    point: Point
    version: int
    series: Series | None


@dataclass(frozen=True, slots=True)
class Exceedance:
    """An input made of forecasts: the probability that ``series`` passes ``level`` within ``lead_s`` [s]."""

    series: str
    direction: str
    level: float
    lead_s: float

    @property
    def source(self) -> str:
        """The name the engine knows the input by."""
        return f"forecast:{self.series}:{self.direction}:{self.level!r}:{self.lead_s!r}"


class SeriesIndex:
    """Series by id, by thing and by what they measure."""

    def __init__(self, series: Iterable[Series]) -> None:
        self.by_id = {one.id: one for one in series}
        self._by_thing: dict[str, list[Series]] = {}
        for one in self.by_id.values():
            self._by_thing.setdefault(one.thing, []).append(one)

    def find_sister(self, of: Series, observed_property: str) -> Series | None:
        """Return the series of the same thing that measures ``observed_property``."""
        return next((one for one in self._by_thing[of.thing] if one.observed_property == observed_property), None)

    def match(self, rule: Rule) -> list[Series | None]:
        """Return the series a rule applies to; one None for a rule that is about no series."""
        target = rule.target
        if target.loop:
            return [None]
        if target.series is not None:
            found = self.by_id.get(target.series)
            return [] if found is None else [found]
        return [
            one
            for one in self.by_id.values()
            if target.kind in (None, one.kind) and target.observed_property in (None, one.observed_property)
        ]


def apply_rule(rule: Rule, version: int, index: SeriesIndex) -> tuple[list[Applied], list[str]]:
    """Return the alarms of a rule, and for each series it could not be applied to, why."""
    applied, faults = [], []
    for series in index.match(rule):
        try:
            sources = tuple(_find_source(condition, series, index) for condition in rule.conditions)
        except InputError as error:
            faults.append(f"rule '{rule.id}' on {series.id if series else 'no series'}: {error.message}")
            continue
        applied.append(Applied(Point(rule, sources), version, series))
    if not applied and not faults:
        faults.append(f"rule '{rule.id}' applies to no series there is")
    return applied, faults


def find_exceedance(condition: Condition, source: str) -> Exceedance | None:
    """Return what a forecast condition asks of the forecasts of the series in ``source``."""
    if not isinstance(condition, ForecastCondition):
        return None
    series = source.removeprefix("forecast:").rsplit(":", 3)[0]
    return Exceedance(series, condition.direction, condition.level, condition.lead_s)


def _find_source(condition: Condition, series: Series | None, index: SeriesIndex) -> str:
    if isinstance(condition, LateCondition):
        return f"{LOOP}{condition.loop}"
    if isinstance(condition, LeakCondition):
        return f"{LEAKS}{condition.zone}"
    if isinstance(condition, IncidentCondition):
        return f"{INCIDENTS}{condition.section}"
    if condition.series is not None:
        found = index.by_id.get(condition.series)
        if found is None:
            raise InputError(f"there is no series '{condition.series}'")
    elif series is None:
        raise InputError(f"condition '{condition.kind}' has no series")
    elif condition.observed_property is not None:
        found = index.find_sister(series, condition.observed_property)
        if found is None:
            raise InputError(f"thing '{series.thing}' has no series of '{condition.observed_property}'")
    else:
        found = series
    if isinstance(condition, ForecastCondition):
        return Exceedance(found.id, condition.direction, condition.level, condition.lead_s).source
    return found.id


def find_parents(applied: Mapping[int, Applied]) -> dict[int, tuple[int, ...]]:
    """Return the parents of each alarm: those of the parent rule on its series, or else on its thing.

    A parent rule that has one alarm only, such as that of a hub, is the parent of all.
    """
    places: dict[tuple[str, str, str], list[int]] = {}
    for number, one in applied.items():
        for key in _list_places(one.point.rule.id, one.series):
            places.setdefault(key, []).append(number)
    parents = {}
    for number, one in applied.items():
        rule = one.point.rule.parent
        if rule is None:
            continue
        of_series, of_thing, of_rule = (places.get(key, []) for key in _list_places(rule, one.series))
        # A rule on a whole kind has an alarm of its own everywhere: another gauge's is no parent of this one.
        chosen = of_series or of_thing or (of_rule if len(of_rule) == 1 else [])
        if chosen:
            parents[number] = tuple(chosen)
    return parents


def _list_places(rule: str, series: Series | None) -> list[tuple[str, str, str]]:
    """Return what an alarm is looked up by: its series, its thing, its rule alone."""
    if series is None:
        return [(rule, "loop", ""), (rule, "nothing", ""), (rule, "any", "")]
    return [(rule, "series", series.id), (rule, "thing", series.thing), (rule, "any", "")]


def order_by_depth(numbers: Iterable[int], parents: Mapping[int, tuple[int, ...]]) -> list[int]:
    """Return alarms so that parents come before their children; a circle is entered where it is met first."""
    ordered: dict[int, None] = {}
    wanted = sorted(numbers)
    chosen = set(wanted)

    def visit(number: int, path: frozenset[int]) -> None:
        if number in ordered or number in path:
            return
        for parent in parents.get(number, ()):
            if parent in chosen:
                visit(parent, path | {number})
        ordered[number] = None

    for number in wanted:
        visit(number, frozenset())
    return list(ordered)


def name_incident(number: int, one: Applied) -> tuple[str, str | None, str | None]:
    """Return the key that alarms of one cause share, and the item (layer, id) they have in common, if any."""
    rule, series = one.point.rule, one.series
    if rule.group_by == "none":
        return f"{rule.event}|alarm {number}", None, None
    if rule.group_by == "rule" or series is None:
        return f"{rule.event}|rule {rule.id}", None, None
    if rule.group_by == "item" and series.watched_layer and series.watched_id:
        key = f"{rule.event}|{series.watched_layer}/{series.watched_id}"
        return key, series.watched_layer, series.watched_id
    if series.ward is not None:
        return f"{rule.event}|ward {series.ward}", "wards", series.ward
    return f"{rule.event}|thing {series.thing}", "sensors", series.thing
