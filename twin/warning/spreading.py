"""From the outbox to deliveries: which groups are told of a message or of a step of an alarm, on which channels, when.

One flood of alarms is told once: of the alarms of an incident a group hears the first, and then only what is of a
higher level or priority, or further up the ladder; that it is over, when none of them is active any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection

from twin.store_outbox import NewDelivery, Told, spread, take_untold
from twin.store_warning_alarms import Rung, list_rungs, was_incident_active
from twin.store_warnings import read_message
from twin.warning.contacts import PRIORITIES, Contacts, Priority, rank_severity
from twin.warning.policy import Policy

ALARM_TOLD_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told, how urgent it is, and until when it is worth telling."""

    groups: Sequence[str]
    priority: Priority
    expires: datetime
    only_cap: bool


def spread_next(connection: Connection, policy: Policy, contacts: Contacts, moment: datetime) -> bool:
    """Spread the oldest row of the outbox; return whether there was one."""
    told = take_untold(connection)
    if told is None:
        return False
    audience = _find_audience(connection, told, contacts)
    deliveries = [
        NewDelivery(
            id=make_delivery_id(policy.city, told, group, channel),
            contact_group=group,
            channel=channel,
            due=contacts.groups[group].find_due(audience.priority, moment, policy.originator.zone),
            expires=audience.expires,
        )
        for group in audience.groups
        for channel, way in contacts.groups[group].channels.items()
        if audience.only_cap or way.body == "json"
    ]
    spread(connection, told.id, deliveries, moment=moment)
    return True


def make_delivery_id(city: str, told: Told, group: str, channel: str) -> UUID:
    """Return the id of a delivery: the same whenever the same thing is sent to the same channel."""
    return uuid5(NAMESPACE_URL, f"urn:city-twin:{city}:{told.kind}:{told.reference}:{group}:{channel}")


def _find_audience(connection: Connection, told: Told, contacts: Contacts) -> Audience:
    if told.kind == "message":
        message = read_message(connection, told.reference)
        wanted = [
            name for name, group in contacts.groups.items() if group.wants_warning(message.severity, message.status)
        ]
        return Audience(wanted, rank_severity(message.severity), message.expires, only_cap=True)
    priority = _read_priority(str(told.content["priority"]))
    groups = [
        name
        for name in _choose_groups(connection, told)
        if name in contacts.groups and contacts.groups[name].wants_alarm(priority)
    ]
    return Audience(groups, priority, told.created + ALARM_TOLD_WITHIN, only_cap=False)


def _choose_groups(connection: Connection, told: Told) -> list[str]:
    said, rungs = told.content, list_rungs(connection, told.subject, told.id)
    if said["step"] == "escalate":
        own = _read_rung(told)
        return [] if any(_covers(before, own) for before in rungs) else [own.group]
    if said["step"] == "acknowledge":
        same = (said["alarm"], said["occurrence"])
        return list(dict.fromkeys(one.group for one in rungs if (one.alarm, one.occurrence) == same))
    event = int(told.reference.removeprefix("event:"))
    if said["incident"] is not None and was_incident_active(connection, said["incident"], event):
        return []
    return list(dict.fromkeys(one.group for one in rungs))


def _covers(before: Rung, now: Rung) -> bool:
    """Return whether a group that was told ``before`` learns nothing from ``now``: another alarm of the incident."""
    return (
        before.group == now.group
        and before.alarm != now.alarm
        and before.level >= now.level
        and _rank(before) >= _rank(now)
        and before.rung >= now.rung
    )


def _rank(rung: Rung) -> int:
    return PRIORITIES.index(_read_priority(rung.priority))


def _read_rung(told: Told) -> Rung:
    said = told.content
    return Rung(
        said["alarm"],
        said["occurrence"],
        str(said["group"]),
        said["level"] or 0,
        str(said["priority"]),
        said["rung"] or 1,
    )


def _read_priority(words: str) -> Priority:
    return next((one for one in PRIORITIES if one == words), "low")
