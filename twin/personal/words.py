"""The words of personal data: kinds of holders, legal bases of keeping them, purposes of looking."""

from typing import Literal

from layers.schema import Text

Kind = Literal["person", "household", "organisation"]
KINDS: dict[str, Text] = {
    "person": Text("Cá nhân", "Person"),
    "household": Text("Hộ gia đình", "Household"),
    "organisation": Text("Tổ chức", "Organisation"),
}
BASES: dict[str, Text] = {
    "public-task": Text("Nhiệm vụ của cơ quan nhà nước theo luật", "Task of a state body under the law"),
    "consent": Text("Sự đồng ý của chủ thể dữ liệu", "Consent of the person"),
    "contract": Text("Thực hiện hợp đồng", "Performance of a contract"),
    "emergency": Text("Bảo vệ tính mạng, sức khỏe, tài sản", "Protection of life, health, property"),
}
"""Why somebody's data may be kept; consent has a date."""
PURPOSES: dict[str, Text] = {
    "land-administration": Text("Quản lý đất đai", "Land administration"),
    "compensation": Text("Bồi thường, giải phóng mặt bằng", "Compensation and site clearance"),
    "emergency": Text("Cứu hộ, sơ tán", "Rescue and evacuation"),
    "dispute": Text("Giải quyết khiếu nại, tranh chấp", "Complaints and disputes"),
    "works": Text("Thông báo thi công", "Notice of works"),
    "request": Text("Yêu cầu của chủ thể dữ liệu", "Request of the person"),
    "search": Text("Tìm theo tên, có căn cứ bằng văn bản", "Search by name, with a written ground"),
}
"""Why somebody looks. A search by name is a purpose of its own: it goes from a person to what they hold."""
SEARCH: tuple[str, ...] = ("search", "request", "dispute")
"""Purposes for which people may be searched by name."""
REASONS: dict[str, Text] = {
    "request": Text("Chủ thể dữ liệu yêu cầu", "Request of the person"),
    "consent-withdrawn": Text("Rút lại sự đồng ý", "Consent withdrawn"),
    "expired": Text("Hết thời hạn lưu giữ", "Kept long enough"),
    "wrong": Text("Dữ liệu sai", "The data is wrong"),
    "court": Text("Theo quyết định của cơ quan có thẩm quyền", "Decision of an authority"),
}
"""Why somebody is erased."""
