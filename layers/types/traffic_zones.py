"""Zones of traffic: where trips begin and end, with the people and jobs that make them."""

from layers.schema import Style, Text, VectorLayer, integer, number, text

LAYERS = (
    VectorLayer(
        id="traffic_zones",
        theme="transport",
        title=Text("Vùng giao thông", "Traffic zones"),
        description=Text(
            "Vùng phát sinh, thu hút chuyến đi, với dân số và việc làm.",
            "Zones that trips begin and end in, with people and jobs.",
        ),
        geometry="MultiPolygon",
        properties=(
            text("name", "Tên", "Name"),
            integer("population", "Dân số", "Population", "people"),
            integer("jobs", "Việc làm", "Jobs", "count"),
            number("produced", "Chuyến đi phát sinh mỗi ngày", "Trips sent in a day", "count"),
            number("attracted", "Chuyến đi thu hút mỗi ngày", "Trips received in a day", "count"),
        ),
        style=Style("#00000000", outline="#6b6bb1", width=1.5, dash=(4.0, 2.0), label="name"),
        rank=22,
        min_zoom=9,
        visible=False,
        words={"gmns": "zone"},
    ),
)
