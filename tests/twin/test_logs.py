"""Logs: one line a record, with what it was on behalf of, without secrets, for machines and for people."""

import json
import logging
import logging.config
import sys
from collections.abc import Iterator

import pytest

from twin.observing.context import bound, choose_request_id, note, read_context
from twin.observing.logs import EXTRA, JsonLines, TextLines, describe_logging
from twin.settings import Settings


def make_record(words: str, *values: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("twin.test", logging.WARNING, __file__, 1, words, values, None)
    record.__dict__.update(extra)
    return record


def test_a_line_says_when_who_and_on_whose_behalf() -> None:
    with bound({"request_id": "abc", "run_id": None}):
        note("who", "account:ann")
        with bound({"run_id": "R-1"}):
            line = JsonLines("worker").format(make_record("run %s\nis done", "R-1", **{EXTRA: {"ms": 3}}))
    assert "\n" not in line
    told = json.loads(line)
    assert told["time"].endswith("+00:00")
    assert (told["level"], told["part"], told["logger"]) == ("warning", "worker", "twin.test")
    assert told["message"] == "run R-1\nis done"
    assert (told["request_id"], told["run_id"], told["who"], told["ms"]) == ("abc", "R-1", "account:ann", 3)
    assert read_context() == {}


def test_an_error_is_part_of_its_line() -> None:
    try:
        raise ValueError("postgresql://twin:hunter22@db/city")
    except ValueError:
        record = make_record("it failed", exc_info=sys.exc_info())
    told = json.loads(JsonLines("serve").format(record))
    assert "ValueError" in told["error"]
    assert "hunter22" not in told["error"]


@pytest.mark.parametrize(
    "words",
    [
        "postgresql://twin:geheim99@db/city",
        "Authorization: Bearer geheim99",
        "token=geheim99&x=1",
        "password: geheim99",
        "mqtt://u:geheim99@host:1883",
    ],
)
@pytest.mark.parametrize("form", [JsonLines, TextLines])
def test_secrets_stay_out(form: type[JsonLines], words: str) -> None:
    assert "geheim99" not in form("serve").format(make_record("%s", words))


def test_what_a_client_sends_cannot_begin_another_line() -> None:
    line = TextLines("serve").format(make_record("GET %s", "/a\n12:00:00 error serve forged"))
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("given", [None, "", "a\nb", "x" * 65, "tiếng", "-a", "{}"])
def test_a_harmful_request_id_is_replaced(given: str | None) -> None:
    made = choose_request_id(given)
    assert made != given
    assert len(made) == 16
    assert choose_request_id("req-7:A/b.c") == "req-7:A/b.c"


@pytest.fixture
def kept() -> Iterator[None]:
    """Leave the logging of the suite as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_the_form_follows_the_setting_and_the_terminal(kept: None) -> None:
    for form, expected in (("json", "JsonLines"), ("text", "TextLines"), ("auto", "JsonLines")):
        told = describe_logging("worker", Settings(log_format=form, log_level="debug"))
        assert told["formatters"]["lines"]["()"].endswith(expected)
        assert told["root"]["level"] == "DEBUG"
    logging.config.dictConfig(told)
