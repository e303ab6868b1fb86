"""What every piece of the inventory says of itself: its state, how well its place is known, who keeps it."""

from layers.schema import code, coded, date, text

CONDITION = (
    code("good", "Tốt", "Good", words={"vsa": "Z4"}),
    code("fair", "Trung bình", "Fair", words={"vsa": "Z3|Z2"}),
    code("poor", "Kém", "Poor", words={"vsa": "Z1"}),
    code("failed", "Hư hỏng", "Failed", words={"vsa": "Z0"}),
)
ACCURACY_CLASS = (
    code("A", "A – đo trực tiếp khi lộ ra", "A – exposed and surveyed", words={"asce38": "QL-A"}),
    code("B", "B – dò bằng thiết bị", "B – located by instrument", words={"asce38": "QL-B"}),
    code("C", "C – suy từ phần nổi", "C – inferred from surface features", words={"asce38": "QL-C"}),
    code("D", "D – theo hồ sơ, trí nhớ", "D – from records or memory", words={"asce38": "QL-D"}),
)

STATE = (
    coded("condition", "Tình trạng", "Condition", *CONDITION),
    coded("accuracy_class", "Cấp chính xác vị trí", "Accuracy class", *ACCURACY_CLASS),
    date("installed", "Ngày lắp đặt", "Installed"),
    text("owner", "Đơn vị quản lý", "Owner"),
    text("note", "Ghi chú", "Note"),
)
"""What an engineer asks of any asset in the ground or on the street, in this order at the end of its properties."""
