"""The words of a rule and of what it finds."""

from dataclasses import dataclass
from typing import Any, Literal

from layers.schema import Text

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Reach:
    """Which features must be looked at again when features of ``layer`` change.

    Those that lie ``within`` a distance [m] of the old or new place, and those whose property (first of a pair of
    ``by``) holds what the changed feature has in the second.
    """

    layer: str
    within: float | None = None
    by: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold for the features of one layer.

    ``query`` selects those for which it does not (``layers.store.rule_*`` write it). ``reason`` may name what was found
    as ``{value}`` and the other feature as ``{other}``. ``on_edit`` is false for what an edit is checked for anyway.
    """

    id: str
    layer: str
    severity: Severity
    title: Text
    reason: Text
    query: str
    hint: Text | None = None
    reaches: tuple[Reach, ...] = ()
    on_edit: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one feature: why, and what would help.

    ``name`` is the property, ``other`` the second feature, ``place`` longitude and latitude [°], each if there is one;
    ``standing`` is what was wrong before the edit that is looked at.
    """

    rule: str
    severity: Severity
    layer: str
    feature: str
    reason: Text
    name: str | None = None
    value: str | None = None
    other: str | None = None
    place: tuple[float, float] | None = None
    hint: Text | None = None
    standing: bool = False

    @property
    def key(self) -> tuple[str, str, str, str | None, str | None]:
        """What tells one finding from another, before and after an edit.

        Of a property it does not matter what it is compared with: the nearest node may be another one.
        """
        return self.rule, self.layer, self.feature, self.name, self.other if self.name is None else None

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain values for JSON."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "collection": self.layer,
            "feature": self.feature,
            "property": self.name,
            "value": self.value,
            "other": self.other,
            "place": list(self.place) if self.place else None,
            "reason": self.reason._asdict(),
            "hint": self.hint._asdict() if self.hint else None,
            "standing": self.standing,
        }
