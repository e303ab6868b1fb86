"""What a warning says in Vietnamese and in English: event, headline, description."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from layers.schema import Text
from twin.warning.flood import FloodWarning, Kind
from twin.warning.levels import ENDED, LEVELS

EVENT_TITLE = Text("Lũ, triều cường", "River and tidal flood")
LONGEST_HEADLINE = 160
"""CAP 1.2, 3.2.2: a headline should fit a display of 160 characters."""
_MARKS = {
    "Exercise": Text("DIỄN TẬP – ", "EXERCISE – "),
    "Test": Text("THỬ NGHIỆM – ", "TEST – "),
    "Actual": Text("", ""),
}
_NOT_REAL = Text(
    "Đây là tin diễn tập hoặc thử nghiệm, không phải tình huống thật. ",
    "This is an exercise or a test, not a real event. ",
)


def write_headline(warning: FloodWarning, kind: Kind) -> Text:
    """Return the headline, at most LONGEST_HEADLINE characters in each language."""
    place, mark, level = warning.station.title, _MARKS[warning.status], LEVELS[warning.level].title
    if kind == "Cancel":
        said = Text(f"Kết thúc cảnh báo lũ tại {place.vi}", f"Flood warning ended at {place.en}")
    elif warning.probability is not None:
        said = Text(
            f"Dự báo mực nước vượt {level.vi} tại {place.vi}", f"Water forecast to rise above {level.en} at {place.en}"
        )
    else:
        said = Text(f"Mực nước đã vượt {level.vi} tại {place.vi}", f"Water is above {level.en} at {place.en}")
    if kind != "Cancel":
        said = Text(warning.vi.headline or said.vi, warning.en.headline or said.en)
    return Text(_shorten(mark.vi + said.vi), _shorten(mark.en + said.en))


def write_description(warning: FloodWarning, kind: Kind, wards: Text, zone: tzinfo, reason: str = "") -> Text:
    """Return the description; ``wards`` are their names in a row, ``reason`` is why it was updated or cancelled.

    Words of a person's own take the place of what is known; that it is no real event is said before them all the same.
    """
    mark = Text("", "") if warning.status == "Actual" else _NOT_REAL
    told = _tell_all(warning, kind, wards, zone)
    if kind != "Cancel":
        told = Text(warning.vi.description or told.vi, warning.en.description or told.en)
    more = "".join(f" {words}" for words in (reason, warning.note) if words)
    return Text(f"{mark.vi}{told.vi}{more}".strip(), f"{mark.en}{told.en}{more}".strip())


def write_instruction(warning: FloodWarning, kind: Kind) -> Text:
    """Return what people should do: at the level, or after the end."""
    if kind == "Cancel":
        return ENDED
    usual = LEVELS[warning.level].instruction
    return Text(warning.vi.instruction or usual.vi, warning.en.instruction or usual.en)


def _tell_all(warning: FloodWarning, kind: Kind, wards: Text, zone: tzinfo) -> Text:
    parts = [_tell_end(warning) if kind == "Cancel" else _tell_stage(warning, zone)]
    if warning.onset is not None and kind != "Cancel":
        parts.append(
            Text(
                f"Thời điểm bắt đầu vượt mức: khoảng {_write_vi(warning.onset, zone)}. ",
                f"The level is first reached at about {_write_en(warning.onset, zone)}. ",
            )
        )
    if len(warning.alarms) > 1 and kind != "Cancel":
        count = len(warning.alarms)
        parts.append(Text(f"Có {count} cảnh báo từ các trạm. ", f"{count} alarms of the stations stand behind it. "))
    parts.append(Text(f"Khu vực: {wards.vi}.", f"Area: {wards.en}."))
    return Text("".join(part.vi for part in parts), "".join(part.en for part in parts))


def _tell_end(warning: FloodWarning) -> Text:
    place = warning.station.title
    return Text(
        f"Cảnh báo lũ, triều cường tại {place.vi} không còn hiệu lực. ",
        f"The warning of a flood at {place.en} is no longer in force. ",
    )


def _tell_stage(warning: FloodWarning, zone: tzinfo) -> Text:
    place, level = warning.station.title, LEVELS[warning.level].title
    limit = _in_brackets(warning.threshold)
    vi_when = f"Lúc {_write_vi(warning.at, zone)}, mực nước" if warning.at else "Mực nước"
    en_when = f"At {_write_en(warning.at, zone)} the water" if warning.at else "The water"
    if warning.probability is None:
        vi_stage = f" là {_metres_vi(warning.stage)}," if warning.stage is not None else ""
        en_stage = f" stands at {_metres_en(warning.stage)}," if warning.stage is not None else " is"
        return Text(
            f"{vi_when} tại {place.vi}{vi_stage} trên {level.vi}{limit.vi}. ",
            f"{en_when} at {place.en}{en_stage} above {level.en}{limit.en}. ",
        )
    percent = f"{warning.probability * 100.0:.0f}"
    vi_until = f" vào lúc {_write_vi(warning.at, zone)}" if warning.at else ""
    en_until = f" at {_write_en(warning.at, zone)}" if warning.at else ""
    vi_stage = f" lên đến khoảng {_metres_vi(warning.stage)}{vi_until}," if warning.stage is not None else ""
    en_stage = f" to reach about {_metres_en(warning.stage)}{en_until}," if warning.stage is not None else ""
    return Text(
        f"Dự báo mực nước tại {place.vi}{vi_stage} có thể vượt {level.vi}{limit.vi}; xác suất {percent}%. ",
        f"The water at {place.en} is forecast{en_stage} and may exceed {level.en}{limit.en}; probability {percent}%. ",
    )


def _in_brackets(threshold: float | None) -> Text:
    if threshold is None:
        return Text("", "")
    return Text(f" ({_metres_vi(threshold)})", f" ({_metres_en(threshold)})")


def _metres_en(value: float) -> str:
    return f"{value:.2f} m"


def _metres_vi(value: float) -> str:
    return _metres_en(value).replace(".", ",")


def _write_vi(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M ngày %d/%m/%Y")


def _write_en(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M on %d %B %Y")


def _shorten(words: str) -> str:
    return words if len(words) <= LONGEST_HEADLINE else words[: LONGEST_HEADLINE - 1].rstrip() + "…"


def name_wards(titles: Sequence[Text]) -> Text:
    """Return the names of wards in a row, in both languages."""
    return Text(
        join_names([title.vi for title in titles], "và {} phường, xã khác"),
        join_names([title.en for title in titles], "and {} more wards"),
    )


def join_names(names: list[str], more: str, longest: int = 12) -> str:
    """Return at most ``longest`` of ``names`` in a row; ``more`` says how many follow ("and {} more")."""
    rest = len(names) - longest
    return ", ".join(names[:longest]) + (f" {more.format(rest)}" if rest > 0 else "")
