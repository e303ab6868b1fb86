"""One batch of messages into the store, the ledger and the refused, in one transaction: nothing is left out.

What arrived is counted in readings; a message that cannot be read counts as one. Always received = stored + repeated +
corrected + rejected, by device and hour of arrival.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from layers.store.edits import read_clock
from layers.store.sensing.arrival import store_live
from twin.sensors.bounding import refuse_foreign
from twin.sensors.checking import check_reading
from twin.sensors.mapping import Device, apply_mapping
from twin.sensors.message import UNKNOWN, Message, Opened, Reading, Refusal, Row
from twin.sensors.opening import open_message
from twin.store_telemetry import (
    Stream,
    Tally,
    find_features,
    read_devices,
    read_fates,
    read_streams,
    write_ledger,
    write_rejected,
)

AUTHOR = "telemetry"
_HOUR = {"minute": 0, "second": 0, "microsecond": 0}
Key = tuple[str, datetime]


@dataclass(slots=True)
class Receipt:
    """What became of a batch, in readings; ``refused`` holds the refusals by number of the message."""

    received: int = 0
    stored: int = 0
    repeated: int = 0
    corrected: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    refused: dict[int, list[Refusal]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        names = ("received", "stored", "repeated", "corrected", "rejected", "reasons")
        return {name: getattr(self, name) for name in names}


def store_messages(
    connection: Connection,
    messages: Sequence[Message],
    *,
    tolerance_s: float,
    author: str = AUTHOR,
    shift: timedelta | None = None,
    undo: Mapping[Key, Tally] | None = None,
    keep_refused: bool = True,
    only: Collection[str] | None = None,
) -> Receipt:
    """Take a batch in and return what became of it; the caller commits.

    ``tolerance_s``: how far a time may lie after the arrival [s]. ``shift`` is added to the times of readings. ``undo``
    (counts below zero) relieves the ledger of messages that were refused before; what is refused is not kept without
    ``keep_refused``. ``only`` are the datastreams the sender may write, None: any. Sent again, a batch changes nothing
    but ``repeated``. Raises what the database raises; then nothing of the batch is written.
    """
    opened = [open_message(message) for message in messages]
    _map_uplinks(connection, opened)
    refuse_foreign(connection, messages, opened, only)
    batch = _Batch(messages, opened, undo)
    batch.judge(connection, timedelta(seconds=tolerance_s), shift)
    batch.store(connection, author)
    write_ledger(connection, batch.tallies)
    if keep_refused and batch.receipt.refused:
        write_rejected(connection, list(batch.list_rejected()))
    return batch.finish()


def _map_uplinks(connection: Connection, opened: Sequence[Opened]) -> None:
    """Read what declared devices sent by their mappings."""
    names = {one.device for one in opened if one.device is not None and (one.uplink is not None or one.readings)}
    devices = read_devices(connection, names) if names else {}
    for one in opened:
        device = devices.get(one.device or "")
        if one.uplink is None:
            if device is not None and device.mapping is not None and one.readings:
                one.readings = _rename(device, one.readings)
        elif device is None or device.mapping is None:
            reason = f"device '{one.device}' {'is not declared' if device is None else 'has no mapping'}"
            one.refusals.append(Refusal("unknown-device", f"{reason} — twin sensors devices set {one.device} …"))
        else:
            for read in apply_mapping(device.mapping, one.uplink):
                if isinstance(read, Refusal):
                    one.refusals.append(read)
                else:
                    one.readings.append(read)


def _rename(device: Device, readings: Sequence[Reading]) -> list[Reading]:
    """Return SenML records under the datastreams a device's mapping names; others keep their name."""
    assert device.mapping is not None
    rules = {rule.path: rule for rule in device.mapping.readings}
    renamed = []
    for reading in readings:
        rule = rules.get(reading.row["datastream_id"])
        if rule is None:
            renamed.append(reading)
            continue
        row = {**reading.row, "datastream_id": rule.datastream}
        if row.get("result") is not None and (rule.factor, rule.offset) != (1.0, 0.0):
            row["result"] = row["result"] * rule.factor + rule.offset
            renamed.append(Reading(row, None, lenient=True))
        else:
            renamed.append(Reading(row, reading.unit, lenient=True))
    return renamed


class _Batch:
    """The work on one batch: accepted rows with the tally they count in, and refusals by message."""

    def __init__(self, messages: Sequence[Message], opened: Sequence[Opened], undo: Mapping[Key, Tally] | None) -> None:
        self.messages, self.opened = messages, opened
        self.tallies: dict[Key, Tally] = dict(undo or {})
        self.receipt = Receipt()
        self.accepted: list[tuple[Row, Tally]] = []

    def judge(self, connection: Connection, tolerance: timedelta, shift: timedelta | None) -> None:
        """Accept or refuse every reading."""
        rows = [reading.row for one in self.opened for reading in one.readings]
        streams = read_streams(connection, {row["datastream_id"] for row in rows}) if rows else {}
        wanted = {row["feature_of_interest_id"] for row in rows if "feature_of_interest_id" in row}
        features = find_features(connection, wanted) if wanted else set()
        for number, (message, one) in enumerate(zip(self.messages, self.opened, strict=True)):
            hour = message.received.astimezone(UTC).replace(**_HOUR)  # type: ignore[arg-type]
            latest = message.received + tolerance
            tally, counted_for = None, ""
            for reading in one.readings:
                row = reading.row
                if shift is not None:
                    row["phenomenon_time"] += shift
                stream = streams.get(row["datastream_id"])
                device = one.device or (stream.thing_id if stream else row["datastream_id"])
                if tally is None or device != counted_for:
                    tally, counted_for = self._find_tally(device, hour), device
                tally.received += 1
                refusal = check_reading(reading, stream, features, latest)
                lag = (message.received - row["phenomenon_time"]).total_seconds()
                if refusal is None or refusal.code == "future":
                    if tally.lag_least is None or lag < tally.lag_least:
                        tally.lag_least = lag
                    if tally.lag_most is None or lag > tally.lag_most:
                        tally.lag_most = lag
                if refusal is None:
                    self.accepted.append((row, tally))
                else:
                    self._refuse(number, tally, refusal, device)
            for refusal in one.refusals:
                device = one.device or self._name(refusal, streams)
                tally = self._find_tally(device, hour)
                tally.received += refusal.readings
                self._refuse(number, tally, refusal, device)

    def _name(self, refusal: Refusal, streams: Mapping[str, Stream]) -> str:
        stream = streams.get(refusal.device or "")
        return stream.thing_id if stream else refusal.device or UNKNOWN

    def _find_tally(self, device: str, hour: datetime) -> Tally:
        return self.tallies.setdefault((device, hour), Tally())

    def _refuse(self, number: int, tally: Tally, refusal: Refusal, device: str) -> None:
        tally.rejected += refusal.readings
        tally.reasons[refusal.code] = tally.reasons.get(refusal.code, 0) + refusal.readings
        self.receipt.rejected += refusal.readings
        self.receipt.reasons[refusal.code] = self.receipt.reasons.get(refusal.code, 0) + refusal.readings
        refused = self.receipt.refused.setdefault(number, [])
        for at, earlier in enumerate(refused):
            if earlier.code == refusal.code and earlier.device == device:
                refused[at] = Refusal(earlier.code, earlier.reason, earlier.readings + refusal.readings, device)
                return
        refused.append(Refusal(refusal.code, refusal.reason, refusal.readings, device))

    def store(self, connection: Connection, author: str) -> None:
        """Store what was accepted. What one batch says of one moment twice is stored in two rounds, in order."""
        waiting = self.accepted
        while waiting:
            this_round: dict[tuple[str, datetime], tuple[Row, Tally]] = {}
            later = []
            for row, tally in waiting:
                key = (row["datastream_id"], row["phenomenon_time"])
                there = this_round.setdefault(key, (row, tally))
                if there[0] is row:
                    continue
                if _says_the_same(there[0], row):
                    tally.repeated += 1
                    self.receipt.repeated += 1
                else:
                    later.append((row, tally))
            self._store_round(connection, list(this_round.values()), author)
            waiting = later

    def _store_round(self, connection: Connection, given: Sequence[tuple[Row, Tally]], author: str) -> None:
        since = read_clock(connection)
        counts = store_live(connection, [row for row, _ in given], author=author)
        if counts.new == len(given):
            for _, tally in given:
                tally.stored += 1
            self.receipt.stored += len(given)
            return
        if counts.unchanged == len(given):
            for _, tally in given:
                tally.repeated += 1
            self.receipt.repeated += len(given)
            return
        fates = read_fates(connection, [row for row, _ in given], since)
        for (_, tally), fate in zip(given, fates, strict=True):
            word = "stored" if fate.new else "corrected" if fate.corrected else "repeated"
            setattr(tally, word, getattr(tally, word) + 1)
            setattr(self.receipt, word, getattr(self.receipt, word) + 1)

    def list_rejected(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the refused messages."""
        for number, refusals in self.receipt.refused.items():
            message = self.messages[number]
            for one in refusals:
                yield {
                    "device": one.device or UNKNOWN, "channel": message.channel, "topic": message.topic,
                    "payload": message.payload, "code": one.code, "reason": one.reason, "readings": one.readings,
                    "received": message.received,
                }  # fmt: skip

    def finish(self) -> Receipt:
        """Return the receipt with its total."""
        made = self.receipt
        made.received = made.stored + made.repeated + made.corrected + made.rejected
        return made


def _says_the_same(one: Row, other: Row) -> bool:
    return bool(one.get("result") == other.get("result") and one.get("value") == other.get("value"))


def refuse_message(connection: Connection, message: Message, reason: str) -> None:
    """Keep a message that the database would not take, and count it."""
    device = open_message(message).device or UNKNOWN
    hour = message.received.astimezone(UTC).replace(**_HOUR)  # type: ignore[arg-type]
    tally = Tally(received=1, rejected=1, reasons={"not-stored": 1})
    write_ledger(connection, {(device, hour): tally})
    row = {
        "device": device, "channel": message.channel, "topic": message.topic, "payload": message.payload,
        "code": "not-stored", "reason": reason[:500], "readings": 1, "received": message.received,
    }  # fmt: skip
    write_rejected(connection, [row])
