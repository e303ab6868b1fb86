"""What a person or a program is told: a warning or a step of an alarm, as a title, a text, one line, and JSON."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from layers.schema import Text
from twin.store_outbox import Told
from twin.store_warnings import Message
from twin.warning.areas import Language
from twin.warning.flood import Status, clean_words
from twin.warning.message import read_message

LONGEST_LINE = 300
_STEPS = {
    "escalate": Text("Cảnh báo", "Alarm"),
    "acknowledge": Text("Đã tiếp nhận", "Acknowledged"),
    "clear": Text("Hết cảnh báo", "Cleared"),
}
_MARKS: dict[Status, Text] = {
    "Actual": Text("", ""),
    "Exercise": Text("DIỄN TẬP – ", "EXERCISE – "),
    "Test": Text("THỬ NGHIỆM – ", "TEST – "),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing told. ``document`` is what a JSON webhook gets, ``cap`` the message where it is one."""

    title: Text
    text: Text
    document: dict[str, Any]
    cap: bytes | None = None

    def write_title(self, languages: Sequence[Language]) -> str:
        """Return the title in the languages, one after the other."""
        return " | ".join(dict.fromkeys(_pick(self.title, one) for one in languages))

    def write_text(self, languages: Sequence[Language]) -> str:
        """Return the text in the languages, one after the other."""
        return "\n\n".join(f"{_pick(self.title, one)}\n{_pick(self.text, one)}" for one in languages)

    def write_line(self, languages: Sequence[Language]) -> str:
        """Return the title in the first language as one line."""
        words = " ".join(_pick(self.title, languages[0]).split())
        return words if len(words) <= LONGEST_LINE else words[: LONGEST_LINE - 1].rstrip() + "…"


def describe_message(message: Message, body: bytes) -> Notice:
    """Return the notice of a CAP message."""
    infos = {info.get_language()[:2]: info for info in read_message(body).infos}
    parts = {
        language: "\n".join(part for part in (info.description, info.instruction) if part)
        for language, info in infos.items()
    }
    document = {
        "type": "warning",
        "identifier": message.identifier,
        "chain": message.chain,
        "msgType": message.kind,
        "status": message.status,
        "severity": message.severity,
        "sent": message.sent.isoformat(),
        "expires": message.expires.isoformat(),
        "headline": message.headline._asdict(),
        "warning": message.warning.model_dump(mode="json"),
    }
    return Notice(message.headline, Text(parts.get("vi", ""), parts.get("en", "")), document, body)


def describe_alarm(told: Told, status: Status, zone: tzinfo) -> Notice:
    """Return the notice of a step of an alarm; ``status`` says whether the city only exercises."""
    said, step, mark = told.content, _STEPS[str(told.content["step"])], _MARKS[status]
    at = datetime.fromisoformat(str(said["at"])).astimezone(zone)
    name = Text(
        clean_words(str(said.get("title_vi") or said["rule"])), clean_words(str(said.get("title_en") or said["rule"]))
    )
    value = said.get("value")
    unit = clean_words(str(said.get("unit") or ""))
    reading = "" if value is None else f" {float(value):.2f} {unit}".rstrip()
    who = clean_words(str(said.get("author") or ""))
    reason = clean_words(str(said.get("reason") or ""))
    by = f" – {who}" if said["step"] == "acknowledge" and who else ""
    why = f" ({reason})" if reason else ""
    title = Text(
        f"{mark.vi}{step.vi}: {name.vi}{reading.replace('.', ',')} ({at:%H:%M %d/%m}){by}",
        f"{mark.en}{step.en}: {name.en}{reading} ({at:%H:%M %d/%m}){by}",
    )
    text = Text(
        f"Mức ưu tiên: {said['priority']}. Cảnh báo số {said['alarm']}.{why}",
        f"Priority: {said['priority']}. Alarm {said['alarm']}.{why}",
    )
    return Notice(title, text, {"type": "alarm", "status": status, "reference": told.reference, **said})


def strip_marks(words: str) -> str:
    """Return Vietnamese without its marks, as old telephones and cheap SMS need it."""
    parted = unicodedata.normalize(
        "NFD", words.replace("đ", "d").replace("Đ", "D").replace("–", "-").replace("…", "...")
    )
    return "".join(letter for letter in parted if not unicodedata.combining(letter))


def _pick(words: Text, language: Language) -> str:
    return words.en if language == "en" else words.vi
