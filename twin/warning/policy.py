"""Who may send what: the originator of a city's messages, and which of them go out without a person."""

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from layers.errors import ConflictError, SetupError, TwinError
from layers.schema import Text
from layers.store.migrate import CityRow
from twin.settings import Settings
from twin.warning.flood import Status
from twin.warning.message import Originator


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of sending. ``status``: what proposals are; ``automatic``: real ones are issued without a person."""

    city: str
    originator: Originator
    synthetic: bool = False
    configured: bool = True
    status: Status = "Actual"
    automatic: bool = False

    def check(self, status: Status) -> None:
        """Raise ConflictError or SetupError where a real message must not be sent."""
        refused = self.find_refusal(status)
        if refused is not None:
            raise refused

    def find_refusal(self, status: Status) -> TwinError | None:
        """Return why a message of this status must not be sent, None where it may."""
        if status != "Actual":
            return None
        if self.synthetic:
            return ConflictError(
                "the city is synthetic: it cannot warn of a real flood", hint="issue it as Exercise or Test"
            )
        if not self.configured:
            return SetupError("nobody is named as the sender of warnings", hint="set TWIN_WARNING_SENDER")
        return None

    def issues_itself(self, status: Status) -> bool:
        """Return whether a proposal is issued without a person: exercises are, others if the setting says so."""
        return status == "Exercise" or self.automatic


def read_policy(settings: Settings, city: CityRow) -> Policy:
    """Return the rules for ``city`` under ``settings``; a synthetic city only ever exercises."""
    said = city.declaration
    title = said.get("title")
    names = title if isinstance(title, dict) else {}
    vi = str(names.get("vi") or city.id)
    originator = Originator(
        sender=settings.warning_sender or f"city-twin@{city.id}.invalid",
        name=Text(vi, str(names.get("en") or vi)),
        zone=find_zone(said.get("timezone")),
        web=f"{settings.public_url.rstrip('/')}/cap/alerts.json" if settings.public_url else None,
    )
    return Policy(
        city=city.id,
        originator=originator,
        synthetic=city.synthetic,
        configured=settings.warning_sender is not None,
        status="Exercise" if city.synthetic or settings.warning_exercise else "Actual",
        automatic=settings.warning_automatic,
    )


def find_zone(name: object) -> tzinfo:
    """Return the time zone of this name, UTC for a city that names none; SetupError for one that does not exist."""
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SetupError(f"the city's timezone '{name}' is not known", hint="as in Asia/Ho_Chi_Minh") from error
