"""What a person reads for states, priorities and steps, in Vietnamese and English."""

from layers.schema import Text
from twin.alarms.rules import Priority
from twin.alarms.state import VisibleState

STATE_TITLES: dict[VisibleState, Text] = {
    "NORMAL": Text("Bình thường", "Normal"),
    "UNACK": Text("Chưa xác nhận", "Unacknowledged"),
    "ACK": Text("Đã xác nhận", "Acknowledged"),
    "RTN-UNACK": Text("Đã hết, chưa xác nhận", "Returned to normal, unacknowledged"),
    "SHELVED": Text("Tạm gác", "Shelved"),
    "SUPPRESSED": Text("Bị chặn", "Suppressed"),
    "OUT-OF-SERVICE": Text("Ngừng phục vụ", "Out of service"),
}
PRIORITY_TITLES: dict[Priority, Text] = {
    "critical": Text("Khẩn cấp", "Critical"),
    "high": Text("Cao", "High"),
    "medium": Text("Trung bình", "Medium"),
    "low": Text("Thấp", "Low"),
}
STEP_TITLES: dict[str, Text] = {
    "raise": Text("Phát sinh", "Raised"),
    "clear": Text("Hết", "Returned to normal"),
    "acknowledge": Text("Xác nhận", "Acknowledged"),
    "shelve": Text("Tạm gác", "Shelved"),
    "unshelve": Text("Hết tạm gác", "Unshelved"),
    "suppress": Text("Bị chặn", "Suppressed"),
    "unsuppress": Text("Hết chặn", "No longer suppressed"),
    "out-of-service": Text("Ngừng phục vụ", "Out of service"),
    "return-to-service": Text("Phục vụ trở lại", "Returned to service"),
    "comment": Text("Ghi chú", "Comment"),
    "escalate": Text("Báo cho nhóm", "Group told"),
    "rule-change": Text("Quy tắc thay đổi", "Rule changed"),
    "end": Text("Quy tắc hết hiệu lực", "Rule ended"),
}
