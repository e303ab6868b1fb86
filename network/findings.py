"""The kinds of faults of a network and how each is mended, in words."""

from dataclasses import dataclass

FIXES: dict[str, tuple[str, str]] = {
    "dangling_end": (
        "Nối đầu ống vào nút gần nhất, hoặc thêm nút (nắp bịt, cửa xả) nếu ống kết thúc ở đây.",
        "Join the end to the nearest node, or add a node (cap, outfall) if the line ends here.",
    ),
    "near_miss": (
        "Kéo đầu ống tới đúng đường ống bên cạnh, hoặc ghi rõ là không nối.",
        "Move the end onto the line beside it, or record that they are not joined.",
    ),
    "crossing_without_node": (
        "Thêm nút tại giao điểm nếu hai ống thông nhau; nếu không, ghi cao độ tầng khác nhau.",
        "Add a node where they cross if they are joined; else give them different levels.",
    ),
    "loop": (
        "Mở mạch vòng: xoá hoặc ngắt một đoạn trong vòng.",
        "Open the ring: remove or disconnect one of its links.",
    ),
    "disconnected_part": (
        "Tìm đoạn còn thiếu nối phần này với mạng chính.",
        "Find the missing line that joins this part to the main network.",
    ),
    "duplicate": ("Giữ lại một đường, xoá đường trùng.", "Keep one of the lines and remove the other."),
    "zero_length": ("Xoá đoạn có chiều dài bằng không.", "Remove the line: it has no length."),
    "adverse_slope": (
        "Kiểm tra cao độ đáy hai đầu và hướng vẽ của ống.",
        "Check the inverts of both ends and the direction in which the line is drawn.",
    ),
    "missing_invert": ("Đo và nhập cao độ đáy còn thiếu.", "Survey and enter the missing invert."),
    "invert_above_ground": (
        "Kiểm tra cao độ đáy và cao độ mặt đất của nút.",
        "Check the invert and the ground level of the node.",
    ),
    "big_into_small": (
        "Kiểm tra đường kính: ống lớn chảy vào ống nhỏ hơn.",
        "Check the diameters: a larger pipe flows into smaller ones.",
    ),
    "unconnected_point": (
        "Đặt thiết bị lên đúng tuyến (hoặc vẽ thêm tuyến còn thiếu).",
        "Put the point onto its line, or draw the line that is missing.",
    ),
    "unknown_node": (
        "Sửa tên nút đầu, nút cuối, hoặc thêm nút còn thiếu.",
        "Correct the name of the node, or add the node that is missing.",
    ),
    "end_disagrees": (
        "Xem lại: hình vẽ kết thúc ở nút khác với nút đã ghi; sửa tên nút hoặc sửa hình.",
        "The line ends at another node than the one named: correct the name or the geometry.",
    ),
    "ends_swapped": (
        "Đổi nút đầu với nút cuối, hoặc đảo hướng vẽ của tuyến.",
        "Exchange the two names, or reverse the line.",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: its kind, the features, where [m], and how much: a length or height [m], None where there is none."""

    kind: str
    ids: tuple[str, ...]
    x: float
    y: float
    measure: float | None

    @property
    def fix(self) -> dict[str, str]:
        """How it is mended, ``vi`` and ``en``."""
        vi, en = FIXES[self.kind]
        return {"vi": vi, "en": en}
