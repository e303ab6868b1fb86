"""Who is told: contact groups with languages, least priority, quiet hours and channels, read from a file of secrets.

Addresses never leave this module as text: they are secrets, and no error names one.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from layers.errors import SetupError
from twin.warning.areas import Language
from twin.warning.flood import Status

Priority = Literal["low", "medium", "high", "critical"]
Severity = Literal["Minor", "Moderate", "Severe", "Extreme"]
PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high", "critical")
SEVERITIES: tuple[Severity, ...] = ("Minor", "Moderate", "Severe", "Extreme")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
_EXACT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _check_clock(value: Any) -> Any:
    # YAML 1.1 reads 22:00 without quotes as the number 1320.
    if not isinstance(value, str):
        raise ValueError("a time is written in quotes, as in '22:00'")
    return value


Clock = Annotated[time, BeforeValidator(_check_clock)]


class Channel(BaseModel):
    """One way to reach a group: an Apprise ``url`` (e-mail, SMS gateway …) or a ``webhook``.

    ``short`` sends one line, ``plain`` without Vietnamese marks (an SMS then holds 160 letters, not 70). A webhook is
    signed with ``secret``, sends ``body`` as JSON or as the CAP message (and then nothing else), and reaches private
    addresses and plain HTTP only if ``private``.
    """

    model_config = _EXACT
    url: SecretStr | None = None
    short: bool = False
    plain: bool = False
    webhook: SecretStr | None = None
    secret: SecretStr | None = None
    body: Literal["json", "cap"] = "json"
    private: bool = False
    attempts: int = Field(default=8, ge=1, le=50)

    @model_validator(mode="after")
    def _is_one_way(self) -> "Channel":
        if (self.url is None) == (self.webhook is None):
            raise ValueError("a channel has either 'url' or 'webhook'")
        if (self.webhook is None) != (self.secret is None):
            raise ValueError("a webhook, and only a webhook, has a 'secret'")
        if self.secret is not None and len(self.secret.get_secret_value()) < 16:
            raise ValueError("the secret of a webhook has at least 16 characters")
        return self


class Quiet(BaseModel):
    """Hours (local time) in which only what has priority ``above`` or higher is told; the rest waits for their end."""

    model_config = _EXACT
    start: Clock
    end: Clock
    above: Priority = "high"

    def find_end(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """Return when the quiet hours that ``moment`` lies in end, None outside of them."""
        local = moment.astimezone(zone)
        inside = (
            self.start <= local.time() < self.end
            if self.start < self.end
            else local.time() >= self.start or local.time() < self.end
        )
        if not inside:
            return None
        day = local.date() + timedelta(days=1 if local.time() >= self.end else 0)
        return datetime.combine(day, self.end, zone)


class Group(BaseModel):
    """People told together. ``priority``: least of alarms; ``severity``: least of warnings, without it none."""

    model_config = _EXACT
    languages: tuple[Language, ...] = Field(default=("vi",), min_length=1)
    priority: Priority = "low"
    severity: Severity | None = None
    statuses: tuple[Status, ...] = ("Actual", "Exercise")
    quiet: Quiet | None = None
    channels: dict[Name, Channel] = Field(min_length=1)

    def wants_alarm(self, priority: Priority) -> bool:
        """Return whether an alarm of this priority is told."""
        return PRIORITIES.index(priority) >= PRIORITIES.index(self.priority)

    def wants_warning(self, severity: str, status: Status) -> bool:
        """Return whether a warning of this severity and status is told."""
        return (
            self.severity is not None
            and status in self.statuses
            and SEVERITIES.index(_as_severity(severity)) >= SEVERITIES.index(self.severity)
        )

    def find_due(self, priority: Priority, moment: datetime, zone: tzinfo) -> datetime:
        """Return when to tell: now, or at the end of the quiet hours."""
        if self.quiet is None or PRIORITIES.index(priority) >= PRIORITIES.index(self.quiet.above):
            return moment
        return self.quiet.find_end(moment, zone) or moment


class Contacts(BaseModel):
    """All contact groups by name."""

    model_config = _EXACT
    groups: dict[Name, Group] = {}

    def find_channel(self, group: str, channel: str) -> Channel | None:
        """Return a channel by its names, None when the file no longer has it."""
        found = self.groups.get(group)
        return None if found is None else found.channels.get(channel)


def rank_severity(severity: str) -> Priority:
    """Return the priority that a warning of this severity has among alarms."""
    return PRIORITIES[SEVERITIES.index(_as_severity(severity))]


def read_contacts(path: Path | None) -> Contacts:
    """Return the contacts of a file, none without one; SetupError names the field that is wrong, never its value."""
    if path is None:
        return Contacts()
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the contacts {path} cannot be read: {type(error).__name__}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise SetupError(f"the contacts {path}{where} are not YAML") from None
    if not isinstance(content, Mapping):
        raise SetupError(f"the contacts {path} hold no 'groups'", hint="see docs/warnings.md")
    try:
        return Contacts.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "groups"
        raise SetupError(f"the contacts {path}, {where}: {first['msg']}", hint="see docs/warnings.md") from None


def _as_severity(words: str) -> Severity:
    return next((one for one in SEVERITIES if one == words), "Minor")
