"""Logs by the standard library: one JSON object a line for collectors, or text for people on a terminal."""

import logging
import logging.config
import re
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from twin.observing.context import read_context
from twin.settings import Settings

# A password in an address, and what follows the word for a token: neither belongs into a log.
_SECRETS = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)|((?:bearer|token|password|secret)[=: ]+)[^\s,;'\"&]{6,}", re.I)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
EXTRA = "fields"
"""The name under which a call adds fields of its own: ``log.info("…", extra={EXTRA: {"status": 200}})``."""


def hide_secrets(words: str) -> str:
    """Return ``words`` with passwords and tokens replaced by stars."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}***", words)


class _Lines(logging.Formatter):
    """What both forms share: the part of the twin that speaks, and its words without secrets."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def _write_error(self, record: logging.LogRecord) -> str | None:
        return hide_secrets(self.formatException(record.exc_info)) if record.exc_info else None


class JsonLines(_Lines):
    """Writes a record as one line of JSON: time, level, part, logger, message, then the context and own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": self._part,
            "logger": record.name,
            "message": hide_secrets(record.getMessage()),
            **read_context(),
            **getattr(record, EXTRA, {}),
        }
        error = self._write_error(record)
        if error is not None:
            line["error"] = error
        return orjson.dumps(line, default=str).decode()


class TextLines(_Lines):
    """Writes a record as a line for people; what a message holds cannot begin another line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the lines of an error below it."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        words = _CONTROL.sub(" ", hide_secrets(record.getMessage()))
        told = " ".join(f"{name}={value}" for name, value in read_context().items())
        line = f"{at} {record.levelname.lower():7} {self._part} {words}{f'  [{told}]' if told else ''}"
        error = self._write_error(record)
        return f"{line}\n{error}" if error else line


def describe_logging(part: str, settings: Settings) -> dict[str, Any]:
    """Return how ``part`` of the twin logs, as ``logging.config.dictConfig`` reads it: to standard error."""
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {"()": f"{__name__}.{'TextLines' if as_text else 'JsonLines'}", "part": part},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"},
        },
        "root": {"level": settings.log_level.upper(), "handlers": ["stderr"]},
        "loggers": {
            # Its lines at INFO hold the addresses of webhooks.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            "numexpr": {"level": "WARNING"},
        },
    }


def begin_logging(part: str, settings: Settings) -> None:
    """Let this process log as ``part``."""
    logging.config.dictConfig(describe_logging(part, settings))
