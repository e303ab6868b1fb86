"""Alarm rules as data: what raises an alarm, how urgent it is, who is told when nobody acknowledges it.

Words after ANSI/ISA-18.2: on and off limits, on and off delays, priority, shelving, suppression by design.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from layers.errors import InputError

Priority = Literal["critical", "high", "medium", "low"]
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "medium", "low")
Direction = Literal["above", "below"]
DAY_S = 86_400.0
Seconds = Annotated[float, Field(ge=0, le=30 * DAY_S)]
Positive = Annotated[float, Field(gt=0, le=30 * DAY_S)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}$")]
_EXACT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Words(BaseModel):
    """A text in Vietnamese and English."""

    model_config = _EXACT
    vi: str = Field(min_length=1, max_length=500)
    en: str = Field(min_length=1, max_length=500)


class Target(BaseModel):
    """What a rule applies to: one series, or all series of a kind of sensor and an observed property, or the loop."""

    model_config = _EXACT
    series: Name | None = None
    kind: Name | None = None
    observed_property: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> "Target":
        if self.series is not None and (self.kind or self.observed_property):
            raise ValueError("a target names either 'series' or 'kind' and 'observed_property'")
        return self

    @property
    def loop(self) -> bool:
        """Whether the rule is about no series at all."""
        return self.series is None and self.kind is None and self.observed_property is None


class _OfSeries(BaseModel):
    """``series`` names another series than the target's; ``observed_property`` a sister series of the same thing."""

    model_config = _EXACT
    series: Name | None = None
    observed_property: Name | None = None


class _Bounds(BaseModel):
    model_config = _EXACT
    direction: Direction = "above"
    on: float
    off: float | None = None
    on_delay_s: Seconds = 0.0
    off_delay_s: Seconds = 0.0

    @model_validator(mode="after")
    def _check(self) -> "_Bounds":
        if self.off is not None and (self.off > self.on if self.direction == "above" else self.off < self.on):
            raise ValueError(f"off limit {self.off} lies beyond on limit {self.on}, direction {self.direction}")
        return self


class _Limits(_Bounds, _OfSeries):
    pass


class LimitCondition(_Limits):
    """On at or beyond ``on``, off inside ``off`` (the same unless given), each for its delay [s]."""

    kind: Literal["limit"]


class RateCondition(_Limits):
    """Rise (or fall) over the last ``window_s`` [s], in the series' unit an hour."""

    kind: Literal["rate"]
    window_s: Positive


class ForecastCondition(_Limits):
    """Probability (0 to 1) that the forecast passes ``level`` within ``lead_s`` [s], against ``on`` and ``off``."""

    kind: Literal["forecast"]
    level: float
    lead_s: Positive
    on: float = Field(gt=0, le=1)


class NoDataCondition(_OfSeries):
    """On when the newest usable reading is older than ``after_s`` [s]."""

    kind: Literal["no_data"]
    after_s: Positive


class LateCondition(BaseModel):
    """On when the forecast loop ``loop`` did not finish for ``after_s`` [s]."""

    model_config = _EXACT
    kind: Literal["late"]
    loop: Name
    after_s: Positive


class LeakCondition(_Bounds):
    """Flow of the leaks that run [m³/s] by the last search of ``zone``: a metered area, model/area, '' for all."""

    kind: Literal["leak"]
    zone: Annotated[str, Field(max_length=200)] = ""
    on: float = Field(gt=0)


class IncidentCondition(_Bounds):
    """How sure an incident in the street between two stations is (0 to 1), against ``on`` and ``off``.

    ``section``: the ids of the stations up and down the street, with a dot between them.
    """

    kind: Literal["incident"]
    section: Name
    on: float = Field(gt=0, le=1)


Condition = Annotated[
    LimitCondition
    | RateCondition
    | ForecastCondition
    | NoDataCondition
    | LateCondition
    | LeakCondition
    | IncidentCondition,
    Field(discriminator="kind"),
]


class Step(BaseModel):
    """One step of the ladder: ``group`` is told ``after_min`` [min] without acknowledgement."""

    model_config = _EXACT
    after_min: Annotated[float, Field(ge=0, le=7 * 24 * 60)]
    group: Annotated[str, Field(min_length=1, max_length=60)]


class Rule(BaseModel):
    """One alarm rule. ``minimum_quality`` is the worst QARTOD flag that counts: 1 good, 2 not evaluated, 3 suspect.

    ``lateness_s`` [s] is how long readings wait to be put in order. While an alarm of rule ``parent`` on the same
    series, or else the same thing, is active, this rule's alarm is suppressed. Alarms with the same ``event`` raised
    within ``group_window_s`` [s] of each other on one ``group_by`` are one incident.
    """

    model_config = _EXACT
    id: RuleId
    title: Words
    event: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    level: Annotated[int, Field(ge=1, le=9)] | None = None
    priority: Priority
    target: Target = Target()
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=10)]
    combine: Literal["all", "any"] = "all"
    minimum_quality: Literal[1, 2, 3] = 3
    lateness_s: Annotated[float, Field(ge=0, le=DAY_S)] = 30.0
    escalation: Annotated[tuple[Step, ...], Field(max_length=10)] = ()
    parent: RuleId | None = None
    group_by: Literal["item", "ward", "rule", "none"] = "item"
    group_window_s: Seconds = 3600.0
    response: Words | None = None
    legal_source: Annotated[str, Field(max_length=300)] | None = None

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        if self.parent == self.id:
            raise ValueError("a rule cannot be its own parent")
        minutes = [step.after_min for step in self.escalation]
        if minutes != sorted(minutes):
            raise ValueError("the steps of the escalation do not ascend in time")
        if self.target.loop:
            for condition in self.conditions:
                if (
                    not isinstance(condition, LateCondition | LeakCondition | IncidentCondition)
                    and condition.series is None
                ):
                    raise ValueError(f"condition '{condition.kind}' needs a series: the rule has no target")
        return self


def parse_rule(definition: Mapping[str, Any]) -> Rule:
    """Return the rule written as ``definition``; InputError names the rule, the field and what is wrong with it."""
    try:
        return Rule.model_validate(definition)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the rule"
        named = str(definition.get("id", "?"))[:120]
        raise InputError(f"rule '{named}', {where}: {first['msg'].removeprefix('Value error, ')}") from None


def write_rule(rule: Rule) -> dict[str, Any]:
    """Return the rule as JSON, without what is at its default."""
    return rule.model_dump(mode="json", exclude_defaults=True)
