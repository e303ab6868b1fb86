"""Public transport: what runs of transit-access write: cells with what can be reached from them."""

from layers.schema import Style, Text, VectorLayer, integer, number, text
from layers.types.runs import RUN

MINUTES = (30, 45, 60)
"""Within how many minutes places are counted."""
KINDS = (
    ("people", "Số người", "People", "people"),
    ("jobs", "Việc làm", "Jobs", "count"),
    ("schools", "Trường học", "Schools", "count"),
    ("healthcare", "Cơ sở y tế", "Health facilities", "count"),
)

LAYERS = (
    VectorLayer(
        id="transit_access",
        theme="transport",
        title=Text("Tiếp cận bằng giao thông công cộng", "Access by public transport"),
        description=Text(
            "Từ mỗi ô dân cư: bao nhiêu người, việc làm, trường, cơ sở y tế tới được trong 30, 45, 60 phút khi đi bộ "
            "và đi xe; hoặc từ một điểm: mỗi ô mất bao lâu.",
            "From each cell: people, jobs, schools and health facilities reached in 30, 45 and 60 minutes on foot and "
            "by public transport; or from one point: how long each cell takes.",
        ),
        geometry="MultiPolygon",
        properties=(
            RUN,
            text("cell_id", "Ô dân cư", "Population cell", required=True),
            integer("population", "Dân số", "Population", "people", in_tiles=True),
            number("jobs_share_45", "Tỷ lệ việc làm trong 45 phút", "Share of jobs in 45 min", "ratio", in_tiles=True),
            *(
                integer(f"{kind}_{minutes}", f"{vi} trong {minutes} phút", f"{en} in {minutes} min", unit)
                for kind, vi, en, unit in KINDS
                for minutes in MINUTES
            ),
            *(
                integer(f"{kind}_lost_45", f"{vi} không còn tới được trong 45 phút", f"{en} lost within 45 min", unit)
                for kind, vi, en, unit in KINDS
            ),
            number("travel_time", "Thời gian đi từ điểm đã chọn", "Time from the point", "duration", in_tiles=True),
            number("walk_time", "Đi bộ đến trạm gần nhất", "Walk to the nearest stop", "duration", in_tiles=True),
        ),
        style=Style(
            "#2e7d6b",
            classes=((0.0, "#f2efe9"), (0.05, "#cfe3d6"), (0.15, "#9fcbb3"), (0.3, "#5fa98b"), (0.5, "#2e7d6b")),
            by="jobs_share_45",
            opacity=0.65,
        ),
        rank=31,
        min_zoom=9,
        visible=False,
    ),
)
