"""What an account and a key may be: names, roles, wards, scopes."""

import re
from collections.abc import Iterable, Sequence
from typing import get_args

from layers.errors import ForbiddenError, InputError
from twin.roles import ROLES, Action

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")
STRONG_ROLES = ("administrator", "duty-officer", "flood-operator")
"""Roles that need a second factor where one is asked for."""
LONGEST_TITLE, MOST_WARDS = 100, 200
_GIVEN = tuple(role for role in ROLES if role not in ("public", "device"))
_WARD = re.compile(r"[0-9A-Za-z._-]{1,40}")
_ACTIONS: tuple[Action, ...] = get_args(Action)
_SCOPES: dict[str, tuple[Action, ...]] = {
    "read": ("read", "read-staff", "ask"),
    "write": ("read", "read-staff", "ask", "edit", "upkeep", "quarantine", "query"),
}


def check_name(name: str) -> str:
    """Return the name of an account; InputError for one that cannot be."""
    if not NAME.fullmatch(name):
        raise InputError(f"'{name[:80]}' is no name of an account", hint="small letters, digits and . _ @ -")
    return name


def check_title(title: str) -> str:
    """Return a name for people: one line."""
    words = title.strip()
    if not words or len(words) > LONGEST_TITLE or any(ord(letter) < 32 for letter in words):
        raise InputError(f"the title '{words[:80]}' is not one line of at most {LONGEST_TITLE} characters")
    return words


def check_roles(roles: Iterable[str]) -> list[str]:
    """Return roles an account or key can have; InputError names one it cannot."""
    given = sorted(set(roles))
    for role in given:
        if role not in _GIVEN:
            raise InputError(f"role '{role[:40]}' cannot be given", hint=f"one of {', '.join(_GIVEN)}")
    if not given:
        raise InputError("no role is given", hint=f"one of {', '.join(_GIVEN)}")
    return given


def check_wards(wards: Iterable[str]) -> list[str]:
    """Return codes of wards."""
    given = sorted(set(wards))
    if len(given) > MOST_WARDS:
        raise InputError(f"{len(given)} wards are given, at most {MOST_WARDS}")
    for ward in given:
        if not _WARD.fullmatch(ward):
            raise InputError(f"'{ward[:40]}' is no code of a ward")
    return given


def check_scopes(scopes: Sequence[str] | None) -> list[str] | None:
    """Return the actions of scopes: names of actions, ``read`` or ``write`` for what belongs to it; None: no bound."""
    if not scopes:
        return None
    given = set[str]()
    for scope in scopes:
        if scope not in _SCOPES and scope not in _ACTIONS:
            known = dict.fromkeys((*_SCOPES, *_ACTIONS))
            raise InputError(f"scope '{scope[:40]}' is not known", hint=f"one of {', '.join(known)}")
        given.update(_SCOPES.get(scope, (scope,)))
    # What is for everybody is not taken from anybody.
    return sorted(given | {"read", "ask"})


def check_within(roles: Sequence[str], wards: Sequence[str], *, own: frozenset[str], within: Sequence[str]) -> None:
    """Raise ForbiddenError where a key would reach further than who makes it: roles ``own`` in the wards ``within``."""
    more = set(roles) - own
    if more:
        raise ForbiddenError(f"a key may not have the roles {', '.join(sorted(more))}: you do not have them")
    if within and (not wards or not set(wards) <= set(within)):
        raise ForbiddenError("a key may not reach beyond your wards", hint=f"name some of {', '.join(within)}")
