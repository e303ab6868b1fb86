"""What is wrong with a feed, by the names that the canonical GTFS Schedule validator gives it.

Source: https://gtfs-validator.mobilitydata.org/rules.html. An error breaks the reference, a warning its advice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from layers.schema import Text

Severity = Literal["ERROR", "WARNING", "INFO"]
SEVERITIES: tuple[Severity, ...] = ("ERROR", "WARNING", "INFO")
MOST_SAMPLES = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of notice: how grave it is and what it says."""

    severity: Severity
    title: Text


def _rules(severity: Severity, **titles: tuple[str, str]) -> dict[str, Rule]:
    return {code: Rule(severity, Text(*title)) for code, title in titles.items()}


RULES: dict[str, Rule] = {
    **_rules(
        "ERROR",
        block_trips_with_overlapping_stop_times=("Chuyến cùng khối xe chồng giờ", "Trips of a block overlap in time"),
        csv_parsing_failed=("Không đọc được tệp CSV", "The file cannot be read as CSV"),
        decreasing_or_equal_stop_time_distance=("Quãng đường không tăng", "Distance along the trip does not grow"),
        decreasing_shape_distance=("Quãng đường của tuyến vẽ giảm", "Distance along the shape falls"),
        duplicate_key=("Trùng khóa", "Two rows have one key"),
        duplicated_column=("Trùng tên cột", "Two columns have one name"),
        empty_column_name=("Cột không tên", "A column has no name"),
        empty_file=("Tệp rỗng", "The file is empty"),
        equal_shape_distance_diff_coordinates=(
            "Hai điểm khác chỗ cùng quãng đường", "Two places of a shape have one distance"
        ),
        foreign_key_violation=("Tham chiếu tới dòng không có", "Refers to a row that is not there"),
        inconsistent_agency_timezone=("Đơn vị khác múi giờ", "Agencies have different time zones"),
        invalid_character=("Ký tự không phải UTF-8", "Letters that are not UTF-8"),
        invalid_color=("Màu sai", "Not a colour"),
        invalid_currency=("Tiền tệ sai", "Not a currency"),
        invalid_date=("Ngày sai", "Not a date"),
        invalid_email=("Thư điện tử sai", "Not an e-mail address"),
        invalid_float=("Số sai", "Not a number"),
        invalid_integer=("Số nguyên sai", "Not a whole number"),
        invalid_language_code=("Mã ngôn ngữ sai", "Not a language code"),
        invalid_row_length=("Dòng sai số cột", "A row has too many or too few columns"),
        invalid_time=("Giờ sai", "Not a time"),
        invalid_timezone=("Múi giờ sai", "Not a time zone"),
        invalid_url=("Địa chỉ web sai", "Not a web address"),
        location_without_parent_station=("Thiếu ga mẹ", "A location lacks its parent station"),
        missing_calendar_and_calendar_date_files=("Thiếu lịch chạy", "Neither calendar.txt nor calendar_dates.txt"),
        missing_required_column=("Thiếu cột bắt buộc", "A required column is missing"),
        missing_required_field=("Thiếu giá trị bắt buộc", "A required value is missing"),
        missing_required_file=("Thiếu tệp bắt buộc", "A required file is missing"),
        missing_stop_name=("Trạm không tên", "A stop has no name"),
        missing_trip_edge=("Chuyến thiếu giờ đầu hay cuối", "A trip lacks the time at its first or last stop"),
        number_out_of_range=("Số ngoài khoảng", "A number is out of range"),
        overlapping_frequency=("Tần suất chồng nhau", "Frequencies of a trip overlap"),
        route_both_short_and_long_name_missing=("Tuyến không tên", "A route has neither short nor long name"),
        start_and_end_range_equal=("Đầu trùng cuối", "A range begins where it ends"),
        start_and_end_range_out_of_order=("Đầu sau cuối", "A range ends before it begins"),
        station_with_parent_station=("Ga có ga mẹ", "A station has a parent station"),
        stop_time_timepoint_without_times=("Điểm đúng giờ không có giờ", "A timepoint has no time"),
        stop_time_with_arrival_before_previous_departure_time=(
            "Đến trước khi rời trạm trước", "Arrives before it left the stop before"
        ),
        stop_time_with_only_arrival_or_departure_time=("Thiếu giờ đến hoặc đi", "Only one of arrival and departure"),
        stop_without_location=("Trạm không tọa độ", "A stop has no place"),
        wrong_parent_location_type=("Ga mẹ sai loại", "The parent is of the wrong type"),
    ),
    **_rules(
        "WARNING",
        attribution_without_role=("Ghi công không vai trò", "An attribution has no role"),
        duplicate_route_name=("Trùng tên tuyến", "Two routes have one name"),
        empty_row=("Dòng trống", "An empty row"),
        equal_shape_distance_same_coordinates=("Điểm lặp của tuyến vẽ", "A point of a shape is repeated"),
        expired_calendar=("Lịch đã hết hạn", "A calendar is over"),
        fast_travel_between_consecutive_stops=("Quá nhanh giữa hai trạm liền", "Too fast from one stop to the next"),
        fast_travel_between_far_stops=("Quá nhanh giữa hai trạm xa", "Too fast between stops far apart"),
        feed_expiration_date7_days=("Dữ liệu sắp hết hạn", "The feed ends within 7 days"),
        inconsistent_agency_lang=("Đơn vị khác ngôn ngữ", "Agencies have different languages"),
        leading_or_trailing_whitespaces=("Thừa khoảng trắng", "Blanks before or after a value"),
        missing_feed_contact_email_and_url=("Thiếu liên hệ", "The feed names no contact"),
        missing_feed_info_date=("Thiếu ngày hiệu lực", "The feed says only when it begins, or ends"),
        missing_recommended_field=("Thiếu giá trị nên có", "A recommended value is missing"),
        missing_recommended_file=("Thiếu tệp nên có", "A recommended file is missing"),
        missing_timepoint_value=("Thiếu timepoint", "A time lacks its timepoint"),
        point_near_origin=("Tọa độ gần 0, 0", "A place near 0, 0"),
        point_near_pole=("Tọa độ gần cực", "A place near a pole"),
        route_color_contrast=("Màu chữ khó đọc", "Text colour hard to read on the route's colour"),
        route_long_name_contains_short_name=("Tên dài chứa tên ngắn", "The long name repeats the short one"),
        route_short_name_too_long=("Tên ngắn quá dài", "The short name is long"),
        same_name_and_description_for_route=("Mô tả tuyến lặp tên", "The description repeats the route's name"),
        same_name_and_description_for_stop=("Mô tả trạm lặp tên", "The description repeats the stop's name"),
        stop_too_far_from_shape=("Trạm xa tuyến vẽ", "A stop lies far from the trip's shape"),
        stop_without_stop_time=("Trạm không chuyến nào dừng", "No trip calls at a stop"),
        trip_coverage_not_active_for_next7_days=("Không có chuyến trong 7 ngày tới", "No trips in the next 7 days"),
        unexpected_enum_value=("Mã không có trong chuẩn", "A code the reference does not have"),
        unusable_trip=("Chuyến dưới hai trạm", "A trip calls at fewer than two stops"),
        unused_shape=("Tuyến vẽ không dùng", "No trip uses a shape"),
        unused_trip=("Chuyến không có giờ", "A trip has no stop times"),
    ),
    **_rules(
        "INFO",
        unknown_column=("Cột lạ", "A column the reference does not have"),
        unknown_file=("Tệp lạ", "A file the reference does not have"),
        unused_parent_station=("Ga mẹ không dùng", "A station has no stops"),
    ),
}  # fmt: skip


@dataclass(slots=True)
class Notice:
    """All cases of one rule: how many, and the first of them (filename, csvRowNumber, fieldName, fieldValue …)."""

    code: str
    count: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return RULES[self.code].severity


class Notices:
    """The notices of one feed, by code."""

    def __init__(self) -> None:
        self.by_code: dict[str, Notice] = {}

    def add(self, code: str, samples: Iterable[Mapping[str, Any]], count: int | None = None) -> None:
        """Note cases of ``code``; ``count`` says how many there are where ``samples`` are only the first."""
        notice = self.by_code.setdefault(code, Notice(code))
        for number, sample in enumerate(samples):
            if len(notice.samples) < MOST_SAMPLES:
                notice.samples.append(dict(sample))
            if count is None:
                notice.count += 1
            elif number >= MOST_SAMPLES:
                break
        notice.count += count or 0

    def count(self, severity: Severity) -> int:
        """Return how many cases of a severity there are."""
        return sum(notice.count for notice in self.by_code.values() if notice.severity == severity)

    def sorted(self) -> list[Notice]:
        """Return the notices that have cases, the gravest first."""
        found = [notice for notice in self.by_code.values() if notice.count]
        return sorted(found, key=lambda notice: (SEVERITIES.index(notice.severity), notice.code))

    def describe(self) -> list[dict[str, Any]]:
        """Return them as the canonical validator's report lists them."""
        return [
            {
                "code": notice.code,
                "severity": notice.severity,
                "totalNotices": notice.count,
                "title": RULES[notice.code].title._asdict(),
                "sampleNotices": notice.samples,
            }
            for notice in self.sorted()
        ]
