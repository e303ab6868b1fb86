"""Báo động levels and what they mean in a CAP message.

The severities are a proposal of this project, not law: Decision 05/2020/QĐ-TTg sets the stages of báo động I, II and
III, and no Vietnamese text that we know of maps them to CAP 1.2.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cap_tools.models import Certainty, ResponseType, Severity, Urgency

from layers.errors import InputError
from layers.schema import Text

# CAP 1.2, 3.2.2: "Expected" asks for action within the next hour.
SOON = timedelta(hours=1)
LIKELY_ABOVE, UNLIKELY_BELOW = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class Level:
    """One level of warning: its name, severity, what people do, and the words that say so."""

    number: int
    title: Text
    severity: Severity
    responses: tuple[ResponseType, ...]
    instruction: Text


LEVELS: dict[int, Level] = {
    level.number: level
    for level in (
        Level(
            1,
            Text("báo động I", "alarm level I"),
            Severity.MINOR,
            (ResponseType.MONITOR, ResponseType.PREPARE),
            Text(
                "Theo dõi bản tin mực nước. Kê cao đồ đạc, hàng hóa ở nơi trũng thấp ven sông, kênh. Kiểm tra cống và "
                "bờ bao quanh nhà. Không để trẻ em chơi gần sông, kênh.",
                "Follow the water level bulletins. Raise goods and furniture in low places near rivers and canals. "
                "Check drains and embankments around your home. Keep children away from rivers and canals.",
            ),
        ),
        Level(
            2,
            Text("báo động II", "alarm level II"),
            Severity.MODERATE,
            (ResponseType.PREPARE, ResponseType.AVOID),
            Text(
                "Kê cao tài sản, ngắt điện các ổ cắm ở thấp. Tránh những tuyến đường bị ngập. Chuẩn bị đèn pin, nước "
                "sạch, thuốc và giấy tờ cần thiết. Người già, trẻ em, người bệnh ở nơi trũng thấp nên đến chỗ cao hơn.",
                "Raise your belongings and switch off low power sockets. Avoid flooded roads. Prepare a torch, clean "
                "water, medicine and papers. The old, the young and the ill in low places should move to higher "
                "ground.",
            ),
        ),
        Level(
            3,
            Text("báo động III", "alarm level III"),
            Severity.SEVERE,
            (ResponseType.AVOID, ResponseType.PREPARE),
            Text(
                "Không đi qua nơi ngập sâu hoặc nước chảy xiết. Ngắt điện tầng dưới trước khi nước vào nhà. Sẵn sàng "
                "sơ tán và làm theo hướng dẫn của chính quyền địa phương. Cần cứu nạn: gọi 112; cấp cứu: gọi 115.",
                "Do not cross deep or fast water. Switch off the power of the ground floor before water enters. Be "
                "ready to leave and follow the local authorities. Rescue: call 112; ambulance: call 115.",
            ),
        ),
        Level(
            4,
            Text("mức lịch sử", "the highest stage on record"),
            Severity.EXTREME,
            (ResponseType.EVACUATE, ResponseType.AVOID),
            Text(
                "Rời khỏi nơi trũng thấp ven sông, kênh theo hướng dẫn của chính quyền địa phương. Giúp người già, trẻ "
                "em, người khuyết tật đi trước. Không đi qua dòng nước chảy xiết, tránh xa cột điện, dây điện. Cần cứu "
                "nạn: gọi 112; cấp cứu: gọi 115.",
                "Leave low places near rivers and canals as the local authorities direct. Help the old, the young and "
                "the disabled to go first. Do not cross fast water; keep away from power poles and lines. Rescue: call "
                "112; ambulance: call 115.",
            ),
        ),
    )
}
ENDED = Text(
    "Tiếp tục theo dõi bản tin mực nước. Kiểm tra an toàn điện trước khi đóng điện trở lại.",
    "Keep following the water level bulletins. Check that wiring is safe before switching the power on again.",
)


def read_level(number: int) -> Level:
    """Return the level of ``number``; InputError says which there are."""
    if number not in LEVELS:
        raise InputError(f"warning level {number} does not exist", hint="1, 2, 3 (báo động I, II, III) or 4 (record)")
    return LEVELS[number]


def find_urgency(sent: datetime, onset: datetime | None) -> Urgency:
    """Return how soon to act: ``onset`` None or past is now, within an hour is soon, else later."""
    if onset is None or onset <= sent:
        return Urgency.IMMEDIATE
    return Urgency.EXPECTED if onset - sent <= SOON else Urgency.FUTURE


def find_certainty(probability: float | None) -> Certainty:
    """Return how sure it is: ``probability`` of a forecast (0 to 1), None for what was measured."""
    if probability is None:
        return Certainty.OBSERVED
    if probability > LIKELY_ABOVE:
        return Certainty.LIKELY
    return Certainty.POSSIBLE if probability >= UNLIKELY_BELOW else Certainty.UNLIKELY
