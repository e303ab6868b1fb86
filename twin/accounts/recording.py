"""What happens to accounts and keys is written to the audit: the one place where it is."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from twin.audit.act import who_acts
from twin.audit.entry import Entry, Outcome, Who
from twin.audit.recording import record as record_entry


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to which account or key, from where, and how it ended; ``detail`` holds no secret."""

    action: str
    object: str
    subject: str
    via: str
    address: str = ""
    outcome: Outcome = "done"
    detail: dict[str, Any] = field(default_factory=dict)


def record(connection: Connection, deed: Deed) -> None:
    """Write down a deed in the transaction of what it is about."""
    act = who_acts()
    request = None if act is None else act.who().request_id
    who = Who(deed.subject, via=deed.via, client=deed.address or None, request_id=request)
    record_entry(connection, Entry(deed.action, deed.object, deed.outcome, deed.detail, who))
