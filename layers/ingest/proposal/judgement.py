"""What values say of a column as one property."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Judgement:
    """``support`` runs from −1 (the values cannot be this) to 1 (they must be).

    ``parts`` are words of the rule, each with value, confidence and reason; ``notes`` what was seen; ``unknown`` the
    values no code was found for, with the rows they are in.
    """

    support: float = 0.0
    parts: dict[str, tuple[Any, float, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unknown: list[tuple[str, int]] = field(default_factory=list)
