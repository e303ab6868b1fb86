"""From standing flood alarms to drafts: what should be warned of now, set beside what is in force.

All alarms of a flood whose wards touch make one warning, so a flood of alarms makes one message. A draft is rewritten
while it waits. It is issued without a person only where the policy says so.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce

from sqlalchemy import Connection

from layers.errors import TwinError
from twin.store_drafts import Draft, insert_draft, list_drafts, rewrite_draft, settle_draft
from twin.store_warning_alarms import FloodAlarm, find_flooded_wards, list_flood_alarms
from twin.store_warnings import Message, close_expired, find_open_chains, find_wards_near, lock_event
from twin.warning.flood import EVENT, FloodWarning, Kind, Station, Status
from twin.warning.issuing import issue_draft
from twin.warning.policy import Policy

AUTHOR = "alarms"
NEAR_M = 1000.0
"""Wards within this distance of a gauge are warned by it."""
VALID_FOR = timedelta(hours=6)
RENEW_BEFORE = timedelta(hours=1)
FORECAST_AGE = timedelta(hours=6)
"""A flood forecast older than this says nothing about which wards are flooded."""
_log = logging.getLogger("twin.warnings")


def propose_from_alarms(connection: Connection, policy: Policy, moment: datetime) -> list[Draft]:
    """Bring the drafts to what the alarms say at ``moment`` and return those that wait; issue what may go by itself."""
    lock_event(connection, EVENT)
    close_expired(connection, EVENT, moment)
    wanted = _make_warnings(connection, policy.status, moment)
    in_force = find_open_chains(connection, EVENT, policy.status, moment)
    proposals = compare(wanted, in_force, moment)
    drafts = _write_drafts(connection, proposals)
    if not policy.issues_itself(policy.status):
        return drafts
    for draft in drafts:
        try:
            with connection.begin_nested():
                issue_draft(connection, policy, draft.id, author=AUTHOR)
        except TwinError as error:
            _log.error("draft %d could not be issued: %s", draft.id, error)
    return list_drafts(connection, origin="alarms")


Proposal = tuple[Kind, tuple[str, ...], FloodWarning]


def compare(wanted: Sequence[FloodWarning], in_force: Sequence[Message], moment: datetime) -> list[Proposal]:
    """Return what is to be issued so that ``in_force`` becomes ``wanted``: kind, chains it follows, what it says.

    A chain that no alarm stands behind was issued by a person and is ended by one.
    """
    proposals: list[Proposal] = []
    followed: set[str] = set()
    for warning in _join_by_chains(wanted, in_force):
        touched = [one for one in in_force if set(one.warning.wards) & set(warning.wards)]
        followed |= {one.chain for one in touched}
        if not touched:
            proposals.append(("Alert", (), warning))
        elif len(touched) > 1 or _differs(touched[0].warning, warning, moment):
            proposals.append(("Update", tuple(one.chain for one in touched), warning))
    for one in in_force:
        if one.chain not in followed and one.warning.alarms:
            proposals.append(("Cancel", (one.chain,), one.warning))
    return proposals


def merge_touching(warnings: Sequence[FloodWarning]) -> list[FloodWarning]:
    """Return warnings of which no two share a ward: those that do are made one."""
    merged: list[FloodWarning] = []
    for warning in warnings:
        apart = []
        for other in merged:
            if set(other.wards) & set(warning.wards):
                warning = warning.merge(other)
            else:
                apart.append(other)
        merged = [*apart, warning]
    return merged


def _join_by_chains(wanted: Sequence[FloodWarning], in_force: Sequence[Message]) -> list[FloodWarning]:
    """Return warnings of which no two touch one chain: a chain cannot be followed twice, so they are made one."""
    joined = list(wanted)
    for message in in_force:
        touching = [one for one in joined if set(one.wards) & set(message.warning.wards)]
        if len(touching) > 1:
            apart = [one for one in joined if one not in touching]
            joined = [*apart, reduce(FloodWarning.merge, touching)]
    return joined


def _differs(before: FloodWarning, now: FloodWarning, moment: datetime) -> bool:
    """Return whether people must be told: another level, measured instead of forecast, further wards, or soon over."""
    return (
        before.level != now.level
        or (before.probability is None) != (now.probability is None)
        or not set(now.wards) <= set(before.wards)
        or before.expires - moment < RENEW_BEFORE
    )


def _make_warnings(connection: Connection, status: Status, moment: datetime) -> list[FloodWarning]:
    alarms = list_flood_alarms(connection)
    flooded = find_flooded_wards(connection, moment - FORECAST_AGE) if alarms else []
    near = find_wards_near(connection, sorted({alarm.station for alarm in alarms}), NEAR_M)
    return merge_touching(
        [
            _describe(alarm, sorted({*near[alarm.station], *flooded}), status, moment)
            for alarm in alarms
            if near[alarm.station] or flooded
        ]
    )


def _describe(alarm: FloodAlarm, wards: Sequence[str], status: Status, moment: datetime) -> FloodWarning:
    forecast = alarm.condition == "forecast"
    probability = (1.0 if alarm.value is None else min(max(alarm.value, 0.0), 1.0)) if forecast else None
    return FloodWarning(
        level=alarm.level,
        station=Station(id=alarm.station, name=alarm.name[:200]),
        wards=tuple(wards),
        expires=moment + VALID_FOR + timedelta(seconds=alarm.lead_s or 0.0),
        status=status,
        stage=_round(alarm.peak if forecast else alarm.value),
        threshold=alarm.threshold,
        at=alarm.peak_time if forecast else alarm.raised,
        onset=alarm.onset,
        probability=probability,
        alarms=(str(alarm.id),),
    )


def _round(stage: float | None) -> float | None:
    return None if stage is None else round(stage, 3)


def _write_drafts(connection: Connection, proposals: Sequence[Proposal]) -> list[Draft]:
    """Return the drafts that wait for a person: rewritten, new, or none where somebody has discarded the same."""
    waiting = list_drafts(connection, origin="alarms")
    discarded = list_drafts(connection, state="discarded", origin="alarms", limit=20)
    drafts = []
    for kind, chains, warning in proposals:
        old = next((one for one in waiting if _is_same(one, kind, chains, warning)), None)
        if old is not None:
            waiting.remove(old)
            drafts.append(old if old.warning == warning else rewrite_draft(connection, old.id, warning))
        elif not any(_is_repeated(one, kind, chains, warning) for one in discarded):
            drafts.append(insert_draft(connection, kind, warning, chains=chains, origin="alarms", author=AUTHOR))
    for old in waiting:
        settle_draft(connection, old.id, "outdated", author=AUTHOR)
    return drafts


def _is_same(draft: Draft, kind: Kind, chains: tuple[str, ...], warning: FloodWarning) -> bool:
    return (
        draft.kind == kind
        and draft.chains == chains
        and bool(set(draft.warning.wards) & set(warning.wards))
        and draft.warning.status == warning.status
    )


def _is_repeated(draft: Draft, kind: Kind, chains: tuple[str, ...], warning: FloodWarning) -> bool:
    """Return whether ``draft``, which somebody discarded, said the same for alarms that still stand."""
    return (
        _is_same(draft, kind, chains, warning)
        and draft.warning.level == warning.level
        and set(warning.wards) <= set(draft.warning.wards)
        and set(warning.alarms) <= set(draft.warning.alarms)
    )
