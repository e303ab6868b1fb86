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
    (r"no identifier", "thiếu mã đối tượng"),
    (r"identifier belongs to another source", "mã thuộc nguồn khác"),
    (r"identifier is another feature's", "mã đã thuộc đối tượng khác"),
    (r"identifier appears twice in the file", "mã có hai lần trong tệp"),
    (r"identifier longer than (\d+) characters", r"mã dài quá \1 ký tự"),
    (r"identifier holds control characters", "mã có ký tự điều khiển"),
    (r"row (\d+) has it", r"dòng \1 đã có"),
    (r"give it another|give it one that is free", "hãy đặt mã chưa dùng"),
    (r"fill it, or give another 'id' in the mapping", "hãy điền, hoặc chọn 'id' khác trong tệp ánh xạ"),
    (r"no column is mapped to it", "không có cột nào được ánh xạ vào"),
    (r"no rule of the mapping chooses the row any more", "không còn quy tắc ánh xạ nào nhận dòng này"),
    (r"a coordinate is 0, 0", "tọa độ là 0, 0"),
    (r"the place is not known: fill it", "chưa biết vị trí: hãy điền"),
    (r"the area collapses to nothing", "vùng bị co lại thành không"),
    (
        r"a unit or a nodata value missing in the mapping\?",
        "thiếu đơn vị, hoặc giá trị “không có số liệu” trong tệp ánh xạ?",
    ),
    (r"translate it with codes in the mapping", "hãy dịch bằng 'codes' trong tệp ánh xạ"),
    (r"is the CRS right, or are x and y exchanged\?", "hệ tọa độ có đúng không, hay x và y bị đổi chỗ?"),
    (r"give 'timezone' in the mapping", "hãy ghi 'timezone' trong tệp ánh xạ"),
    (r"fill column (.+)", r"hãy điền cột \1"),
)


def translate_reason(english: str) -> Text:
    """Return ``english`` with its Vietnamese; what has none stands in English in both."""
    for pattern, vietnamese in _PHRASES:
        found = re.fullmatch(pattern, english)
        if found is not None:
            return Text(found.expand(vietnamese), english)
    return Text(english, english)
