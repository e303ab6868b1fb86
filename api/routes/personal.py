"""Personal data over HTTP: who holds a parcel, for whom it is, for a purpose that is recorded; nowhere else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Header, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ResourcesOf, refuse_unknown
from api.principal import Principal, current_principal
from api.resources import Resources
from api.writing import check_words
from layers.access import WHOLE, asking_as
from layers.errors import NotFoundError, TooManyError
from layers.schema import Text
from twin.audit.act import who_acts
from twin.audit.entry import Entry
from twin.audit.recording import record_alone
from twin.personal.key import read_key
from twin.personal.looking import (
    LONGEST_GROUND,
    MOST_PARCELS,
    READ,
    SEARCHED,
    Purpose,
    Sight,
    show_by_name,
    show_parcels,
)
from twin.personal.words import KINDS, PURPOSES, SEARCH
from twin.store_audit import count_recent
from twin.store_personal import list_known_parcels, showing

MOST_AN_HOUR = 200
"""Questions one person may ask of personal data in an hour."""
router = APIRouter(prefix="/api/personal", tags=["personal data"], dependencies=[Depends(refuse_unknown)])
_CLOSED = {"cache-control": "no-store", "x-robots-tag": "noindex"}
ParcelId = Annotated[str, Field(min_length=1, max_length=200)]
# In headers, which no log of addresses keeps: the ground may name a case, and a case a person.
Code = Annotated[str | None, Header(alias="twin-purpose", max_length=40, description=f"Why: {', '.join(PURPOSES)}")]
Ground = Annotated[
    str | None,
    Header(
        alias="twin-ground",
        max_length=6 * LONGEST_GROUND,
        description="The case it is for, in words, percent-encoded UTF-8; it is recorded",
    ),
]


class _Why(BaseModel):
    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, Field(max_length=40)]
    ground: Annotated[str, Field(max_length=LONGEST_GROUND)]


class LookupBody(_Why):
    """Parcels whose holders are asked for."""

    parcels: list[ParcelId] = Field(min_length=1, max_length=MOST_PARCELS)


class SearchBody(_Why):
    """Words of a name: in the body, so that no log of addresses keeps them."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


@router.get("/purposes", summary="Why personal data may be looked at, and whether who asks may")
def list_purposes(request: Request) -> Response:
    """Return the purposes, those of a search by name, and ``allowed``."""
    principal = current_principal(request)
    document = {
        "allowed": principal.may("personal"),
        "purposes": _write(PURPOSES),
        "search": list(SEARCH),
        "kinds": _write(KINDS),
    }
    return answer_json(document, headers=_CLOSED)


@router.get("/parcels/{parcel_id:path}/owners", summary="Who holds a parcel now")
def read_owners(
    request: Request,
    resources: ResourcesOf,
    parcel_id: Annotated[str, Path(max_length=200)],
    purpose: Code = None,
    ground: Ground = None,
) -> Response:
    """Return its holders with their shares; who asked, why and what was shown is recorded before."""
    principal = _let_in(request)
    found = _look(resources, principal, [parcel_id], _read_purpose(purpose, unquote(ground or "", errors="replace")))
    return answer_json({"parcel": parcel_id, "owners": found[parcel_id]}, headers=_CLOSED)


@router.post("/lookups", summary="Who holds several parcels now")
def look_up(request: Request, resources: ResourcesOf, body: LookupBody) -> Response:
    """Return the holders of at most twenty parcels."""
    principal = _let_in(request)
    parcels = [check_words(one, "parcels", 200) for one in dict.fromkeys(body.parcels)]
    found = _look(resources, principal, parcels, _read_purpose(body.purpose, body.ground))
    return answer_json({"parcels": found}, headers=_CLOSED)


@router.post("/search", summary="People by name, for few purposes")
def search(request: Request, resources: ResourcesOf, body: SearchBody) -> Response:
    """Return people whose names hold all words, with their rights to parcels that who asks sees."""
    principal = _let_in(request)
    purpose, name = _read_purpose(body.purpose, body.ground), check_words(body.name, "name", 100)
    recent = _bound(resources, principal, SEARCHED)
    key = read_key(resources.settings)
    with showing(resources.engine) as connection:
        found = show_by_name(connection, key, name, purpose, recent=recent, sees=_see(resources, principal))
    return answer_json({"owners": found}, headers=_CLOSED)


def _let_in(request: Request) -> Principal:
    principal = current_principal(request)
    principal.require("personal")
    return principal


def _read_purpose(code: str | None, ground: str) -> Purpose:
    return Purpose.of(code, check_words(ground, "ground", LONGEST_GROUND))


def _look(
    resources: Resources, principal: Principal, parcels: Sequence[str], purpose: Purpose
) -> dict[str, list[dict[str, Any]]]:
    missing = sorted(set(parcels) - _see(resources, principal)(parcels))
    if missing:
        raise NotFoundError(f"there is no parcel '{missing[0][:80]}', or it lies outside of your wards")
    recent = _bound(resources, principal, READ)
    key = read_key(resources.settings)
    with showing(resources.engine) as connection:
        return show_parcels(connection, key, parcels, purpose, today=datetime.now(UTC).date(), recent=recent)


def _see(resources: Resources, principal: Principal) -> Sight:
    """Return the function that says which parcels who asks sees, in the own wards."""

    def see(parcels: Sequence[str]) -> set[str]:
        with asking_as(principal.reach), resources.engine.connect() as connection:
            return list_known_parcels(connection, parcels)

    return see


def _bound(resources: Resources, principal: Principal, action: str) -> int:
    """Return how often somebody asked in the last hour; TooManyError, which is recorded, for more than is usual."""
    since = datetime.now(UTC) - timedelta(hours=1)
    with asking_as(WHOLE), resources.engine.connect() as connection:
        recent = count_recent(connection, principal.subject, action, since)
    if recent >= MOST_AN_HOUR:
        act = who_acts()
        who = act.who() if act is not None else None
        record_alone(resources.engine, Entry(action, "too many", "refused", {"in_last_hour": recent}, who))
        raise TooManyError(f"{recent} questions of personal data in an hour, at most {MOST_AN_HOUR}", hint="wait")
    return recent


def _write(words: dict[str, Text]) -> list[dict[str, Any]]:
    return [{"code": code, "title": {"vi": title.vi, "en": title.en}} for code, title in words.items()]
