"""Road works: work zones, closures, closures by water and incidents on roads, in the words of WZDx 4.2.

Source: USDOT, Work Zone Data Exchange Specification 4.2, RoadEventFeature and WorkZoneRoadEvent. Traffic runs along the
line as it is drawn, as WZDx has it; ``affected_direction`` says which of the two ways is touched.
"""

from layers.schema import Style, Text, VectorLayer, code, coded, flag, integer, moment, number, text

EVENT_TYPES = (
    code("work_zone", "Công trường trên đường", "Work zone", "#e07b1a", words={"wzdx": "work-zone"}),
    code("closure", "Cấm đường", "Closure", "#b3261e"),
    code("flood_closure", "Cấm đường do ngập", "Closed by water", "#1c569c"),
    code("incident", "Sự cố giao thông", "Incident", "#8d1c6b"),
    code("detour", "Đường vòng", "Detour", "#2d7f5e", words={"wzdx": "detour"}),
)
EVENT_STATUSES = (
    code("planned", "Dự kiến", "Planned", words={"wzdx": "planned"}),
    code("pending", "Sắp bắt đầu", "Pending", words={"wzdx": "pending"}),
    code("active", "Đang diễn ra", "Active", words={"wzdx": "active"}),
    code("completed", "Đã xong", "Completed", words={"wzdx": "completed"}),
    code("cancelled", "Đã hủy", "Cancelled", words={"wzdx": "cancelled"}),
)
VEHICLE_IMPACTS = (
    code("all_lanes_closed", "Cấm mọi làn", "All lanes closed", words={"wzdx": "all-lanes-closed"}),
    code("some_lanes_closed", "Cấm một số làn", "Some lanes closed", words={"wzdx": "some-lanes-closed"}),
    code("all_lanes_open", "Mọi làn thông", "All lanes open", words={"wzdx": "all-lanes-open"}),
    code(
        "alternating_one_way", "Đi luân phiên từng chiều", "Alternating one way", words={"wzdx": "alternating-one-way"}
    ),
    code("merge_left", "Nhập làn trái", "Closed, merge left", words={"wzdx": "some-lanes-closed-merge-left"}),
    code("merge_right", "Nhập làn phải", "Closed, merge right", words={"wzdx": "some-lanes-closed-merge-right"}),
    code("shift_left", "Lệch làn sang trái", "Open, shifted left", words={"wzdx": "all-lanes-open-shift-left"}),
    code("shift_right", "Lệch làn sang phải", "Open, shifted right", words={"wzdx": "all-lanes-open-shift-right"}),
    code("split", "Tách làn", "Closed, split", words={"wzdx": "some-lanes-closed-split"}),
    code("flagging", "Có người điều khiển", "Flagging", words={"wzdx": "flagging"}),
    code("temporary_signal", "Đèn tín hiệu tạm", "Temporary signal", words={"wzdx": "temporary-traffic-signal"}),
    code("unknown", "Chưa rõ", "Unknown", words={"wzdx": "unknown"}),
)
WORK_TYPES = (
    code("maintenance", "Duy tu", "Maintenance", words={"wzdx": "maintenance"}),
    code("minor_repair", "Sửa chữa nhỏ", "Minor road defect repair", words={"wzdx": "minor-road-defect-repair"}),
    code("roadside", "Việc bên đường", "Roadside work", words={"wzdx": "roadside-work"}),
    code("overhead", "Việc trên cao", "Overhead work", words={"wzdx": "overhead-work"}),
    code("below_road", "Đào dưới đường", "Below-road work", words={"wzdx": "below-road-work"}),
    code("barrier", "Lan can, dải phân cách", "Barrier work", words={"wzdx": "barrier-work"}),
    code("surface", "Mặt đường", "Surface work", words={"wzdx": "surface-work"}),
    code("painting", "Sơn kẻ đường", "Painting", words={"wzdx": "painting"}),
    code("relocation", "Dời đường", "Roadway relocation", words={"wzdx": "roadway-relocation"}),
    code("creation", "Làm đường mới", "Roadway creation", words={"wzdx": "roadway-creation"}),
)
AFFECTED_DIRECTIONS = (
    code("both", "Cả hai chiều", "Both ways"),
    code("forward", "Theo chiều vẽ", "As drawn"),
    code("backward", "Ngược chiều vẽ", "Against the drawing"),
)
COMPASS = (
    code("northbound", "Về hướng bắc", "Northbound"),
    code("eastbound", "Về hướng đông", "Eastbound"),
    code("southbound", "Về hướng nam", "Southbound"),
    code("westbound", "Về hướng tây", "Westbound"),
    code("inner_loop", "Vành đai, chiều trong", "Inner loop", words={"wzdx": "inner-loop"}),
    code("outer_loop", "Vành đai, chiều ngoài", "Outer loop", words={"wzdx": "outer-loop"}),
    code("undefined", "Không định hướng", "Undefined"),
    code("unknown", "Chưa rõ", "Unknown"),
)
LOCATION_METHODS = (
    code("channel_device", "Theo cọc tiêu", "By channelling devices", words={"wzdx": "channel-device-method"}),
    code("sign", "Theo biển báo", "By signs", words={"wzdx": "sign-method"}),
    code("junction", "Theo nút giao", "By junctions", words={"wzdx": "junction-method"}),
    code("other", "Cách khác", "Other", words={"wzdx": "other"}),
    code("unknown", "Chưa rõ", "Unknown", words={"wzdx": "unknown"}),
)

LAYERS = (
    VectorLayer(
        id="road_works",
        theme="transport",
        title=Text("Công trường, cấm đường", "Road works and closures"),
        description=Text(
            "Công trường, cấm đường, đường ngập, sự cố: từ khi nào đến khi nào, còn đi được ra sao. Đang hiệu lực thì "
            "tuyến đường tìm ra tránh chỗ đó.",
            "Work zones, closures, roads under water, incidents: from when to when, and what may still pass. While "
            "one is in force, routes heed it.",
        ),
        geometry="LineString",
        properties=(
            text("name", "Tên", "Name", words={"wzdx": "RoadEventCoreDetails.name"}),
            coded(
                "event_type",
                "Loại",
                "Type",
                *EVENT_TYPES,
                required=True,
                words={"wzdx": "RoadEventCoreDetails.event_type"},
            ),
            coded(
                "event_status",
                "Tình trạng",
                "Status",
                *EVENT_STATUSES,
                words={"wzdx": "WorkZoneRoadEvent.event_status"},
            ),
            coded(
                "vehicle_impact",
                "Ảnh hưởng đến xe",
                "Impact on vehicles",
                *VEHICLE_IMPACTS,
                required=True,
                words={"wzdx": "WorkZoneRoadEvent.vehicle_impact"},
            ),
            coded("affected_direction", "Chiều bị ảnh hưởng", "Ways affected", *AFFECTED_DIRECTIONS),
            coded(
                "direction", "Hướng xe chạy", "Direction", *COMPASS, words={"wzdx": "RoadEventCoreDetails.direction"}
            ),
            text("road_name", "Tên đường", "Road", words={"wzdx": "RoadEventCoreDetails.road_names"}),
            text("road_link_id", "Đoạn đường", "Road link"),
            moment("planned_start", "Dự kiến bắt đầu", "Planned start"),
            moment("planned_end", "Dự kiến kết thúc", "Planned end"),
            moment("actual_start", "Thực tế bắt đầu", "Actual start"),
            moment("actual_end", "Thực tế kết thúc", "Actual end"),
            integer("lanes_total", "Số làn", "Lanes"),
            integer("lanes_closed", "Số làn cấm", "Lanes closed"),
            number(
                "reduced_speed_limit",
                "Tốc độ giới hạn tạm",
                "Reduced speed limit",
                "speed",
                words={"wzdx": "WorkZoneRoadEvent.reduced_speed_limit_kph"},
            ),
            number("max_height", "Chiều cao cho qua", "Height allowed", "height"),
            number("max_width", "Bề rộng cho qua", "Width allowed", "width"),
            number("max_weight", "Tải trọng cho qua (tấn)", "Weight allowed (t)", "count"),
            flag("no_trucks", "Cấm xe tải", "No trucks"),
            coded("work_type", "Loại việc", "Type of work", *WORK_TYPES, words={"wzdx": "TypeOfWork.type_name"}),
            flag("workers_present", "Có người làm việc", "Workers present"),
            coded("location_method", "Cách định vị", "Located", *LOCATION_METHODS),
            text("detour_note", "Hướng dẫn đi vòng", "Detour"),
            text("description", "Mô tả", "Description", words={"wzdx": "RoadEventCoreDetails.description"}),
            text(
                "organization", "Đơn vị thông báo", "Organisation", words={"wzdx": "FeedDataSource.organization_name"}
            ),
        ),
        style=Style("#e07b1a", by="event_type", width=6.0, dash=(1.5, 1.0), label="name"),
        rank=97,
        min_zoom=11,
        words={"wzdx": "RoadEventFeature"},
    ),
)
