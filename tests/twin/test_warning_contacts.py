"""Who is told: quiet hours, least priorities and severities, languages."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.store_outbox import Told
from twin.warning.contacts import PRIORITIES, SEVERITIES, Channel, Group, Quiet
from twin.warning.notice import describe_alarm, strip_marks

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
CHANNELS = {"mail": Channel.model_validate({"url": "mailto://x"})}
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def make_quiet(start: time, end: time, above: str = "high") -> Quiet:
    return Quiet.model_validate({"start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "above": above})


@given(clocks, clocks, moments)
def test_quiet_hours_end_at_their_end_within_a_day(start: time, end: time, moment: datetime) -> None:
    found = make_quiet(start, end).find_end(moment, HANOI)
    if found is not None:
        assert moment < found <= moment + timedelta(days=1)
        assert found.astimezone(HANOI).time() == end
        assert make_quiet(start, end).find_end(found, HANOI) is None or start == end


@pytest.mark.parametrize(
    ("clock", "quiet"), [("21:59", False), ("22:00", True), ("23:59", True), ("05:29", True), ("05:30", False)]
)
def test_quiet_hours_go_over_midnight(clock: str, quiet: bool) -> None:
    moment = datetime.fromisoformat(f"2026-11-28T{clock}:00+07:00")
    group = Group(channels=CHANNELS, quiet=make_quiet(time(22), time(5, 30)))
    assert (group.find_due("medium", moment, HANOI) > moment) == quiet
    assert group.find_due("high", moment, HANOI) == moment


def test_least_priority_and_severity_are_kept() -> None:
    group = Group(channels=CHANNELS, priority="high", severity="Severe", statuses=("Actual",))
    assert [group.wants_alarm(one) for one in PRIORITIES] == [False, False, True, True]
    assert [group.wants_warning(one, "Actual") for one in SEVERITIES] == [False, False, True, True]
    assert not group.wants_warning("Extreme", "Exercise")
    assert not Group(channels=CHANNELS).wants_warning("Extreme", "Actual")


def test_a_step_of_an_alarm_reads_as_a_person_would_write_it() -> None:
    content = {
        "step": "acknowledge", "alarm": 7, "occurrence": 1, "incident": None, "rule": "flood-2.S", "priority": "high",
        "title_vi": "Báo động II – Trạm sông Hậu", "title_en": "Flood alarm level II – Hau gauge", "level": 2,
        "at": "2026-11-28T06:30:00+00:00", "value": 1.953, "unit": "m", "author": "An", "reason": "đã cử người",
    }  # fmt: skip
    told = Told(1, "alarm:7", "alarm", "event:9", content, datetime(2026, 11, 28, 6, 30, tzinfo=UTC))
    notice = describe_alarm(told, "Actual", HANOI)
    assert notice.write_title(["vi"]) == "Đã tiếp nhận: Báo động II – Trạm sông Hậu 1,95 m (13:30 28/11) – An"
    assert notice.write_title(["vi", "en"]).endswith(
        "Acknowledged: Flood alarm level II – Hau gauge 1.95 m (13:30 28/11) – An"
    )
    assert "đã cử người" in notice.write_text(["vi"])
    assert describe_alarm(told, "Exercise", HANOI).write_line(["en"]).startswith("EXERCISE – ")
    assert (notice.document["type"], notice.document["reference"]) == ("alarm", "event:9")


@given(st.text(alphabet="ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵĐÀÊ abc0–…"))
def test_without_marks_vietnamese_is_ascii(words: str) -> None:
    assert strip_marks(words).isascii() and len(strip_marks(words)) >= len(words)
