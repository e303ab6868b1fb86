"""Accounts, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.dependencies import ResourcesOf, refuse_unknown
from api.identity.asking import AdministratorOf, answer_nothing, answer_private, begin_as_twin, name_author
from twin.accounts.keeping import add_account, change_account, remove_account, reset_code, set_password
from twin.store_accounts import list_accounts

router = APIRouter(prefix="/auth/accounts", tags=["accounts"], dependencies=[Depends(refuse_unknown)])
Name = Annotated[str, Path(max_length=100, description="Name of the account")]
Words = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class NewAccount(BaseModel):
    """A new account; without a password nobody can sign in with it here."""

    model_config = ConfigDict(extra="forbid")
    name: Words
    title: Words = ""
    password: str | None = None
    roles: list[Words] = Field(max_length=20)
    wards: list[Words] = Field(default=[], max_length=200)


class AccountChange(BaseModel):
    """What is to change of an account; the rest stays."""

    model_config = ConfigDict(extra="forbid")
    title: Words | None = None
    roles: list[Words] | None = Field(default=None, max_length=20)
    wards: list[Words] | None = Field(default=None, max_length=200)
    enabled: bool | None = None


class NewPassword(BaseModel):
    """A new password."""

    model_config = ConfigDict(extra="forbid")
    password: str


@router.get("", summary="All accounts")
def read_accounts(resources: ResourcesOf, _administrator: AdministratorOf) -> Response:
    """List accounts with roles and wards."""
    with begin_as_twin(resources) as connection:
        rows = list_accounts(connection)
    return answer_private({"accounts": [account.describe() for account in rows]})


@router.post("", status_code=201, summary="Make an account")
def make_account(
    request: Request, resources: ResourcesOf, _administrator: AdministratorOf, sent: NewAccount
) -> Response:
    """Make an account; the first must be an administrator's, and from then on everybody signs in."""
    with begin_as_twin(resources) as connection:
        made = add_account(
            connection, name_author(request), sent.name, password=sent.password, roles=sent.roles, wards=sent.wards,
            title=sent.title,
        )  # fmt: skip
    return answer_private(made.describe(), status=201, headers={"location": f"/auth/accounts/{made.id}"})


@router.patch("/{name}", summary="Change an account")
def patch_account(
    request: Request, resources: ResourcesOf, _administrator: AdministratorOf, name: Name, sent: AccountChange
) -> Response:
    """Change what is sent; what it may do counts at once."""
    with begin_as_twin(resources) as connection:
        made = change_account(
            connection, name_author(request), name, title=sent.title, roles=sent.roles, wards=sent.wards,
            enabled=sent.enabled,
        )  # fmt: skip
    return answer_private(made.describe())


@router.delete("/{name}", status_code=204, summary="Remove an account")
def delete_account(request: Request, resources: ResourcesOf, _administrator: AdministratorOf, name: Name) -> Response:
    """Remove an account with its sessions and keys; the audit keeps what it did."""
    with begin_as_twin(resources) as connection:
        remove_account(connection, name_author(request), name)
    return answer_nothing()


@router.post("/{name}/password", status_code=204, summary="Give an account a new password")
def give_password(
    request: Request, resources: ResourcesOf, _administrator: AdministratorOf, name: Name, sent: NewPassword
) -> Response:
    """Give a new password; the account's sessions end."""
    with begin_as_twin(resources) as connection:
        set_password(connection, name_author(request), name, sent.password)
    return answer_nothing()


@router.post("/{name}/reset-code", status_code=204, summary="Take an account's second factor away")
def take_code(request: Request, resources: ResourcesOf, _administrator: AdministratorOf, name: Name) -> Response:
    """Let somebody who lost the device set up a new one at the next sign-in."""
    with begin_as_twin(resources) as connection:
        reset_code(connection, name_author(request), name)
    return answer_nothing()
