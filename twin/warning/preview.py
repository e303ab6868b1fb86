"""A message before it is issued: what it would say, whom it would reach, and what stands against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cap_tools.models import Area, Info
from sqlalchemy import Connection

from layers.errors import InputError
from twin.store_warnings import find_open_chains, find_wards, list_chain_messages
from twin.warning.flood import EVENT, FloodWarning, Kind, OwnWords
from twin.warning.message import Envelope, read_message, write_message
from twin.warning.policy import Policy
from twin.warning.words import name_wards, write_description, write_headline, write_instruction

_NOWHERE = "preview"


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands against issuing: the member of the warning it is about, what is wrong, what to do."""

    member: str
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """``body`` is the CAP message, None where none can be written; ``words`` are the usual ones by language."""

    body: bytes | None
    words: dict[str, dict[str, str]]
    problems: tuple[Problem, ...]


def preview(
    connection: Connection,
    policy: Policy,
    warning: FloodWarning,
    *,
    kind: Kind = "Alert",
    chains: Sequence[str] = (),
    reason: str = "",
    moment: datetime | None = None,
) -> Preview:
    """Return the message as it would be issued now; nothing is written. NotFoundError for a ward there is none of."""
    now = (moment or datetime.now(UTC)).replace(microsecond=0)
    wards = find_wards(connection, warning.wards)
    problems = [*_check_status(policy, warning), *_check_chains(connection, warning, kind, chains, now)]
    earlier = list_chain_messages(connection, list(chains), now) if chains else []
    envelope = Envelope(
        identifier=_NOWHERE,
        sent=now,
        kind=kind if earlier else "Alert",
        references=[(one.sender, one.identifier, one.sent) for one in earlier],
        reason=reason,
    )
    usual = warning.model_copy(update={"status": "Actual", "vi": OwnWords(), "en": OwnWords(), "note": ""})
    names = name_wards([ward.title for ward in wards])
    texts = {
        "headline": write_headline(usual, kind),
        "description": write_description(usual, kind, names, policy.originator.zone),
        "instruction": write_instruction(usual, kind),
    }
    body = None
    try:
        body = write_message(warning, wards, policy.originator, envelope)
    except InputError as error:
        member = "expires" if "the warning" in error.message else "wards"
        problems.append(Problem(member, error.message, error.hint))
    words = {language: {name: getattr(said, language) for name, said in texts.items()} for language in ("vi", "en")}
    return Preview(body, words, tuple(problems))


def describe_message(body: bytes) -> dict[str, Any]:
    """Return what a CAP message says in each language, and its area as GeoJSON."""
    alert = read_message(body)
    areas = alert.infos[0].areas if alert.infos else []
    return {
        "infos": [_describe_info(info) for info in alert.infos],
        "area": {"type": "FeatureCollection", "features": [_draw_area(area) for area in areas]},
        "references": [part.split(",")[1] for part in (alert.references or "").split() if part.count(",") == 2],
        "note": alert.note,
    }


def _check_status(policy: Policy, warning: FloodWarning) -> list[Problem]:
    refused = policy.find_refusal(warning.status)
    return [] if refused is None else [Problem("status", refused.message, refused.hint)]


def _check_chains(
    connection: Connection, warning: FloodWarning, kind: Kind, chains: Sequence[str], now: datetime
) -> list[Problem]:
    opened = find_open_chains(connection, EVENT, warning.status, now)
    found = [
        Problem("wards", f"'{one.identifier}' already warns ward {shared[0]} of this event", "update that one instead")
        for one in opened
        if one.chain not in chains and (shared := sorted(set(warning.wards) & set(one.warning.wards)))
    ]
    closed = [chain for chain in chains if chain not in {one.chain for one in opened}]
    if kind != "Alert" and (closed or not chains):
        found.append(Problem("chains", "the chain is no longer open with this status", "issue a new alert"))
    return found


def _describe_info(info: Info) -> dict[str, Any]:
    return {
        "language": info.language,
        "event": info.event,
        "headline": info.headline,
        "description": info.description,
        "instruction": info.instruction,
        "urgency": info.urgency.value,
        "severity": info.severity.value,
        "certainty": info.certainty.value,
        "responses": [one.value for one in info.response_types],
        "onset": _write(info.onset),
        "expires": _write(info.expires),
        "sender": info.sender_name,
        "contact": info.contact,
        "areas": [area.area_desc for area in info.areas],
    }


def _write(moment: Any) -> str | None:
    return None if moment is None else f"{moment.to_datetime().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _draw_area(area: Area) -> dict[str, Any]:
    rings = [[_read_pair(pair) for pair in polygon.split()] for polygon in area.polygons]
    return {
        "type": "Feature",
        "properties": {"name": area.area_desc},
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]},
    }


def _read_pair(pair: str) -> list[float]:
    lat, lon = pair.split(",")
    return [float(lon), float(lat)]
