"""From what a provider says of somebody to roles and wards here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from layers.errors import ForbiddenError, InputError, SetupError
from twin.accounts.rules import NAME, check_roles, check_wards
from twin.settings import Settings

_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class Mapped:
    """Who somebody is here: name for accounts if the provider's is one, name for people, roles, wards."""

    name: str | None
    title: str
    roles: list[str]
    wards: list[str]


def read_role_table(settings: Settings) -> dict[str, list[str]]:
    """Return the roles by value of the claim; SetupError where the setting cannot be read."""
    written = settings.oidc_roles.strip()
    try:
        # YAML reads JSON as well.
        table = yaml.safe_load(written if written.startswith("{") else Path(written).read_text(encoding="utf-8"))
        if not isinstance(table, dict):
            raise InputError("it is no table of values to roles")
        return {str(value): check_roles(_list(roles)) for value, roles in table.items()}
    except (OSError, yaml.YAMLError, InputError) as error:
        said = str(error).splitlines()[0]
        raise SetupError(f"setting TWIN_OIDC_ROLES cannot be used: {said}", hint="docs/accounts.md") from None


def map_claims(claims: Mapping[str, Any], settings: Settings, table: Mapping[str, list[str]]) -> Mapped:
    """Return who ``claims`` describe; ForbiddenError for somebody who has no role here."""
    values = _list(find_claim(claims, settings.oidc_claim))
    roles = sorted({role for value in values for role in table.get(value, ())})
    if not roles:
        raise ForbiddenError("you have no role in this city", hint="ask an administrator to give you one")
    given = _list(find_claim(claims, settings.oidc_wards)) if settings.oidc_wards else []
    try:
        wards = check_wards(given)
    except InputError:
        raise ForbiddenError("the provider names wards that are none") from None
    said = str(claims.get("preferred_username") or claims.get("email") or "").strip().lower()
    title = str(claims.get("name") or said or claims["sub"])
    clean = "".join(letter for letter in title if ord(letter) >= 32).strip()[:_LONGEST_TITLE]
    return Mapped(said if NAME.fullmatch(said) else None, clean or "OpenID", roles, wards)


def find_claim(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim, also one inside another, or one whose own name holds dots."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
