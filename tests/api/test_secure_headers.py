"""What browsers are told: pages load what is the server's own, data load nothing, https stays https."""

import base64
import hashlib
import re

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import TREE_TILE
from twin.settings import Settings

PAGES = (
    "/api?f=html",
    "/api/conformance?f=html",
    "/api/collections?f=html",
    "/api/collections/trees?f=html",
    "/api/collections/trees/queryables?f=html",
    "/api/collections/trees/items?f=html",
    "/api/functions?f=html",
    "/api/processes?f=html",
    "/api/processes/flood-forecast?f=html",
    "/api/jobs?f=html",
    "/api/docs",
    "/api/collections/nothing?f=html",
    "/",
)


def read_policy(headers: dict[str, str]) -> dict[str, str]:
    """Return the directives of a policy by name."""
    parts = (one.strip().partition(" ") for one in headers["content-security-policy"].split(";"))
    return {name: sources for name, _, sources in parts}


@pytest.mark.parametrize("path", PAGES)
def test_pages_need_no_more_than_their_policy_allows(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = read_policy(dict(answer.headers))
    assert answer.headers["content-type"].startswith("text/html")
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    for text in re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["style-src"], path
    assert not re.search(r"<[^>]+\s(style|on\w+)=|<script(?! type=\"module\")|javascript:", answer.text), path


def test_data_load_nothing(client: TestClient) -> None:
    for path in ("/api?f=json", f"/tiles/trees/{TREE_TILE}.mvt", "/api/legends/trees.svg", "/api/nothing"):
        answer = client.get(path)
        policy = read_policy(dict(answer.headers))
        assert policy["default-src"] == "'none'" and "script-src" not in policy, path
        assert policy["frame-ancestors"] == "'none'" and answer.headers["x-frame-options"] == "DENY"


def test_what_is_unchanged_keeps_the_policy_it_came_with(client: TestClient) -> None:
    path = f"/tiles/trees/{TREE_TILE}.mvt"
    etag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": etag})
    assert again.status_code == 304
    assert "content-security-policy" not in again.headers and again.headers["x-content-type-options"] == "nosniff"


def test_https_stays_https_where_it_is_the_public_address(client: TestClient, settings: Settings) -> None:
    assert "strict-transport-security" not in client.get("/healthz").headers
    for address, told in (("https://twin.example.vn", True), ("http://10.0.0.5:8000", False)):
        with TestClient(create_app(settings.model_copy(update={"public_url": address}))) as opened:
            assert ("strict-transport-security" in opened.get("/healthz").headers) == told


@pytest.mark.parametrize("site", ["https://elsewhere.example", "null"])
def test_other_sites_read_without_cookies_and_ask_for_no_more(client: TestClient, site: str) -> None:
    read = client.get("/api", headers={"origin": site})
    assert read.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in read.headers
    for method, wanted in (("POST", "content-type"), ("PATCH", ""), ("DELETE", ""), ("GET", "authorization")):
        asked = {"origin": site, "access-control-request-method": method, "access-control-request-headers": wanted}
        assert client.options("/api/queries", headers=asked).status_code == 400, method
