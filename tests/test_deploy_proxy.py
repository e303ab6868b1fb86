"""nginx and Caddy as the examples configure them, real ones, before two real server processes, over TLS and IPv6."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import httpx
import pytest
import shapely
from playwright.sync_api import sync_playwright

from layers.registry import read_vector_layer
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from tests.commands import TwinProcess, start_twin
from tests.conftest import ROOT
from tests.ports import find_port
from tests.web.visits import CHROMIUM_FLAGS
from twin.accounts.keeping import Author, add_account

PROXY = ROOT / "deploy" / "proxy"
NAME = "twin.example.vn"
SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin"
TILE = "/tiles/trees/16/52016/30934.mvt"
WRITE, QUERY = "/api/queries", {"id": "trees", "title": {"vi": "Cây", "en": "Trees"}, "collection": "trees"}
MAIN = """\
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/city-twin.conf;
}}
"""


def await_answer(port: int, path: str, process: "subprocess.Popen[bytes] | TwinProcess") -> None:
    for _ in range(1_500):
        assert process.poll() is None
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status < 500:
                return
        time.sleep(0.05)
    raise AssertionError(f"port {port} does not answer")


@pytest.fixture(scope="module")
def city(make_database: Callable[..., str]) -> str:
    """URL of a database with one tree."""
    url = make_database("proxied")
    engine = open_engine(url)
    trees = gpd.GeoDataFrame({"id": ["t"]}, geometry=[shapely.Point(105.73517, 10.02024)], crs="EPSG:4326")
    with engine.begin() as connection:
        upsert_features(connection, read_vector_layer("trees"), trees.to_crs("EPSG:5897"), source_id="test")
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def servers(city: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Ports of two server processes of one small city, that know nothing of a proxy but its header."""
    environment = {
        **os.environ,
        "TWIN_DATABASE_URL": city,
        "TWIN_DATA_DIR": str(tmp_path_factory.mktemp("proxied")),
        "TWIN_RUN_DIR": str(tmp_path_factory.mktemp("proxied-run")),
    }
    ports = find_port(), find_port()
    with ExitStack() as ending:
        started = []
        for port in ports:
            one = start_twin("serve", "--port", port, settings=environment)
            ending.callback(one.wait)
            ending.callback(one.kill)
            started.append(one)
        for port, one in zip(ports, started, strict=True):
            await_answer(port, "/healthz", one)
        yield ports


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a certificate for the example's name, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@dataclass(frozen=True)
class Front:
    """A proxy: its ports for http and https, and the certificate clients trust."""

    plain: int
    secure: int
    trusted: Path

    def client(self, address: str = "127.0.0.1", **options: object) -> httpx.Client:
        """Return a client that reaches the example's name at ``address``."""
        context = ssl.create_default_context(cafile=self.trusted)
        pinned = _At(address, self.secure, verify=context)
        return httpx.Client(transport=pinned, base_url=f"https://{NAME}:{self.secure}", timeout=20, **options)  # type: ignore[arg-type]

    def hold(self, version: ssl.TLSVersion, address: str = "127.0.0.1") -> tuple[str | None, str | None]:
        """Return the version of TLS and the protocol that were agreed on when only ``version`` is offered."""
        context = ssl.create_default_context(cafile=self.trusted)
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection((address, self.secure), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname=NAME) as held,
        ):
            return held.version(), held.selected_alpn_protocol()


class _At(httpx.HTTPTransport):
    """Connects to an address whatever the name is."""

    def __init__(self, address: str, port: int, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify)
        self._address, self._port = address, port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = NAME
        request.url = request.url.copy_with(host=self._address)
        return super().handle_request(request)


@pytest.fixture(scope="module")
def nginx(servers: tuple[int, int], certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The example as it is, with other ports and folders."""
    program = shutil.which("nginx") or shutil.which("nginx", path=SBIN)
    if program is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    front = Front(find_port(), find_port(), certificate / "fullchain.pem")
    text = (PROXY / "nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8001", f"127.0.0.1:{servers[0]}"),
        ("127.0.0.1:8002", f"127.0.0.1:{servers[1]}"),
        ("listen 80;", f"listen 127.0.0.1:{front.plain};"),
        ("listen [::]:80;", f"listen [::1]:{front.plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{front.secure} "),
        ("listen [::]:443 ", f"listen [::1]:{front.secure} "),
        ("/etc/ssl/city-twin", str(certificate)),
        ("/var/cache/nginx/city-twin", f"{folder}/cache"),
        ("/var/log/nginx", str(folder)),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "city-twin.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    command = [program, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0 and "warn" not in checked.stderr, checked.stderr
    running = subprocess.Popen([*command, "-g", "daemon off;"])
    await_answer(front.plain, "/", running)
    yield front
    running.terminate()
    running.wait()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_both_internets_speak_modern_tls_and_http_2(nginx: Front, address: str) -> None:
    assert nginx.hold(ssl.TLSVersion.TLSv1_3, address) == ("TLSv1.3", "h2")
    assert nginx.hold(ssl.TLSVersion.TLSv1_2, address) == ("TLSv1.2", "h2")
    with pytest.raises(ssl.SSLError):
        nginx.hold(ssl.TLSVersion.TLSv1_1, address)
    with nginx.client(address) as client:
        answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]
    assert "nginx/" not in answer.headers["server"]


def test_plain_http_leads_to_https(nginx: Front) -> None:
    answer = httpx.get(f"http://127.0.0.1:{nginx.plain}/api?f=json", headers={"host": NAME})
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{NAME}/api?f=json")


def test_public_tiles_are_kept_and_asked_by_etag_and_named_ones_are_not(nginx: Front) -> None:
    with nginx.client() as client:
        first, second = client.get(TILE), client.get(TILE)
        assert first.status_code == 200 and len(first.content) > 0
        assert second.headers["x-cache"] in ("HIT", "REVALIDATED", "EXPIRED", "UPDATING")
        assert client.get(TILE, headers={"if-none-match": first.headers["etag"]}).status_code == 304
        assert client.get(TILE, headers={"cookie": "twin=x"}).headers["x-cache"] == "BYPASS"
        assert client.get(TILE, headers={"x-api-key": "x"}).status_code == 401
        assert first.headers["strict-transport-security"]


def test_events_come_at_once(nginx: Front) -> None:
    with nginx.client() as client, client.stream("GET", "/sensors/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert next(line for line in answer.iter_lines() if line.startswith("event:")) == "event: ready"


def test_large_bodies_pass_only_where_files_are_sent(nginx: Front) -> None:
    large = b"x" * 1_500_000
    with nginx.client() as client:
        assert client.post("/api/processes/flood-forecast/execution", content=large).status_code == 413
        assert "nginx" not in client.post("/sensors/observations", content=large).text
        assert client.post("/sta/v1.1/Things", content=b"{}").status_code == 403
        assert client.get("/sta/v1.1").status_code == 200


def test_nobody_behind_the_proxy_is_this_machine(nginx: Front, servers: tuple[int, int]) -> None:
    """Without accounts this machine may write; who comes through the proxy is never taken for it."""
    claims = ({}, {"host": "127.0.0.1"}, {"x-forwarded-for": "127.0.0.1", "host": "localhost"}, {"forwarded": "for=_x"})
    with nginx.client() as client:
        for claim in claims:
            assert client.post(WRITE, json=QUERY, headers=claim).status_code in (401, 403), claim
    assert httpx.post(f"http://127.0.0.1:{servers[0]}{WRITE}", json=QUERY).status_code == 201


SEEN = """() => {
  window.broken = [];
  document.addEventListener('securitypolicyviolation', event =>
    window.broken.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
}"""
PAGES = ("/", "/wall.html", "/widget.html", "/api?f=html", "/api/collections/trees/items?f=html", "/api/docs")


def test_every_page_works_under_its_policy_and_over_https(nginx: Front) -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("chromium is not installed")
    flags = [*CHROMIUM_FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.add_init_script(f"({SEEN})()")
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
        for path in PAGES:
            page.goto(f"https://{NAME}:{nginx.secure}{path}", wait_until="load", timeout=60_000)
            if path == "/":
                page.wait_for_selector(".maplibregl-canvas", timeout=60_000)
            assert (page.evaluate("window.broken"), refused) == ([], []), path
        browser.close()


def test_figures_are_for_the_house(nginx: Front) -> None:
    with nginx.client() as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/readyz").status_code == 200


def test_the_cookie_of_a_session_stays_with_this_host_and_https(nginx: Front, city: str) -> None:
    engine = open_engine(city)
    with engine.begin() as connection:
        add_account(
            connection, Author("cli:test", "cli"), "lan", password="a long word of Lan's", roles=["administrator"]
        )
    engine.dispose()
    own = {"origin": f"https://{NAME}:{nginx.secure}", "sec-fetch-site": "same-origin"}
    given = {"name": "lan", "password": "a long word of Lan's"}
    with nginx.client() as client:
        foreign = client.post("/auth/sign-in", json=given, headers={"origin": "https://elsewhere.example"})
        assert foreign.status_code == 403 and "set-cookie" not in foreign.headers
        answer = client.post("/auth/sign-in", json=given, headers=own)
    assert answer.status_code == 200, answer.text
    words = [word.strip().lower() for word in answer.headers["set-cookie"].split(";")]
    assert words[0].startswith("__host-twin=")
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(words)
    assert not any(word.startswith("domain") for word in words)


def test_caddy_takes_its_example(tmp_path: Path, servers: tuple[int, int], certificate: Path) -> None:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("caddy is not installed: apt-get install caddy")
    front = Front(find_port(), find_port(), certificate / "fullchain.pem")
    text = (PROXY / "Caddyfile").read_text()
    text = text.replace("127.0.0.1:8001", f"127.0.0.1:{servers[0]}").replace(
        "127.0.0.1:8002", f"127.0.0.1:{servers[1]}"
    )
    own = f"{{\n\tadmin off\n\tauto_https disable_redirects\n\thttps_port {front.secure}\n"
    text = text.replace("{\n\tservers", own + "\tservers", 1)
    tls = f"\ttls {certificate}/fullchain.pem {certificate}/privkey.pem\n"
    text = text.replace(f"{NAME} {{\n", f"{NAME} {{\n{tls}")
    (tmp_path / "Caddyfile").write_text(text)
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [program, "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        for _ in range(400):
            assert running.poll() is None, (tmp_path / "log").read_text()
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", front.secure), timeout=1).close()
                break
            time.sleep(0.05)
        assert front.hold(ssl.TLSVersion.TLSv1_3, "::1") == ("TLSv1.3", "h2")
        with front.client() as client:
            answer = client.get(TILE)
            assert (answer.status_code, answer.headers.get("server")) == (200, None)
            assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000; includeSubDomains"]
            assert client.post(WRITE, json=QUERY, headers={"x-forwarded-for": "127.0.0.1"}).status_code in (401, 403)
            # Caddy 2.6 may tell a body that it cuts off as a fault of the server behind, and cuts its answer off too.
            with client.stream("POST", WRITE, content=b"x" * 1_500_000) as refused:
                assert refused.status_code in (413, 502)
            assert client.get("/metrics").status_code == 404
            assert client.post("/sta/v1.1/Things", content=b"{}").status_code == 403
            with client.stream("GET", "/sensors/events") as events:
                assert next(line for line in events.iter_lines() if line.startswith("event:")) == "event: ready"
    finally:
        running.terminate()
        running.wait()
