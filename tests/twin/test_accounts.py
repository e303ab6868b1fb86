"""Accounts on a real database: rules, the second factor, waiting after failures, keys; and their commands."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pyotp
import pytest
from click.testing import Result
from sqlalchemy import Connection, Engine, text
from typer.testing import CliRunner

from layers.errors import ConflictError, ForbiddenError, InputError, NotFoundError, UnauthorizedError
from twin.accounts.backing_off import TooManyError, find_place
from twin.accounts.codes import find_step
from twin.accounts.keeping import Author, add_account, change_account, remove_account, reset_code, set_password
from twin.accounts.keys import add_device_key, add_key, take_key
from twin.accounts.passwords import check_password
from twin.accounts.rules import check_scopes, check_within
from twin.accounts.sign_in import Given, begin_code, confirm_code, open_session, prove
from twin.accounts.tokens import digest, read_key
from twin.cli import app
from twin.store_accounts import list_accounts, read_account
from twin.store_keys import list_keys
from twin.store_sessions import list_sessions

US = Author("cli:test", "cli")
PASSWORD = "nước lên cầu Ninh Kiều"


@pytest.fixture(autouse=True)
def empty(engine: Engine) -> Iterator[None]:
    """Begin without accounts."""
    with engine.begin() as connection:
        connection.execute(text("truncate identity.account, identity.session, identity.key, identity.attempt"))
    yield


def add(engine: Engine, name: str, *roles: str) -> None:
    with engine.begin() as connection:
        add_account(connection, US, name, password=PASSWORD, roles=roles)


def give(name: str, password: str = PASSWORD, code: str = "", address: str = "10.0.0.1") -> Given:
    return Given(name, password, code, address, "test")


def begin_of(engine: Engine):
    def begin() -> AbstractContextManager[Connection]:
        return engine.begin()

    return begin


@pytest.mark.parametrize("bad", ["short", "password12345", "PASSWORD12345", "aaaabbbbcccc", "an.nguyen2026", "x" * 201])
def test_weak_passwords_are_refused(bad: str) -> None:
    with pytest.raises(InputError):
        check_password(bad, "an.nguyen")


def test_words_in_any_composition_are_one_password() -> None:
    assert check_password("nươ\u0301c lên thật cao", "an") == check_password("nước lên thật cao", "an")


def test_first_is_administrator_and_last_stays(engine: Engine) -> None:
    with pytest.raises(InputError, match="first account"):
        add(engine, "binh", "engineer")
    add(engine, "an", "administrator")
    add(engine, "binh", "engineer", "duty-officer")
    for deed in (
        lambda c: change_account(c, US, "an", roles=["viewer"]),
        lambda c: change_account(c, US, "an", enabled=False),
        lambda c: remove_account(c, US, "an", last=True),
    ):
        with pytest.raises(ConflictError, match="last administrator"), engine.begin() as connection:
            deed(connection)
    with pytest.raises(ConflictError, match="is there already"):
        add(engine, "an", "viewer")
    for name, roles in (("Ann", ["viewer"]), ("c", ["device"]), ("c", ["public"]), ("c", [])):
        with pytest.raises(InputError), engine.begin() as connection:
            add_account(connection, US, name, password=PASSWORD, roles=roles)
    with engine.begin() as connection:
        remove_account(connection, US, "binh")
        remove_account(connection, US, "an", last=True)
        assert list_accounts(connection) == []


def test_one_answer_for_all_that_is_wrong(engine: Engine) -> None:
    add(engine, "an", "administrator")
    said = set()
    for given in (give("an", "wrong wrong wrong"), give("nobody"), give("'; drop table"), give("an", "")):
        with pytest.raises(UnauthorizedError) as refused:
            prove(begin_of(engine), given)
        said.add(str(refused.value))
    assert len(said) == 1
    assert prove(begin_of(engine), give("an")).id == "an"
    with engine.begin() as connection:
        add_account(connection, US, "binh", password=PASSWORD, roles=["viewer"])
        change_account(connection, US, "binh", enabled=False)
    with pytest.raises(UnauthorizedError):
        prove(begin_of(engine), give("binh"))


def test_failures_make_wait_but_only_where_they_come_from(engine: Engine) -> None:
    add(engine, "an", "administrator")
    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            prove(begin_of(engine), give("an", "wrong wrong wrong"))
    with engine.begin() as connection:
        counted = connection.execute(text("select who, failures from identity.attempt")).tuples().all()
        assert dict(counted) == dict.fromkeys(("address:10.0.0.1", "pair:an|10.0.0.1", "account:an"), 5)
        # As after some more: a wait that a slow machine does not outlast.
        connection.execute(text("update identity.attempt set failures = 15 where who like 'pair:%'"))
    with pytest.raises(TooManyError) as waiting:
        prove(begin_of(engine), give("an"))
    assert 0 < waiting.value.wait_s <= 900
    assert prove(begin_of(engine), give("an", address="10.0.0.2")).id == "an"


def test_a_customer_of_ipv6_is_one_place() -> None:
    assert find_place("2001:db8::1") == find_place("2001:db8::ffff") != find_place("2001:db8:0:1::1")
    assert find_place("10.0.0.1") == "10.0.0.1"
    assert find_place("testclient") == "testclient"


def test_nobody_is_locked_out_by_others(engine: Engine) -> None:
    add(engine, "an", "administrator")
    with engine.begin() as connection:
        open_session(connection, "an", via="password", address="10.0.0.2", agent="", hours=1)
        connection.execute(text("insert into identity.attempt (who, failures) values ('account:an', 10000)"))
    with pytest.raises(TooManyError) as waiting:
        prove(begin_of(engine), give("an", address="10.0.0.3"))
    assert waiting.value.wait_s <= 30
    assert prove(begin_of(engine), give("an", address="10.0.0.2")).id == "an"


def test_codes_count_once(engine: Engine) -> None:
    add(engine, "an", "administrator")
    with engine.begin() as connection:
        secret = begin_code(connection, "an")
    totp, now = pyotp.TOTP(secret), time.time()
    with engine.begin() as connection, pytest.raises(InputError):
        confirm_code(connection, US, "an", "000000" if totp.now() != "000000" else "111111")
    with engine.begin() as connection:
        recovery = confirm_code(connection, US, "an", totp.at(now - 30))
    assert len(set(recovery)) == 10
    with pytest.raises(UnauthorizedError):
        prove(begin_of(engine), give("an"))
    code = totp.at(time.time())
    assert prove(begin_of(engine), give("an", code=code)).id == "an"
    with pytest.raises(UnauthorizedError):
        prove(begin_of(engine), give("an", code=code))
    assert prove(begin_of(engine), give("an", code=recovery[0].upper())).id == "an"
    with pytest.raises(UnauthorizedError):
        prove(begin_of(engine), give("an", code=recovery[0]))
    with engine.begin() as connection:
        assert read_account(connection, "an").recovery_left == 9
        reset_code(connection, US, "an")
    assert prove(begin_of(engine), give("an")).id == "an"


def test_codes_of_other_times_are_wrong() -> None:
    secret = pyotp.random_base32()
    totp = pyotp.TOTP(secret)
    assert find_step(secret, totp.at(1_000_000), 1_000_000) == 33_333
    assert find_step(secret, totp.at(1_000_000), 1_000_030) == 33_333
    assert find_step(secret, totp.at(1_000_000), 1_000_120) in (None, 33_336, 33_337, 33_338)
    assert find_step(secret, "１２３４５６", 1_000_000) is None


def test_a_new_password_ends_sessions(engine: Engine) -> None:
    add(engine, "an", "administrator")
    with engine.begin() as connection:
        for _ in range(2):
            opened = open_session(connection, "an", via="password", address="::1", agent="x", hours=1)
        kept = list_sessions(connection, "an")[0].id
        set_password(connection, US, "an", "một câu khác thật dài", keep=kept)
        assert [one.id for one in list_sessions(connection, "an")] == [kept]
        hashes = connection.execute(text("select hash from identity.session")).scalars().all()
    assert hashes == [digest(opened.token)]


def test_keys_are_kept_as_digests(engine: Engine) -> None:
    add(engine, "an", "administrator")
    with engine.begin() as connection:
        made = add_key(connection, US, "IOC", roles=["operations-centre"], scopes=["read"], wards=["31117"])
        parts = read_key(made.key)
        assert parts is not None
        stored = connection.execute(text("select row_to_json(k)::text from identity.key k")).scalar_one()
        assert parts.secret not in stored
        with pytest.raises(NotFoundError):
            take_key(connection, US, made.id, owner="an")
        take_key(connection, US, made.id)
        assert list_keys(connection)[0].revoked is not None
        with pytest.raises(NotFoundError):
            add_device_key(connection, US, "x", device="no-such")
        with pytest.raises(InputError):
            add_device_key(connection, US, "x", device="a", gateway=True)
    assert read_key("twin_") is None
    assert read_key("twin_a_" + "x" * 200) is None


def test_scopes_and_bounds() -> None:
    assert check_scopes(["sense"]) == ["ask", "read", "sense"]
    assert check_scopes([]) is None
    with pytest.raises(InputError):
        check_scopes(["all"])
    check_within(["viewer"], ["1"], own=frozenset({"viewer"}), within=["1", "2"])
    with pytest.raises(ForbiddenError):
        check_within(["engineer"], [], own=frozenset({"viewer"}), within=[])
    with pytest.raises(ForbiddenError):
        check_within(["viewer"], [], own=frozenset({"viewer"}), within=["1"])


def test_commands(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    url = engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
    monkeypatch.setenv("TWIN_DATABASE_URL", url)

    def twin(*words: str, given: str = "") -> Result:
        return CliRunner().invoke(app, list(words), input=given)

    refused = twin("accounts", "add", "an", "--role", "engineer", "--stdin", given=f"{PASSWORD}\n")
    assert "first account" in str(refused.exception)
    made = twin("accounts", "add", "an", "--role", "administrator", "--ward", "31117", "--stdin", given=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    assert "no terminal" in str(twin("accounts", "password", "an").exception)
    assert twin("accounts", "change", "an", "--whole-city", "--title", "An").exit_code == 0
    [listed] = json.loads(twin("accounts", "list", "--json").stdout)
    assert (listed["name"], listed["roles"], listed["wards"]) == ("an", ["administrator"], [])
    key = json.loads(twin("keys", "add", "IOC", "--role", "operations-centre", "--scope", "read", "--json").stdout)
    assert key["key"].startswith(f"twin_{key['id']}_")
    assert twin("keys", "revoke", key["id"]).exit_code == 0
    assert key["key"].rpartition("_")[2] not in twin("keys", "list", "--json").stdout
    assert twin("accounts", "remove", "an", "--last").exit_code == 0
