"""The states of ANSI/ISA-18.2 and what leads from one to the next.

Beneath what hides an alarm (shelf, suppression, out of service) its base state lives on: NORMAL, UNACK, ACK, RTN-UNACK.
What comes and goes unseen asks nobody for an acknowledgement; what is still there when the cover goes is announced.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from layers.errors import ConflictError, InputError
from twin.alarms.state import AlarmState, Transition, TransitionKind

ActionKind = Literal[
    "acknowledge", "shelve", "unshelve", "suppress", "unsuppress", "out-of-service", "return-to-service", "comment"
]
LONGEST_SHELF_S = 24 * 3600.0
_NEEDS_REASON: tuple[ActionKind, ...] = ("shelve", "suppress", "out-of-service", "comment")


@dataclass(frozen=True, slots=True)
class Action:
    """What a person does with an alarm; ``until`` is the end of a shelving [s since 1970 UTC]."""

    kind: ActionKind
    known: float
    author: str
    reason: str = ""
    until: float | None = None


@dataclass(slots=True)
class Log:
    """The transitions of one pass; ``arrival`` is when what is taken in now was stored or due."""

    state: AlarmState
    written: list[Transition] = field(default_factory=list)
    arrival: float | None = None

    @contextmanager
    def note(
        self,
        kind: TransitionKind,
        at: float,
        known: float,
        *,
        author: str = "engine",
        reason: str = "",
        value: float | None = None,
        details: dict[str, Any] | None = None,
    ) -> Iterator[None]:
        """Write down what the body of the ``with`` changes in the state."""
        state, before = self.state, self.state.visible
        yield
        after = state.visible
        announced = after == "UNACK" and (before != "UNACK" or kind == "raise")
        if after != before:
            state.since = known
        if announced:
            state.announced_at, state.escalated = known, 0
        elif after != "UNACK":
            state.announced_at = None
        shown = state.value if value is None else value
        self.written.append(
            Transition(
                kind, at, known, before, after, state.occurrence, announced, state.covers,
                known if self.arrival is None else self.arrival, shown, author, reason, details or {},
            )
        )  # fmt: skip


def raise_alarm(log: Log, at: float, known: float) -> None:
    """Let the alarm come up at event time ``at``."""
    state = log.state
    state.occurrence += 1
    state.acknowledged, state.acknowledged_by = None, None
    with log.note("raise", at, known):
        state.active, state.base, state.raised, state.cleared = True, "UNACK", at, None


def clear_alarm(log: Log, at: float, known: float, *, reason: str = "") -> None:
    """Let the alarm go; unseen it leaves nothing to acknowledge."""
    state = log.state
    with log.note("clear", at, known, reason=reason):
        unseen = state.visible != state.base
        state.active, state.cleared = False, at
        state.base = "RTN-UNACK" if state.base == "UNACK" and not unseen else "NORMAL"


def cover_alarm(log: Log, known: float, covered: bool) -> None:
    """Let the parent suppress the alarm, or no longer."""
    if log.state.covered == covered:
        return
    kind: TransitionKind = "suppress" if covered else "unsuppress"
    with log.note(kind, known, known, reason="parent"):
        log.state.covered = covered


def end_shelving(log: Log, known: float) -> None:
    """Take the alarm off the shelf because its time is over."""
    with log.note("unshelve", known, known, reason="time"):
        log.state.shelved_until = None


def act(log: Log, action: Action) -> None:
    """Carry out what a person does. ConflictError when the state does not allow it, InputError without a reason."""
    if action.kind in _NEEDS_REASON and not action.reason.strip():
        raise InputError(f"'{action.kind}' of an alarm needs a reason", hint="say why")
    _check_state(log.state, action)
    with log.note(
        action.kind, action.known, action.known, author=action.author, reason=action.reason, details=_describe(action)
    ):
        _change(log.state, action)


def _check_state(state: AlarmState, action: Action) -> None:
    allowed = {
        "acknowledge": state.visible in ("UNACK", "RTN-UNACK"),
        "shelve": not state.out_of_service,
        "unshelve": state.shelved_until is not None,
        "suppress": not state.suppressed,
        "unsuppress": state.suppressed,
        "out-of-service": not state.out_of_service,
        "return-to-service": state.out_of_service,
        "comment": True,
    }[action.kind]
    if not allowed:
        raise ConflictError(f"'{action.kind}' is not possible: the alarm is {state.visible}")
    if action.kind == "shelve":
        length = (action.until or 0.0) - action.known
        if not 0.0 < length <= LONGEST_SHELF_S + 1.0:
            raise InputError(
                f"shelving of {length / 60.0:.0f} min, expected more than 0 and at most {LONGEST_SHELF_S / 60.0:.0f}"
            )


def _change(state: AlarmState, action: Action) -> None:
    if action.kind == "acknowledge":
        state.base = "ACK" if state.base == "UNACK" else "NORMAL"
        state.acknowledged, state.acknowledged_by = action.known, action.author
    elif action.kind in ("shelve", "unshelve"):
        state.shelved_until = action.until if action.kind == "shelve" else None
    elif action.kind in ("suppress", "unsuppress"):
        state.suppressed = action.kind == "suppress"
    elif action.kind in ("out-of-service", "return-to-service"):
        state.out_of_service = action.kind == "out-of-service"


def _describe(action: Action) -> dict[str, Any]:
    return {} if action.until is None else {"until": action.until}
