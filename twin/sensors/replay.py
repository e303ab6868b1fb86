"""Refused messages taken in again, after a device, a datastream or a decoder was mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from sqlalchemy import Connection

from twin.sensors.intake import Receipt, store_messages
from twin.sensors.message import Message
from twin.store_telemetry import Rejected, Tally, note_refusal, settle_rejected


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a refused message: its number, whether all of it is stored now, and if not why."""

    id: int
    settled: bool
    stored: int
    reasons: tuple[str, ...]


def replay_rejected(
    connection: Connection,
    rows: Sequence[Rejected],
    *,
    tolerance_s: float,
    author: str,
    shift: timedelta | None = None,
) -> list[Replayed]:
    """Take messages in as if they came anew at the time they came; what is whole now is settled.

    Times are judged against the first arrival. ``shift`` is added to the times of the readings, for a clock that was
    off. The ledger of that hour is put right: a refusal mended is one less. The caller commits.
    """
    outcomes = []
    for row in rows:
        hour = row.received.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        relief = Tally(received=-row.readings, rejected=-row.readings, reasons={row.code: -row.readings})
        message = Message(row.topic, row.payload, row.received, row.channel)
        receipt = store_messages(
            connection, [message], tolerance_s=tolerance_s, author=author, shift=shift,
            undo={(row.device, hour): relief}, keep_refused=False,
        )  # fmt: skip
        outcomes.append(_settle(connection, row, receipt, author))
    return outcomes


def _settle(connection: Connection, row: Rejected, receipt: Receipt, author: str) -> Replayed:
    refusals = receipt.refused.get(0, [])
    if not refusals:
        settle_rejected(connection, [row.id], author=author)
    else:
        note_refusal(connection, row.id, refusals[0].reason)
    reasons = tuple(f"{one.code}: {one.reason}" for one in refusals)
    return Replayed(row.id, not refusals, receipt.stored + receipt.corrected, reasons)
