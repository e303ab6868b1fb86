"""Rules that nobody needs to write: flood alarm levels of every gauge (báo động I, II, III), late forecasts, leaks,
incidents on streets.

The levels come from layer ``sensors``. Decision 05/2020/QĐ-TTg of 31 January 2020 lays down the water levels of the
alarm levels on the rivers of Viet Nam. A level is suppressed while a higher one is active. It goes off 5 cm below its
limit, after ten minutes, so that waves of a tidal river do not raise it twice.
"""

from collections.abc import Sequence

from twin.alarms.rules import Priority, Rule, parse_rule
from twin.store_alarm_forecasts import Loop
from twin.store_alarm_rules import Gauge
from twin.traffic.counting import Section
from twin.traffic.incident_detection import OFF, ON

AUTHOR = "sensors"
LEGAL_SOURCE = "Quyết định 05/2020/QĐ-TTg"
DEADBAND_M = 0.05
OFF_DELAY_S = 600.0
LEAST_LEAK = 1.0e-5
_ROMAN = ("I", "II", "III")
_PRIORITIES: tuple[Priority, ...] = ("medium", "high", "critical")
_LADDERS = (
    ({"after_min": 0, "group": "duty"},),
    ({"after_min": 0, "group": "duty"}, {"after_min": 15, "group": "command"}),
    ({"after_min": 0, "group": "duty"}, {"after_min": 5, "group": "command"}, {"after_min": 15, "group": "city"}),
)
_RESPONSES = (
    ("Theo dõi mực nước, kiểm tra cống và trạm bơm.", "Watch the stage; check gates and pumping stations."),
    ("Đóng cống, vận hành bơm, nhắc dân vùng trũng kê cao đồ.", "Close gates, run pumps, warn people in low places."),
    ("Trực 24/24, chuẩn bị sơ tán, cấm đường ngập.", "Staff around the clock, prepare to evacuate, close roads."),
)


def derive_rules(gauges: Sequence[Gauge]) -> list[Rule]:
    """Return a rule for each alarm level of each gauge."""
    rules = []
    for gauge in gauges:
        present = [place for place, level in enumerate(gauge.levels) if level is not None]
        for place in present:
            higher = next((other for other in present if other > place), None)
            rules.append(_make_rule(gauge, place, higher))
    return rules


def derive_loop_rules(loops: Sequence[Loop]) -> list[Rule]:
    """Return a rule for each forecast loop: late when it missed two turns."""
    return [
        parse_rule(
            {
                "id": f"forecast-late.{loop.name}",
                "title": {"vi": f"Dự báo chậm – {loop.name}", "en": f"Forecast is late – {loop.name}"},
                "event": "forecast-late",
                "priority": "medium",
                "conditions": [{"kind": "late", "loop": loop.name, "after_s": 2.0 * loop.interval_s}],
                "escalation": [{"after_min": 0, "group": "duty"}],
                "response": {
                    "vi": "Xem nhật ký của tiến trình dự báo; khởi động lại nếu nó đã dừng.",
                    "en": "Look at the worker's log; start it again if it stopped.",
                },
            }
        )
        for loop in loops
    ]


def derive_leak_rules(zones: Sequence[str]) -> list[Rule]:
    """Return a rule for each zone that was searched for leaks; the zone '' is the whole network.

    It comes on when a search tells a leak that runs, and off when the next tells none.
    """
    return [
        parse_rule(
            {
                "id": name_leak_rule(zone),
                "title": {
                    "vi": f"Rò rỉ – {zone or 'mạng cấp nước'}"[:500],
                    "en": f"Leak – {zone or 'water network'}"[:500],
                },
                "event": "leak",
                "priority": "medium",
                "conditions": [{"kind": "leak", "zone": zone, "on": LEAST_LEAK}],
                "lateness_s": 0.0,
                "escalation": [{"after_min": 0, "group": "duty"}],
                "response": {
                    "vi": "Mở kết quả dò rỉ mới nhất; đi dò các ống theo thứ tự đã cho.",
                    "en": "Open the latest leak detection; walk the pipes in the order given.",
                },
            }
        )
        for zone in zones
    ]


def derive_incident_rules(sections: Sequence[Section]) -> list[Rule]:
    """Return a rule for each section of street between two counters: on when an incident there is more likely than not.

    The alarm is that of the counter upstream, where the queue stands.
    """
    return [
        parse_rule(
            {
                "id": name_incident_rule(one.id),
                "title": {
                    "vi": f"Sự cố giao thông giữa {one.upstream.name} và {one.downstream.name}"[:500],
                    "en": f"Traffic incident between {one.upstream.name} and {one.downstream.name}"[:500],
                },
                "event": "traffic-incident",
                "priority": "medium",
                "target": {"series": one.upstream.series["occupancy"].id},
                "conditions": [{"kind": "incident", "section": one.id, "on": ON, "off": OFF}],
                "lateness_s": 0.0,
                "escalation": [{"after_min": 0, "group": "duty"}],
                "response": {
                    "vi": "Xem camera, cử người đến đoạn đường; báo đường vòng nếu phải cấm.",
                    "en": "Look at the cameras, send somebody to the street; announce a detour if it must be closed.",
                },
            }
        )
        for one in sections
    ]


def name_incident_rule(section: str) -> str:
    """Return the id of the rule of a section."""
    return f"incident.{write_plainly(section)}"[:120]


def name_rule(sensor: str, level: int) -> str:
    """Return the id of the rule of alarm ``level`` (1 to 3) of a sensor."""
    return f"flood-{level}.{sensor}"


def name_leak_rule(zone: str) -> str:
    """Return the id of the rule of a zone: letters and digits stay, all else is written by its number."""
    return f"leak.{write_plainly(zone)}"[:120]


def write_plainly(name: str) -> str:
    """Return a name as ids of rules may hold it."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else f":{ord(one):x}" for one in name)


def _make_rule(gauge: Gauge, place: int, higher: int | None) -> Rule:
    limit = gauge.levels[place]
    assert limit is not None
    vi, en = _RESPONSES[place]
    return parse_rule(
        {
            "id": name_rule(gauge.sensor, place + 1),
            "title": {
                "vi": f"Báo động {_ROMAN[place]} – {gauge.name}",
                "en": f"Flood alarm level {_ROMAN[place]} – {gauge.name}",
            },
            "event": "flood",
            "level": place + 1,
            "priority": _PRIORITIES[place],
            "target": {"series": gauge.series},
            "conditions": [
                {"kind": "limit", "on": limit, "off": round(limit - DEADBAND_M, 6), "off_delay_s": OFF_DELAY_S}
            ],
            "escalation": list(_LADDERS[place]),
            "parent": None if higher is None else name_rule(gauge.sensor, higher + 1),
            "response": {"vi": vi, "en": en},
            "legal_source": LEGAL_SOURCE,
        }
    )
