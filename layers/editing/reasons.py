"""What the checks of a value say, in Vietnamese beside English."""

import re

from layers.schema import Text

_PHRASES = (
    (r"no such property", "không có thuộc tính này"),
    (r"required value missing", "thiếu giá trị bắt buộc"),
    (r"unknown code", "mã không có trong danh mục"),
    (r"not a string", "không phải chuỗi ký tự"),
    (r"not a number", "không phải số"),
    (r"not an? integer|not a whole number", "không phải số nguyên"),
    (r"not a boolean|neither yes nor no", "không phải giá trị có/không"),
    (r"not a date(time)?", "không phải ngày giờ hợp lệ"),
    (r"not a time", "không phải thời điểm hợp lệ"),
    (r"time without a zone", "thời điểm không có múi giờ"),
    (r"outside (.+) to (.+)", r"ngoài khoảng \1 đến \2"),
    (r"holds characters that are no text", "có ký tự không phải văn bản"),
    (r"expected one of (.+)", r"một trong: \1"),
    (r"one of (.+)", r"một trong: \1"),
    (r"no geometry", "không có hình"),
    (r"not a GeoJSON geometry", "không phải hình GeoJSON"),
    (r"too many vertices", "quá nhiều đỉnh"),
    (r"a coordinate is not a number", "tọa độ không phải số"),
    (r"the area crosses itself", "vùng tự cắt chính nó"),
    (r"latitude beyond 90 degrees", "vĩ độ vượt quá 90 độ"),
    (r"far outside the city's area", "nằm ngoài khu vực thành phố"),
    (r"beyond (.+)", r"vượt ra ngoài \1"),
    (r"cannot be projected", "không chiếu được"),
    (r"line without length", "đường không có chiều dài"),
    (r"line in separate parts", "đường gồm nhiều đoạn rời"),
    (r"geometry is (.+)", r"hình là \1"),
    (r"expected (.+)", r"cần \1"),
    (r"draw it, or delete the row", "hãy vẽ hình, hoặc xóa dòng"),
    (r"split it into one row a part", "hãy tách mỗi đoạn một dòng"),
    (r"at most (\d+) vertices; simplify or split it", r"tối đa \1 đỉnh; hãy đơn giản hóa hoặc chia nhỏ"),
)


def translate_reason(english: str) -> Text:
    """Return ``english`` with its Vietnamese; what has none stands in English in both."""
    for pattern, vietnamese in _PHRASES:
        found = re.fullmatch(pattern, english)
        if found is not None:
            return Text(found.expand(vietnamese), english)
    return Text(english, english)
