"""Signing in on a real server and database: sessions, forgery, keys, accounts, and several servers."""

from collections.abc import Callable, Iterator

import pyotp
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.app import create_app
from layers.store.engine import open_engine
from tests.api.conftest import ADDRESS
from twin.accounts.keeping import Author, add_account, change_account
from twin.accounts.keys import add_key
from twin.accounts.passwords import hash_password
from twin.settings import Settings
from twin.store_accounts import write_password

PASSWORD = "nước lên cầu Ninh Kiều"
HASH = hash_password(PASSWORD)
PAGE = {"origin": ADDRESS, "sec-fetch-site": "same-origin", "twin-page": "1"}
US = Author("cli:test", "cli")
Open = Callable[..., TestClient]


@pytest.fixture(scope="module")
def made(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("sign_in")
    return Settings(database_url=make_database("sign_in"), data_dir=folder, web_dir=folder / "web", run_dir=folder)


@pytest.fixture(scope="module")
def engine(made: Settings) -> Iterator[Engine]:
    assert made.database_url is not None
    opened = open_engine(made.database_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def open_client(made: Settings) -> Iterator[Open]:
    """Return a function that gives a browser without cookies at a server of these settings."""
    opened: list[TestClient] = []

    def make(base: str = ADDRESS, client: str = "127.0.0.1", **changed: object) -> TestClient:
        app = create_app(made.model_copy(update=changed))
        one = TestClient(app, base, client=(client, 50_000), raise_server_exceptions=False)
        opened.append(one.__enter__())
        return opened[-1]

    yield make
    for one in opened:
        one.__exit__(None, None, None)


@pytest.fixture(scope="module")
def server(open_client: Open) -> TestClient:
    return open_client()


@pytest.fixture
def browser(server: TestClient, engine: Engine) -> Iterator[TestClient]:
    """A browser nobody signed in with, at a server with the accounts an (administrator) and binh (viewer, a ward)."""
    reset(engine)
    with engine.begin() as connection:
        add_account(connection, US, "an", password=None, roles=["administrator"], title="Nguyễn Văn Ân")
        add_account(connection, US, "binh", password=None, roles=["engineer"], wards=["31117"])
        for name in ("an", "binh"):
            write_password(connection, name, HASH)
    server.cookies.clear()
    await_known(server)
    yield server
    server.cookies.clear()
    reset(engine)


def reset(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("truncate identity.account, identity.session, identity.key, identity.attempt"))


def await_known(server: TestClient) -> None:
    while not server.get("/auth/me").json()["signIn"]["password"]:
        pass


def sign_in(browser: TestClient, name: str = "an", password: str = PASSWORD, code: str = "", **headers: str) -> int:
    sent = {"name": name, "password": password, "code": code}
    return browser.post("/auth/sign-in", json=sent, headers={**PAGE, **headers}).status_code


def tell(browser: TestClient, **headers: str) -> dict:
    return browser.get("/auth/me", headers=headers).json()


def test_this_machine_is_administrator_until_there_is_an_account(server: TestClient, engine: Engine) -> None:
    reset(engine)
    while tell(server)["subject"] != "local":
        pass
    first = {"name": "an", "password": PASSWORD, "roles": ["administrator"]}
    assert server.post("/auth/accounts", json={**first, "roles": ["viewer"]}).status_code == 400
    assert server.post("/auth/accounts", json=first).status_code == 201
    while tell(server)["subject"] != "public":
        pass
    refused = server.post("/auth/accounts", json={**first, "name": "eve"})
    assert refused.status_code == 401
    assert server.post("/api/edits", json={}).status_code == 401


def test_in_and_out(browser: TestClient, engine: Engine) -> None:
    assert tell(browser)["actions"] == ["ask", "read"]
    answer = browser.post("/auth/sign-in", json={"name": "An ", "password": PASSWORD}, headers=PAGE)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("twin_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert answer.headers["cache-control"] == "no-store"
    me = tell(browser)
    assert (me["subject"], me["name"], me["via"]) == ("account:an", "Nguyễn Văn Ân", "session")
    assert "administer" in me["actions"]
    token = browser.cookies["twin_session"]
    with engine.connect() as connection:
        assert token not in connection.execute(text("select json_agg(s)::text from identity.session s")).scalar_one()
    assert browser.post("/auth/sign-out", headers=PAGE).json() == {"next": None}
    browser.cookies.clear()
    browser.cookies.set("twin_session", token)
    assert tell(browser)["subject"] == "public"


def test_a_new_sign_in_ends_the_session_before(browser: TestClient) -> None:
    assert sign_in(browser) == 200
    before = browser.cookies["twin_session"]
    assert sign_in(browser, "binh") == 200
    assert browser.cookies["twin_session"] != before
    browser.cookies.clear()
    browser.cookies.set("twin_session", before)
    assert tell(browser)["subject"] == "public"


def test_other_sites_write_nothing(browser: TestClient) -> None:
    assert sign_in(browser) == 200
    for number, (headers, status) in enumerate(
        [
            (PAGE, 201),
            ({**PAGE, "sec-fetch-site": "none"}, 201),
            ({"origin": ADDRESS, "twin-page": "1"}, 201),
            ({"twin-page": "1"}, 403),
            ({"origin": ADDRESS, "sec-fetch-site": "same-origin"}, 403),
            ({**PAGE, "sec-fetch-site": "cross-site"}, 403),
            ({**PAGE, "sec-fetch-site": "same-site"}, 403),
            ({**PAGE, "origin": "https://evil.example"}, 403),
            ({**PAGE, "origin": "null"}, 403),
        ]
    ):
        key = browser.post("/auth/keys", json={"title": "x", "roles": ["viewer"]}, headers=headers)
        account = browser.post("/auth/accounts", json={"name": f"c{number}", "roles": ["viewer"]}, headers=headers)
        assert (key.status_code, account.status_code) == (status, status), headers


def test_another_site_signs_nobody_in(browser: TestClient) -> None:
    assert sign_in(browser, origin="https://evil.example") == 403
    assert sign_in(browser, **{"sec-fetch-site": "cross-site"}) == 403


def test_wrong_says_nothing_and_makes_wait(browser: TestClient, engine: Engine) -> None:
    bad = [
        browser.post("/auth/sign-in", json={"name": name, "password": "x" * 12}, headers=PAGE) for name in ("an", "z")
    ]
    assert [answer.status_code for answer in bad] == [401, 401]
    assert bad[0].json() == bad[1].json()
    with engine.begin() as connection:
        connection.execute(text("update identity.attempt set failures = 15 where who like 'pair:an|%'"))
    waiting = browser.post("/auth/sign-in", json={"name": "an", "password": PASSWORD}, headers=PAGE)
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0


def test_sessions_are_listed_and_end(browser: TestClient, open_client: Open) -> None:
    assert sign_in(browser) == 200
    other = open_client()
    assert sign_in(other) == 200
    listed = browser.get("/auth/sessions").json()["sessions"]
    assert sorted(one["current"] for one in listed) == [False, True]
    assert browser.delete("/auth/sessions", headers=PAGE).status_code == 204
    # Another server hears of it.
    while tell(other)["subject"] != "public":
        pass
    assert tell(browser)["subject"] == "account:an"


def test_who_one_is_is_found_also_when_all_was_just_forgotten(browser: TestClient) -> None:
    assert sign_in(browser, "binh") == 200
    identities = browser.app.state.resources.identities  # type: ignore[attr-defined]
    identities._keep = lambda *_given: None
    try:
        identities.forget()
        assert tell(browser)["subject"] == "account:binh"
        assert len(browser.get("/auth/sessions").json()["sessions"]) == 1
    finally:
        del identities._keep


def test_rights_that_change_count_at_once(browser: TestClient, engine: Engine) -> None:
    assert sign_in(browser, "binh") == 200
    assert tell(browser)["wards"] == ["31117"]
    assert browser.get("/auth/accounts").status_code == 403
    with engine.begin() as connection:
        change_account(connection, US, "binh", roles=["viewer"], wards=[])
    while "edit" in tell(browser)["actions"]:
        pass
    with engine.begin() as connection:
        change_account(connection, US, "binh", enabled=False)
    while tell(browser)["subject"] != "public":
        pass


def test_sessions_grow_old(browser: TestClient, engine: Engine, server: TestClient) -> None:
    for change in ("until = clock_timestamp()", "seen = clock_timestamp() - interval '2 hours'"):
        assert sign_in(browser) == 200
        with engine.begin() as connection:
            connection.execute(text(f"update identity.session set {change}"))
            connection.execute(text("notify identity"))
        while tell(browser)["subject"] != "public":
            pass


def test_strong_roles_need_a_code(browser: TestClient, open_client: Open) -> None:
    strict = open_client(second_factor=True)
    assert sign_in(strict) == 200
    me = tell(strict)
    assert me["needs"] == ["code"]
    assert me["actions"] == ["ask", "read"]
    assert strict.get("/auth/accounts").status_code == 403
    begun = strict.post("/auth/code", headers=PAGE).json()
    assert begun["link"].startswith("otpauth://totp/")
    totp = pyotp.TOTP(begun["secret"])
    assert strict.post("/auth/code/confirm", json={"code": "123"}, headers=PAGE).status_code == 400
    before = strict.cookies["twin_session"]
    confirmed = strict.post("/auth/code/confirm", json={"code": totp.now()}, headers=PAGE)
    assert len(confirmed.json()["recovery"]) == 10
    assert strict.cookies["twin_session"] != before
    assert tell(strict)["needs"] == []
    assert strict.get("/auth/accounts").status_code == 200
    strict.cookies.clear()
    assert sign_in(strict) == 401
    assert sign_in(strict, code=confirmed.json()["recovery"][3]) == 200
    assert sign_in(strict, "binh") == 200


def test_the_own_password(browser: TestClient) -> None:
    assert sign_in(browser) == 200
    new = {"old": PASSWORD, "new": "một câu khác thật dài"}
    assert browser.post("/auth/password", json={**new, "old": "x"}, headers=PAGE).status_code == 401
    assert browser.post("/auth/password", json={**new, "new": "short"}, headers=PAGE).status_code == 400
    assert browser.post("/auth/password", json=new, headers=PAGE).status_code == 204
    assert tell(browser)["subject"] == "account:an"
    assert sign_in(browser) == 401
    assert sign_in(browser, password=new["new"]) == 200


def test_https_alone_and_secure_cookies(browser: TestClient, open_client: Open) -> None:
    far = open_client("http://twin.example", "203.0.113.9")
    sent = {"name": "an", "password": PASSWORD}
    assert far.post("/auth/sign-in", json=sent, headers={"origin": "http://twin.example"}).status_code == 403
    safe = open_client("https://twin.example", "203.0.113.9")
    own = {"origin": "https://twin.example", "twin-page": "1"}
    answer = safe.post("/auth/sign-in", json=sent, headers=own)
    assert answer.status_code == 200, answer.text
    assert answer.headers["set-cookie"].startswith("__Host-twin=")
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert tell(safe)["subject"] == "account:an"
    assert tell(far, cookie=f"twin_session={safe.cookies['__Host-twin']}")["subject"] == "public"


def test_keys(browser: TestClient, engine: Engine) -> None:
    with engine.begin() as connection:
        made = add_key(connection, US, "IOC", roles=["engineer"], scopes=["read"], wards=["31117"])
    for headers in ({"authorization": f"Bearer {made.key}"}, {"x-api-key": made.key}):
        me = tell(browser, **headers)
        assert (me["subject"], me["via"], me["wards"]) == (f"key:{made.id}", "key", ["31117"])
        assert me["actions"] == ["ask", "read", "read-staff"]
    key = {"x-api-key": made.key}
    assert browser.post("/api/edits", json={}, headers=key).status_code == 403
    assert browser.get("/auth/keys", headers=key).status_code == 403
    for wrong in (made.key + "x", made.key[:-1], "twin_zz_zz", "nothing"):
        assert browser.get("/auth/me", headers={"x-api-key": wrong}).status_code == 401
    with engine.begin() as connection:
        assert connection.execute(text("select used from identity.key")).scalar_one() is not None
        connection.execute(text("update identity.key set revoked = clock_timestamp()"))
    while browser.get("/auth/me", headers=key).status_code != 401:
        pass


def test_own_keys_do_no_more_than_their_owner(browser: TestClient, engine: Engine) -> None:
    assert sign_in(browser, "binh") == 200
    new = {"title": "QGIS", "roles": ["engineer"], "wards": ["31117"], "scopes": ["read"]}
    for wrong in ({"roles": ["administrator"]}, {"wards": []}, {"wards": ["1"]}, {"gateway": True, "roles": []}):
        assert browser.post("/auth/keys", json={**new, **wrong}, headers=PAGE).status_code == 403
    for wrong in ({"scopes": ["all"]}, {"until": "2020-01-01T00:00:00Z"}, {"x": 1}, {"roles": ["device"]}):
        assert browser.post("/auth/keys", json={**new, **wrong}, headers=PAGE).status_code in (400, 403)
    made = browser.post("/auth/keys", json=new, headers=PAGE).json()
    [listed] = browser.get("/auth/keys").json()["keys"]
    assert listed["id"] == made["id"]
    assert "key" not in listed
    key = {"x-api-key": made["key"]}
    assert tell(browser, **key)["subject"] == f"key:{made['id']}"
    with engine.begin() as connection:
        change_account(connection, US, "binh", roles=["viewer"])
    while tell(browser, **key)["roles"][0]["id"] != "public":
        pass
    assert sign_in(browser, "an") == 200
    assert [one["id"] for one in browser.get("/auth/keys").json()["keys"]] == [made["id"]]
    assert browser.delete(f"/auth/keys/{made['id']}", headers=PAGE).status_code == 204
    assert browser.get("/auth/me", headers=key).status_code == 401


def test_accounts_over_http(browser: TestClient) -> None:
    assert browser.get("/auth/accounts").status_code == 401
    assert sign_in(browser) == 200
    new = {"name": "chi", "password": PASSWORD, "roles": ["planner"], "title": "Chi"}
    assert browser.post("/auth/accounts", json=new, headers=PAGE).json()["roles"] == ["planner"]
    assert browser.post("/auth/accounts", json=new, headers=PAGE).status_code == 409
    changed = browser.patch("/auth/accounts/chi", json={"wards": ["31117"]}, headers=PAGE).json()
    assert (changed["roles"], changed["wards"]) == (["planner"], ["31117"])
    assert browser.post("/auth/accounts/chi/reset-code", headers=PAGE).status_code == 204
    assert browser.post("/auth/accounts/chi/password", json={"password": "x"}, headers=PAGE).status_code == 400
    assert browser.delete("/auth/accounts/chi", headers=PAGE).status_code == 204
    assert browser.delete("/auth/accounts/chi", headers=PAGE).status_code == 404
    assert browser.delete("/auth/accounts/an", headers=PAGE).status_code == 409
    assert all("argon2" not in str(one) for one in browser.get("/auth/accounts").json()["accounts"])


def test_it_is_in_the_audit(browser: TestClient, engine: Engine) -> None:
    assert sign_in(browser, password="wrong") == 401
    assert sign_in(browser) == 200
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select subject, action, outcome, detail::text from audit.entry where action = 'sign-in' order by 1, 3"
            )
        ).all()
    assert {(row.subject, row.outcome) for row in rows} >= {("account:an", "done"), ("public", "refused")}
    assert PASSWORD not in str(rows)


def test_the_description_says_how_to_be_known(server: TestClient, open_client: Open) -> None:
    schemes = server.get("/api/openapi").json()["components"]["securitySchemes"]
    assert {name: one["type"] for name, one in schemes.items()} == {
        "session": "apiKey", "bearer": "http", "key": "apiKey",
    }  # fmt: skip
    elsewhere = open_client(oidc_issuer="https://id.example/realms/city")
    schemes = elsewhere.get("/api/openapi").json()["components"]["securitySchemes"]
    assert schemes["openid"]["openIdConnectUrl"] == "https://id.example/realms/city/.well-known/openid-configuration"
