"""The words of the intake: a message as it came, a reading it holds, a refusal with its code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from layers.schema import Text

Row = dict[str, Any]
Format = Literal["sensorthings", "senml", "chirpstack", "tts", "json"]
FORMATS: tuple[Format, ...] = ("sensorthings", "senml", "chirpstack", "tts", "json")
UNKNOWN = "unknown"
"""The device of a message that names none."""

CODES: Mapping[str, Text] = MappingProxyType(
    {
        "bad-topic": Text("chủ đề không đọc được", "no format has this topic"),
        "unreadable": Text("nội dung không đọc được", "the payload cannot be read"),
        "not-decoded": Text("chưa có bộ giải mã", "the network server did not decode the payload"),
        "unknown-device": Text("thiết bị chưa khai báo", "the device is not declared"),
        "unknown-datastream": Text("chuỗi số đo không có", "no such datastream"),
        "unknown-feature": Text("đối tượng quan tâm không có", "no such feature of interest"),
        "no-reading": Text("không có số đo", "nothing the mapping names is in the payload"),
        "bad-time": Text("thời điểm không đọc được", "the time cannot be read"),
        "not-own": Text("chuỗi số đo của thiết bị khác", "a datastream of another device"),
        "future": Text("thời điểm ở tương lai", "later than now: the clock is ahead"),
        "too-old": Text("thời điểm quá xa trong quá khứ", "before 1990"),
        "wrong-type": Text("sai kiểu kết quả", "the result is not of the datastream's type"),
        "wrong-unit": Text("sai đơn vị", "the unit does not fit the datastream's"),
        "not-stored": Text("cơ sở dữ liệu không nhận", "the database refuses it"),
    }
)
"""Why a reading is refused, by code."""


class Message(NamedTuple):
    """What came: by which way, on which topic (without ``in/``), and when it arrived (UTC)."""

    topic: str
    payload: bytes
    received: datetime
    channel: str = "mqtt"


class Reading(NamedTuple):
    """A row for the store, and how it came about.

    ``unit`` (UCUM) is what its number is in where that was said; ``lenient`` rows were mapped: words and truth values
    become numbers where numbers are due.
    """

    row: Row
    unit: str | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why some readings of a message are not taken; ``device`` where it is known by more than the message."""

    code: str
    reason: str
    readings: int = 1
    device: str | None = None


class Uplink(NamedTuple):
    """What a declared device sent, to be read by its mapping: ``time`` is that of the transmission."""

    document: Any
    time: datetime


@dataclass(slots=True)
class Opened:
    """A message after its form was read: readings, what is refused of it, and what waits for a mapping.

    ``device`` is the one the topic or payload names; ``ignored`` is set for what carries no readings, such as joins.
    """

    device: str | None
    readings: list[Reading]
    refusals: list[Refusal]
    uplink: Uplink | None = None
    ignored: bool = False
