"""Numbers and days as JSON and RFC 3339 write them: true is no number, and 0 is no day."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def _require_day(value: Any) -> Any:
    if isinstance(value, str) and len(value) != len("2026-11-22"):
        raise ValueError("write a day as 2026-11-22")
    if isinstance(value, int | float):
        raise ValueError("write a day as 2026-11-22")
    return value


Day = Annotated[date, BeforeValidator(_require_day)]
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
