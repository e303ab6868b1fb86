"""One thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "missing", "optional", "unsafe"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands, and what to type or change where it does not."""

    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""
