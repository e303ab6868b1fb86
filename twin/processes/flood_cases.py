"""What a comparison is made of: events, climates and measures, and the scenario that each of their combinations is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError, model_validator

from layers.errors import InputError
from layers.schema import Text
from twin.process import Inputs, describe, parse_words
from twin.processes.flood_scenario import PROCESS as SCENARIO
from twin.processes.flood_scenario import FloodScenarioInputs

MOST_CASES = 60
NO_MEASURE = "none"
NO_CLIMATE = "today"
NO_EVENT = "base"
COMMON = ("gauge", "cell_size", "output_minutes", "base_time", "horizon_hours", "river_below")
"""Inputs of a scenario that all cases share, or their maps could not be compared."""

_OPPOSITES = {"gates_closed": "gates_open", "gates_open": "gates_closed"}


class FloodPart(Inputs):
    """A part of a case: a name, and the inputs of a scenario that make it."""

    name: str = describe(
        Text("Tên", "Name"), Text("Tên trong bảng so sánh.", "Its name in the table."), min_length=1, max_length=80
    )
    changes: str | dict[str, Any] = describe(
        Text("Thay đổi", "Changes"),
        Text(
            "Đầu vào của kịch bản ngập, như stage_offset=0.3; pumps_off=P1, P2.",
            "Inputs of a flood scenario, as stage_offset=0.3; pumps_off=P1, P2.",
        ),
        default="",
    )

    def read_changes(self) -> dict[str, Any]:
        """Return the inputs by name; InputError for words that are none, or inputs all cases must share."""
        if isinstance(self.changes, str):
            words = self.changes.replace("\n", ";").split(";")
            found = parse_words(SCENARIO, [word.strip() for word in words if word.strip()])
        else:
            found = dict(self.changes)
        for name in found:
            if name in COMMON:
                raise InputError(f"'{self.name}' changes {name}, which all cases share", hint="give it once, for all")
        return found


class FloodEvent(FloodPart):
    """A flood to compare measures in."""

    return_period: float | None = describe(
        Text("Chu kỳ lặp lại", "Return period"),
        Text(
            "Bao nhiêu năm có một lần; cần cho thiệt hại trung bình năm.",
            "Once in how many years; needed for the expected annual damage.",
        ),
        unit="a",
        default=None,
        ge=1.0,
        le=100_000.0,
    )


@dataclass(frozen=True, slots=True)
class CaseKey:
    """Which event, under which climate, with which measure."""

    event: str
    climate: str
    measure: str


class FloodCompareInputs(FloodScenarioInputs):
    """What a comparison is asked; the inputs of a scenario are what all cases have in common."""

    events: tuple[FloodEvent, ...] = describe(
        Text("Trận ngập", "Events"),
        Text(
            "Các trận ngập để so sánh; bỏ trống là một trận như đầu vào chung.",
            "The floods to compare in; if none is given, one as the common inputs say.",
        ),
        default=(),
        max_length=MOST_CASES,
    )
    measures: tuple[FloodPart, ...] = describe(
        Text("Giải pháp", "Measures"),
        Text(
            "Các giải pháp, mỗi cái được so với khi không có giải pháp nào.",
            "What may be done; each is held to the same flood without any measure.",
        ),
        default=(),
        max_length=MOST_CASES,
    )
    climates: tuple[FloodPart, ...] = describe(
        Text("Khí hậu", "Climates"),
        Text(
            "Các kịch bản khí hậu, mỗi cái thay đổi mọi trận ngập; hôm nay luôn có.",
            "Climates to come, each changes every event; today's is always there.",
        ),
        default=(),
        max_length=MOST_CASES,
    )
    show: tuple[str, ...] = describe(
        Text("Bản đồ", "Map"),
        Text(
            "Tên trận ngập, khí hậu và giải pháp của bản đồ thay đổi độ sâu; bỏ trống thì trận đầu với giải pháp đầu.",
            "Event, climate and measure of the map of changes, by name; the first event with the first measure if not "
            "given.",
        ),
        default=(),
        max_length=3,
    )
    damage_from: float | None = describe(
        Text("Bắt đầu thiệt hại", "Damage from"),
        Text(
            "Trận ngập bao nhiêu năm một lần trở lên mới gây thiệt hại; cho thiệt hại trung bình năm.",
            "Return period up to which nothing is lost; for the expected annual damage.",
        ),
        unit="a",
        default=None,
        ge=1.0,
        le=100_000.0,
    )

    @model_validator(mode="after")
    def _can_be_compared(self) -> Self:
        for words, names in (
            ("events", self.list_events()), ("measures", self.list_measures()), ("climates", self.list_climates()),
        ):  # fmt: skip
            for name in names:
                if list(names).count(name) > 1:
                    raise ValueError(f"{words} has '{name}' twice, or it is the name of what is always there")
        count = len(self.list_events()) * len(self.list_measures()) * len(self.list_climates())
        if count > MOST_CASES:
            raise ValueError(f"events × climates × measures are {count} runs, expected at most {MOST_CASES}")
        self._check_periods()
        for key in self.list_cases():
            self.find_inputs(key)
        self.find_pair()
        return self

    def _check_periods(self) -> None:
        periods = sorted(event.return_period for event in self.events if event.return_period is not None)
        if len(set(periods)) < len(periods):
            raise ValueError(f"return periods are {periods} years, expected different ones")
        if self.damage_from is not None and (len(periods) < 2 or self.damage_from > periods[0]):
            raise ValueError(
                f"damage_from is {self.damage_from:g} years with return periods {periods}, expected two or more "
                "periods, none below it"
            )

    def list_events(self) -> tuple[str, ...]:
        """Return the names of the events."""
        return tuple(event.name for event in self.events) or (NO_EVENT,)

    def list_climates(self) -> tuple[str, ...]:
        """Return the names of the climates, today's first."""
        return (NO_CLIMATE, *(climate.name for climate in self.climates))

    def list_measures(self) -> tuple[str, ...]:
        """Return the names of the measures, none first."""
        return (NO_MEASURE, *(measure.name for measure in self.measures))

    def list_cases(self) -> list[CaseKey]:
        """Return every combination: event by event, climate by climate."""
        return [
            CaseKey(event, climate, measure)
            for event in self.list_events()
            for climate in self.list_climates()
            for measure in self.list_measures()
        ]

    def find_period(self, event: str) -> float | None:
        """Return the return period of an event [a], if it has one."""
        return next((own.return_period for own in self.events if own.name == event), None)

    def find_inputs(self, key: CaseKey) -> FloodScenarioInputs:
        """Return the inputs of the scenario that a case is.

        A part goes before what all cases have in common; lists are joined. InputError naming the case for two parts
        that both give a value, or inputs that do not fit together.
        """
        common = {
            name: value
            for name, value in self.model_dump(exclude_unset=True).items()
            if name in FloodScenarioInputs.model_fields
        }
        parts = [
            *(part for part in self.events if part.name == key.event),
            *(part for part in self.climates if part.name == key.climate),
            *(part for part in self.measures if part.name == key.measure),
        ]
        values = merge_changes(common, [(part.name, part.read_changes()) for part in parts])
        try:
            return FloodScenarioInputs.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(place) for place in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            raise InputError(
                f"event '{key.event}', climate '{key.climate}', measure '{key.measure}': {name}: {reason}"
            ) from error

    def find_pair(self) -> tuple[CaseKey, CaseKey]:
        """Return the two cases of the map of changes, before and after.

        After is the one asked for; before is the same without its measure, or where it has none, today, or the first
        event.
        """
        first = CaseKey(self.list_events()[0], NO_CLIMATE, NO_MEASURE)
        if self.show:
            if len(self.show) != 3 or CaseKey(*self.show) not in self.list_cases():
                raise InputError(
                    f"show is {json.dumps(self.show, ensure_ascii=False)}, expected an event, a climate and a measure",
                    hint=f"events are {', '.join(self.list_events())}; climates {', '.join(self.list_climates())}; "
                    f"measures {', '.join(self.list_measures())}",
                )
            after = CaseKey(*self.show)
        elif self.measures:
            after = CaseKey(first.event, NO_CLIMATE, self.measures[0].name)
        elif self.climates:
            after = CaseKey(first.event, self.climates[-1].name, NO_MEASURE)
        else:
            after = CaseKey(self.list_events()[-1], NO_CLIMATE, NO_MEASURE)
        if after.measure != NO_MEASURE:
            return CaseKey(after.event, after.climate, NO_MEASURE), after
        if after.climate != NO_CLIMATE:
            return CaseKey(after.event, NO_CLIMATE, NO_MEASURE), after
        return first, after


def merge_changes(common: Mapping[str, Any], parts: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the inputs of all parts, (name, inputs) each: lists joined, anything else as the one part says.

    A gate that a later part closes is no longer stuck open, and the other way round. InputError naming two parts that
    give the same value.
    """
    values = dict(common)
    given: dict[str, str] = {}
    for part, changes in parts:
        for name, value in changes.items():
            if isinstance(value, list | tuple):
                before = values.get(name, ())
                values[name] = [*before, *(entry for entry in value if entry not in before)]
                if name in _OPPOSITES:
                    other = _OPPOSITES[name]
                    values[other] = [entry for entry in values.get(other, ()) if entry not in value]
                continue
            if name in given:
                raise InputError(
                    f"'{given[name]}' and '{part}' both give {name}, expected one of them",
                    hint="add them up in one, or use inputs that add up",
                )
            values[name], given[name] = value, part
    return values
