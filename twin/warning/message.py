"""CAP 1.2 messages: a flood warning becomes bytes that the OASIS schema accepts, and bytes are read again."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from cap_tools.models import (
    Alert,
    Category,
    EventCode,
    Info,
    MsgType,
    Parameter,
    Reference,
    ResponseType,
    Scope,
    Status,
    Urgency,
    Value,
    ValueName,
)
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDateTime

from layers.errors import InputError
from layers.schema import Text
from twin.warning.areas import Language, Ward, make_areas
from twin.warning.flood import FloodWarning, Kind, clean_words
from twin.warning.levels import find_certainty, find_urgency, read_level
from twin.warning.words import EVENT_TITLE, name_wards, write_description, write_headline, write_instruction

MEDIA_TYPE = "application/cap+xml"
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
LANGUAGES: tuple[tuple[Language, str], ...] = (("vi", "vi-VN"), ("en", "en-US"))
# OASIS Event Terms List, version 1.2: flood.
_EVENT_CODE = ("OET:v1.2", "OET-081")
_MOST_INCIDENTS = 50
LONGEST = timedelta(days=30)
"""A warning that nobody ends is over after this."""
_FORBIDDEN = frozenset(" ,<&\t\r\n")


class _Moment(XmlDateTime):
    """A moment as CAP writes it: UTC as -00:00, never Z (CAP 1.2, 3.3.2)."""

    def __str__(self) -> str:
        return super().__str__().replace("Z", "-00:00")


@dataclass(frozen=True, slots=True)
class Originator:
    """Who sends: a globally unique ``sender``, a name people read, the zone its times are written in."""

    sender: str
    name: Text
    zone: tzinfo
    web: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What makes one message of a chain: its identifier, time, kind, the messages it refers to, who says why."""

    identifier: str
    sent: datetime
    kind: Kind = "Alert"
    references: Sequence[tuple[str, str, datetime]] = ()
    reason: str = ""


def make_identifier(city: str, sent: datetime) -> str:
    """Return an identifier that no other message has: city, time, 48 random bits."""
    return f"{city}-{sent.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def check_name(words: str, what: str) -> str:
    """Return an identifier or sender if CAP 1.2, 3.2.1 allows it: no space, comma, ``<`` or ``&``; else InputError."""
    if not words or any(letter in _FORBIDDEN or not letter.isprintable() for letter in words):
        raise InputError(f"{what} '{words[:80]}' holds a space, comma, < or &, or nothing", hint="as in floods@city.vn")
    return words


def write_message(warning: FloodWarning, wards: Sequence[Ward], originator: Originator, envelope: Envelope) -> bytes:
    """Return the CAP message; ``wards`` are those the warning names.

    Raises InputError for wards without a shape, for a warning that ends before it is sent or lasts longer than
    LONGEST, and for an Update or Cancel that refers to nothing.
    """
    if warning.expires <= envelope.sent:
        raise InputError(
            f"the warning ends at {warning.expires.isoformat()}, before it is sent", hint="give a later 'expires'"
        )
    if warning.expires - envelope.sent > LONGEST:
        raise InputError(f"the warning lasts until {warning.expires.isoformat()}", hint=f"at most {LONGEST.days} days")
    if (envelope.kind != "Alert") != bool(envelope.references):
        raise InputError(f"a message of kind {envelope.kind} refers to {len(envelope.references)} messages")
    alert = Alert(
        identifier=check_name(envelope.identifier, "identifier"),
        sender=check_name(originator.sender, "sender"),
        sent=_moment(envelope.sent, originator.zone),
        status=Status(warning.status),
        msg_type=MsgType(envelope.kind),
        scope=Scope.PUBLIC,
        note=_write_note(warning, envelope),
        infos=[_make_info(warning, wards, originator, envelope, *language) for language in LANGUAGES],
    )
    alert.incidents_from_list(list(warning.alarms[:_MOST_INCIDENTS]))
    if envelope.references:
        alert.references_from_list(
            [
                Reference(sender, identifier, _moment(sent, originator.zone))
                for sender, identifier, sent in envelope.references
            ]
        )
    written = XmlSerializer(config=SerializerConfig(indent="  ")).render(alert, ns_map={None: NAMESPACE})
    return written.encode()


def read_message(body: bytes) -> Alert:
    """Return a CAP message as cap-tools reads it."""
    return XmlParser().from_bytes(body, Alert)


def _make_info(
    warning: FloodWarning,
    wards: Sequence[Ward],
    originator: Originator,
    envelope: Envelope,
    language: Language,
    tag: str,
) -> Info:
    level, ends = read_level(warning.level), envelope.kind == "Cancel"
    names = name_wards([ward.title for ward in wards])
    headline = write_headline(warning, envelope.kind)
    description = write_description(warning, envelope.kind, names, originator.zone, clean_words(envelope.reason))
    instruction = write_instruction(warning, envelope.kind)
    return Info(
        language=tag,
        categories=[Category.MET],
        event=getattr(EVENT_TITLE, language),
        response_types=[ResponseType.ALL_CLEAR] if ends else list(level.responses),
        urgency=Urgency.PAST if ends else find_urgency(envelope.sent, _find_onset(warning)),
        severity=level.severity,
        certainty=find_certainty(warning.probability),
        event_codes=[EventCode(ValueName(_EVENT_CODE[0]), Value(_EVENT_CODE[1]))],
        effective=_moment(envelope.sent, originator.zone),
        onset=_moment(warning.onset, originator.zone) if warning.onset else None,
        expires=_moment(warning.expires, originator.zone),
        sender_name=getattr(originator.name, language),
        headline=getattr(headline, language),
        description=getattr(description, language),
        instruction=getattr(instruction, language),
        web=originator.web,
        contact=warning.contact or originator.contact,
        parameters=[Parameter(ValueName(name), Value(value)) for name, value in _list_parameters(warning)],
        areas=make_areas(wards, language),
    )


def _find_onset(warning: FloodWarning) -> datetime | None:
    return None if warning.probability is None else warning.onset or warning.at


def _list_parameters(warning: FloodWarning) -> list[tuple[str, str]]:
    known: list[tuple[str, Any]] = [
        ("floodAlarmLevel", warning.level),
        ("station", warning.station.id),
        ("stage_m", warning.stage),
        ("threshold_m", warning.threshold),
        ("probability", warning.probability),
        ("alarms", len(warning.alarms) or None),
    ]
    return [(name, str(value)) for name, value in known if value is not None]


def _write_note(warning: FloodWarning, envelope: Envelope) -> str | None:
    """Return the note: an exercise or test must say in it what it is (CAP 1.2, 3.2.1)."""
    reason = clean_words(envelope.reason)
    if warning.status == "Actual":
        return reason or None
    named = {"Exercise": "Diễn tập – Exercise", "Test": "Thử nghiệm – Test"}[warning.status]
    return f"{named}: {reason}" if reason else named


def _moment(moment: datetime, zone: tzinfo) -> XmlDateTime:
    return _Moment.from_datetime(moment.astimezone(zone).replace(microsecond=0))
