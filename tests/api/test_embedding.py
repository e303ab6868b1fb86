"""Which pages may stand in a frame of whom."""

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from api.app import create_app
from twin.settings import Settings


def read_ancestors(client: TestClient, path: str) -> str:
    """Return who may hold a page in a frame."""
    policy = client.get(path).headers["content-security-policy"]
    return policy.split("frame-ancestors ")[1]


def test_only_the_widget_may_stand_in_a_frame_and_only_of_the_server(client: TestClient) -> None:
    assert read_ancestors(client, "/widget.html") == "'self'"
    assert "x-frame-options" not in client.get("/widget.html").headers
    for path in ("/", "/wall.html", "/indicators", "/widget.html/x", "/nothing"):
        assert read_ancestors(client, path) == "'none'"
        assert client.get(path).headers["x-frame-options"] == "DENY"


def test_hosts_that_are_named_may_hold_the_widget(settings: Settings) -> None:
    named = settings.model_copy(update={"embed_hosts": "https://cantho.gov.vn,*.example.org:8443"})
    with TestClient(create_app(named)) as client:
        assert read_ancestors(client, "/widget.html") == "'self' https://cantho.gov.vn *.example.org:8443"
        assert read_ancestors(client, "/") == "'none'"


@pytest.mark.parametrize("hosts", ["a b", "x; script-src *", "https://x/'unsafe'", "a,,b\r\n"])
def test_what_is_no_list_of_hosts_is_refused(hosts: str) -> None:
    with pytest.raises(ValidationError):
        Settings(embed_hosts=hosts)
