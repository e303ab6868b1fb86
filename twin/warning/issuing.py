"""Issue a message: keep it, move its chain, put it into the outbox; all of it or nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from layers.errors import ConflictError, InputError
from twin.audit.entry import Entry
from twin.audit.recording import record
from twin.store_drafts import Draft, read_draft, settle_draft
from twin.store_outbox import put_into_outbox
from twin.store_warnings import (
    Message,
    NewMessage,
    close_expired,
    find_open_chains,
    find_wards,
    follow_chain,
    insert_message,
    list_chain_messages,
    lock_event,
)
from twin.warning.flood import EVENT, FloodWarning, Kind
from twin.warning.levels import read_level
from twin.warning.message import Envelope, make_identifier, write_message
from twin.warning.policy import Policy
from twin.warning.words import write_headline


def issue(
    connection: Connection,
    policy: Policy,
    warning: FloodWarning,
    *,
    author: str,
    reason: str = "",
    kind: Kind = "Alert",
    chains: Sequence[str] = (),
    moment: datetime | None = None,
) -> Message:
    """Issue ``warning`` and return the message as kept.

    An Update or Cancel names the open ``chains`` it follows; an Update of several makes one of them. ConflictError
    says that a chain is not open, or which one is already open in one of the wards. ``moment`` is now if not given.
    """
    policy.check(warning.status)
    lock_event(connection, EVENT)
    now = (moment or datetime.now(UTC)).replace(microsecond=0)
    close_expired(connection, EVENT, now)
    opened = {one.chain: one for one in find_open_chains(connection, EVENT, warning.status, now)}
    followed = _check_chains(kind, chains, opened)
    if kind != "Cancel":
        _check_wards(warning, [one for one in opened.values() if one.chain not in chains])
    earlier = list_chain_messages(connection, list(chains), now) if chains else []
    envelope = Envelope(
        identifier=make_identifier(policy.city, now),
        sent=max([now, *(one.sent for one in followed)]),
        kind=kind,
        references=[(one.sender, one.identifier, one.sent) for one in earlier],
        reason=reason,
    )
    body = write_message(warning, find_wards(connection, warning.wards), policy.originator, envelope)
    message = insert_message(
        connection,
        NewMessage(
            identifier=envelope.identifier,
            sender=policy.originator.sender,
            sent=envelope.sent,
            kind=kind,
            event=EVENT,
            chain=followed[0].chain if followed else envelope.identifier,
            severity=read_level(warning.level).severity.value,
            headline=write_headline(warning, kind),
            warning=warning,
            body=body,
            author=author,
            reason=reason,
        ),
    )
    follow_chain(connection, message, joined=[one.chain for one in followed[1:]])
    put_into_outbox(connection, kind="message", reference=message.identifier, subject=f"chain:{message.chain}")
    told = {"kind": kind, "severity": message.severity, "chain": message.chain, "author": author, "reason": reason}
    record(connection, Entry("warn", f"message:{message.identifier}", detail=told))
    return message


def issue_draft(connection: Connection, policy: Policy, draft_id: int, *, author: str, reason: str = "") -> Message:
    """Issue what an open draft says; ConflictError when it is not open or its chains moved on meanwhile."""
    lock_event(connection, EVENT)
    draft = read_draft(connection, draft_id)
    check_open(draft)
    message = issue(
        connection,
        policy,
        draft.warning,
        author=author,
        reason=reason or draft.reason,
        kind=draft.kind,
        chains=draft.chains,
    )
    settle_draft(connection, draft_id, "issued", author=author, message=message.identifier)
    return message


def cancel(
    connection: Connection,
    policy: Policy,
    message: Message,
    *,
    author: str,
    reason: str,
    moment: datetime | None = None,
) -> Message:
    """End the chain whose latest message is ``message``; InputError for a cancel that does not say why."""
    if not reason.strip():
        raise InputError("a cancel needs a reason", hint="say why the warning ends or was wrong")
    return issue(
        connection,
        policy,
        message.warning,
        author=author,
        reason=reason,
        kind="Cancel",
        chains=[message.chain],
        moment=moment,
    )


def _check_chains(kind: Kind, chains: Sequence[str], opened: dict[str, Message]) -> list[Message]:
    if kind == "Alert":
        if chains:
            raise InputError("an Alert follows no chain", hint="make it an Update")
        return []
    if not chains:
        raise InputError(f"a message of kind {kind} needs the chain it follows")
    closed = [chain for chain in chains if chain not in opened]
    if closed:
        raise ConflictError(
            f"no chain '{closed[0][:100]}' is open with this status", hint="/cap/alerts.json?in_force=true lists them"
        )
    return sorted((opened[chain] for chain in chains), key=lambda one: one.number)


def _check_wards(warning: FloodWarning, others: Sequence[Message]) -> None:
    for other in others:
        shared = sorted(set(warning.wards) & set(other.warning.wards))
        if shared:
            raise ConflictError(
                f"'{other.identifier}' already warns ward {shared[0]} of this event", hint="update that one instead"
            )


def check_open(draft: Draft) -> None:
    """Raise ConflictError for a draft that was issued, discarded or outdated."""
    if draft.state != "open":
        raise ConflictError(f"draft {draft.id} is {draft.state}, no longer open")
