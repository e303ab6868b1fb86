"""What happens to accounts is written to the audit: the one place where it is."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to which account or key, from where, and how it ended; ``detail`` holds no secret."""

    action: str
    object: str
    subject: str
    via: str
    address: str = ""
    outcome: str = "done"
    detail: dict[str, Any] = field(default_factory=dict)


def record(connection: Connection, deed: Deed) -> None:
    """Write down a deed in the transaction of what it is about."""
