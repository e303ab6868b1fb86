"""What a reading means for the item it watches: pumping, open, lit, free, at alarm level II.

A state is a word, read from a value by steps that go up: the word of the highest step the value reaches. One table for
the record of an item, its past and its tile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from layers.observed import OBSERVED
from layers.schema import Text

UNKNOWN = "unknown"
FAILED = 4
"""A reading with this QARTOD flag tells nothing of the state."""


@dataclass(frozen=True, slots=True)
class Step:
    """From ``start`` on [unit of the property] an item is in the state ``word``."""

    start: float
    word: str


_LOWEST = -1.0e300
STEPS: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        "pump_state": (Step(_LOWEST, "off"), Step(0.5, "pumping")),
        "gate_opening": (Step(_LOWEST, "closed"), Step(0.02, "partly_open"), Step(0.98, "open")),
        "light_level": (Step(_LOWEST, "dark"), Step(0.01, "dimmed"), Step(0.98, "lit")),
        "bay_occupied": (Step(_LOWEST, "free"), Step(0.5, "occupied")),
        "filling_level": (Step(_LOWEST, "room"), Step(0.8, "full")),
        "rainfall": (Step(_LOWEST, "dry"), Step(0.1, "raining")),
        "rainfall_intensity": (Step(_LOWEST, "dry"), Step(0.1, "raining")),
    }
)
ALARMED = "stage"
"""The property whose words are the alarm levels of its gauge."""

GRADED = "vehicle_speed"
"""The property whose words are levels of service: its share of the speed limit of the road it watches."""

GRADES: tuple[tuple[float, str], ...] = (
    (0.80, "service_a"), (0.67, "service_b"), (0.50, "service_c"), (0.40, "service_d"), (0.30, "service_e"),
)  # fmt: skip
"""Above the first share a street is at level of service A, above the next B, and so on (HCM 7, exhibit 18-1)."""
WORST_GRADE = "service_f"

ALARM_WORDS = ("normal", "alarm_1", "alarm_2", "alarm_3")
MEASURED = "measured"

TITLES: Mapping[str, Text] = MappingProxyType(
    {
        UNKNOWN: Text("không rõ", "unknown"),
        MEASURED: Text("đang đo", "measured"),
        "off": Text("không bơm", "not pumping"),
        "pumping": Text("đang bơm", "pumping"),
        "closed": Text("đóng", "closed"),
        "partly_open": Text("mở một phần", "partly open"),
        "open": Text("mở", "open"),
        "dark": Text("tắt", "dark"),
        "dimmed": Text("sáng giảm", "dimmed"),
        "lit": Text("sáng", "lit"),
        "free": Text("trống", "free"),
        "occupied": Text("có xe", "occupied"),
        "room": Text("còn chỗ", "has room"),
        "full": Text("đầy", "full"),
        "flooded": Text("bị ngập", "flooded"),
        "not_flooded": Text("không ngập", "not flooded"),
        "dry": Text("không mưa", "dry"),
        "raining": Text("đang mưa", "raining"),
        "service_a": Text("thông thoáng (mức A)", "free (level of service A)"),
        "service_b": Text("khá thông (mức B)", "reasonably free (level of service B)"),
        "service_c": Text("ổn định (mức C)", "stable (level of service C)"),
        "service_d": Text("đông (mức D)", "busy (level of service D)"),
        "service_e": Text("rất đông (mức E)", "near capacity (level of service E)"),
        "service_f": Text("ùn tắc (mức F)", "congested (level of service F)"),
        "normal": Text("dưới báo động I", "below alarm level I"),
        "alarm_1": Text("trên báo động I", "above alarm level I"),
        "alarm_2": Text("trên báo động II", "above alarm level II"),
        "alarm_3": Text("trên báo động III", "above alarm level III"),
    }
)

ORDER: tuple[str, ...] = tuple(dict.fromkeys(observed.name for each in OBSERVED.values() for observed in each))
"""The properties by how much they say of an item: its state is that of the first it has."""


def find_word(
    observed_property: str,
    value: float | None,
    quality: int | None,
    alarms: Sequence[float | None] = (),
    speed_limit: float | None = None,
) -> str:
    """Return the state a value means; ``alarms`` are the alarm levels of a gauge in ascending order, ``speed_limit``
    [km/h] that of the road it watches.

    Unknown without a value or with a failed one; ``measured`` where a value has no words.
    """
    if value is None or quality == FAILED:
        return UNKNOWN
    if observed_property == ALARMED:
        levels = [number for number, level in enumerate(alarms, 1) if level is not None and value >= level]
        if any(level is not None for level in alarms):
            return ALARM_WORDS[max(levels, default=0)]
    if observed_property == GRADED and speed_limit:
        return next((word for share, word in GRADES if value > share * speed_limit), WORST_GRADE)
    steps = STEPS.get(observed_property)
    if steps is None:
        return MEASURED
    return next(step.word for step in reversed(steps) if value >= step.start)


def rank_property(observed_property: str) -> int:
    """Return the place of a property in ``ORDER``; what is not in it comes last."""
    return ORDER.index(observed_property) if observed_property in ORDER else len(ORDER)
