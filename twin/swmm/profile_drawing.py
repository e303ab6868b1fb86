"""A long profile as a picture (SVG): ground, manholes, pipes, water and what floods, as drainage engineers draw it."""

from html import escape

import numpy as np

from twin.swmm.profile import Profile, Reach, Station

WIDTH, HEIGHT = 1200.0, 700.0
LEFT, RIGHT, TOP, BOTTOM = 76.0, 30.0, 74.0, 224.0
MANHOLE_HALF = 4.0
"""Half the drawn width of a manhole [px]."""

LABEL_GAP = 15.0
"""Names of manholes stand at least so far apart [px]; those between are left out."""

_STYLE = """
text{font:12px 'Be Vietnam Pro','Noto Sans',Arial,sans-serif;fill:#2a2f36}
.title{font-size:17px;font-weight:600}.small{font-size:11px;fill:#5a626d}.row{font-size:11px}
.grid{stroke:#e3e7ec;stroke-width:1}.frame{fill:none;stroke:#8a929c;stroke-width:1}
.ground{fill:none;stroke:#7a5b32;stroke-width:2}.soil{fill:#efe6d8}
.pipe{fill:#ffffff;stroke:#4a5563;stroke-width:1.4}.pipe.full{fill:#fde3cf;stroke:#d8632a;stroke-width:1.8}
.device{stroke:#4a5563;stroke-width:2;stroke-dasharray:4 3}
.water{fill:#4da3dd;fill-opacity:.55}.hgl{fill:none;stroke:#c2261d;stroke-width:2}
.now{fill:none;stroke:#1f6fb2;stroke-width:2;stroke-dasharray:7 4}
.manhole{fill:#ffffff;stroke:#4a5563;stroke-width:1.4}.flooded{fill:#b3202e}
"""


def draw_profile(profile: Profile, *, title: str, moment: str | None = None) -> str:
    """Return the profile as an SVG document; ``moment``: the words for the time of the dashed line."""
    scale = _Scale(profile)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#ffffff"/>',
        f'<text class="title" x="{LEFT:g}" y="26">{escape(title)}</text>',
        _draw_legend(profile, moment),
        *_draw_grid(scale),
        _draw_soil(profile, scale),
        *(_draw_reach(reach, scale) for reach in profile.reaches),
        *(_draw_manhole(station, scale) for station in profile.stations),
        _draw_ground(profile, scale),
        _draw_level(profile, scale, "max"),
        _draw_level(profile, scale, "now") if profile.at is not None else "",
        *(_draw_flooding(station, scale) for station in profile.stations if station.flooded),
        *_draw_table(profile, scale),
        f'<rect class="frame" x="{LEFT:g}" y="{TOP:g}" width="{WIDTH - LEFT - RIGHT:g}" '
        f'height="{HEIGHT - TOP - BOTTOM:g}"/></svg>',
    ]
    return "".join(parts)


class _Scale:
    """From distances and elevations [m] to places on the picture [px]."""

    def __init__(self, profile: Profile) -> None:
        levels = [station.invert for station in profile.stations]
        levels += [value for s in profile.stations for value in (s.rim, s.max_head) if value is not None]
        levels += [
            value
            for r in profile.reaches
            for value in (r.start_bed, r.end_bed, r.start_crown, r.end_crown)
            if value is not None
        ]
        low, high = min(levels), max(levels)
        margin = max(0.08 * (high - low), 0.3)
        self.low, self.high = low - margin, high + margin
        self.length = max(profile.length, 1.0)

    def x(self, distance: float) -> float:
        return LEFT + distance / self.length * (WIDTH - LEFT - RIGHT)

    def y(self, level: float) -> float:
        inside = min(max(level, self.low), self.high)
        return HEIGHT - BOTTOM - (inside - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def points(self, pairs: list[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(distance):.1f},{self.y(level):.1f}" for distance, level in pairs)


def _choose_step(span: float, count: int) -> float:
    raw = max(span, 1.0e-6) / count
    size = 10.0 ** np.floor(np.log10(raw))
    return float(size * next(m for m in (1.0, 2.0, 5.0, 10.0) if m * size >= raw))


def _draw_grid(scale: _Scale) -> list[str]:
    parts, step = [], _choose_step(scale.high - scale.low, 8)
    digits = max(0, -int(np.floor(np.log10(step))))
    for level in np.arange(np.ceil(scale.low / step) * step, scale.high, step):
        y, words = scale.y(float(level)), _write(float(level), digits)
        parts.append(f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="small" x="{LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end">{words}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2.0
    parts.append(
        f'<text class="small" x="20" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 20 {middle:.0f})">'
        "Cao độ, m · elevation</text>"
    )
    return parts


def _draw_legend(profile: Profile, moment: str | None) -> str:
    entries = [
        ('<line class="ground" x1="0" x2="26" y1="0" y2="0"/>', "Mặt đất · ground"),
        ('<rect class="pipe" x="0" y="-5" width="26" height="10"/>', "Cống · pipe"),
        ('<rect class="pipe full" x="0" y="-5" width="26" height="10"/>', "Cống đầy · full"),
        ('<line class="hgl" x1="0" x2="26" y1="0" y2="0"/>', "Mực nước cao nhất · highest HGL"),
    ]
    if profile.at is not None:
        entries.append(('<line class="now" x1="0" x2="26" y1="0" y2="0"/>', f"Mực nước lúc · HGL at {moment or ''}"))
    if any(station.flooded for station in profile.stations):
        entries.append(('<path class="flooded" d="M13 -6l6 10h-12z"/>', "Tràn · floods"))
    parts, x = [], LEFT
    for mark, words in entries:
        parts.append(f'<g transform="translate({x:.0f} 50)">{mark}<text x="33" y="4">{escape(words)}</text></g>')
        x += 52.0 + 6.9 * len(words)
    return "".join(parts)


def _draw_soil(profile: Profile, scale: _Scale) -> str:
    """Return the ground as an area; at an outfall, which has none, it ends at the crown of its pipe."""
    crowns = {reach.end: reach.end_crown for reach in profile.reaches}
    crowns |= {reach.start: reach.start_crown for reach in profile.reaches[:1]}
    tops = [(s.distance, crowns.get(s.distance) if s.rim is None else s.rim) for s in profile.stations]
    line = [(distance, top) for distance, top in tops if top is not None]
    if not line:
        return ""
    ends = [(line[-1][0], scale.low), (line[0][0], scale.low)]
    return f'<polygon class="soil" points="{scale.points([*line, *ends])}"/>'


def _draw_ground(profile: Profile, scale: _Scale) -> str:
    line = _list_ground(profile)
    return f'<polyline class="ground" points="{scale.points(line)}"/>' if line else ""


def _list_ground(profile: Profile) -> list[tuple[float, float]]:
    """Return distances and rims of the stations that have one."""
    return [(station.distance, station.rim) for station in profile.stations if station.rim is not None]


def _draw_reach(reach: Reach, scale: _Scale) -> str:
    ends = [(reach.start, reach.start_bed), (reach.end, reach.end_bed)]
    if reach.start_crown is None or reach.end_crown is None:
        return f'<polyline class="device" points="{scale.points(ends)}"><title>{_tell(reach)}</title></polyline>'
    outline = [*ends, (reach.end, reach.end_crown), (reach.start, reach.start_crown)]
    kind = "pipe full" if reach.full else "pipe"
    tops = [
        (reach.end, min(reach.end_max_head, reach.end_crown)),
        (reach.start, min(reach.start_max_head, reach.start_crown)),
    ]
    return (
        f'<polygon class="{kind}" points="{scale.points(outline)}"><title>{_tell(reach)}</title></polygon>'
        f'<polygon class="water" points="{scale.points([*ends, *tops])}"/>'
    )


def _tell(reach: Reach) -> str:
    hours = _write(reach.full_time / 3600.0, 2)
    return escape(f"{reach.id}: Qmax {_write(reach.max_flow, 3)} m³/s, đầy · full {hours} h")


def _draw_manhole(station: Station, scale: _Scale) -> str:
    x, top = scale.x(station.distance), station.rim if station.rim is not None else station.max_head
    y, base = scale.y(top), scale.y(station.invert)
    level = scale.y(min(station.max_head, top))
    box = f'x="{x - MANHOLE_HALF:.1f}" width="{2 * MANHOLE_HALF:g}"'
    told = escape(f"{station.id}: {_write(station.max_head, 2)} m")
    return (
        f'<rect class="manhole" {box} y="{y:.1f}" height="{max(base - y, 1.0):.1f}"><title>{told}</title></rect>'
        f'<rect class="water" {box} y="{level:.1f}" height="{max(base - level, 0.0):.1f}"/>'
    )


def _draw_level(profile: Profile, scale: _Scale, which: str) -> str:
    """Return the hydraulic grade line: highest (``max``) or at the asked time (``now``), pipe by pipe."""
    line: list[tuple[float, float]] = []
    for reach in profile.reaches:
        start, end = (
            (reach.start_max_head, reach.end_max_head) if which == "max" else (reach.start_head, reach.end_head)
        )
        if start is not None and end is not None:
            line += [(reach.start, start), (reach.end, end)]
    return f'<polyline class="{"hgl" if which == "max" else "now"}" points="{scale.points(line)}"/>'


def _draw_flooding(station: Station, scale: _Scale) -> str:
    x, y = scale.x(station.distance), scale.y(station.rim if station.rim is not None else station.max_head)
    volume = _write(station.flooding_volume, 0 if station.flooding_volume >= 10.0 else 1)
    anchor = "start" if x < LEFT + 30.0 else "end" if x > WIDTH - RIGHT - 30.0 else "middle"
    return (
        f'<path class="flooded" d="M{x:.1f} {y - 15:.1f}l6 10h-12z"/>'
        f'<text class="small" x="{x:.1f}" y="{y - 19:.1f}" text-anchor="{anchor}">{volume} m³</text>'
    )


def _draw_table(profile: Profile, scale: _Scale) -> list[str]:
    """Return names, rims, levels and inverts below the picture, standing; crowded ones are left out."""
    top = HEIGHT - BOTTOM
    rows = (("Nút", 72.0), ("Mặt đất", 122.0), ("Mực nước", 170.0), ("Đáy", 218.0))
    parts = [
        f'<text class="small" x="{LEFT - 12:g}" y="{top + down - 16:.0f}" text-anchor="end">{words}</text>'
        f'<line class="grid" x1="8" x2="{WIDTH - 8:g}" y1="{top + down + 3:.0f}" y2="{top + down + 3:.0f}"/>'
        for words, down in rows
    ]
    parts.append(
        f'<text class="small" x="{WIDTH - RIGHT:g}" y="26" text-anchor="end">'
        f"Chiều dài · length {_write(profile.length, 1)} m</text>"
    )
    end, last = scale.x(profile.stations[-1].distance), -np.inf
    for place, station in enumerate(profile.stations):
        x = scale.x(station.distance)
        is_end = place == len(profile.stations) - 1
        if not is_end and (x - last < LABEL_GAP or end - x < LABEL_GAP):
            continue
        last = x
        values = (
            station.id if len(station.id) <= 10 else f"…{station.id[-9:]}",
            "–" if station.rim is None else _write(station.rim, 2),
            _write(station.max_head, 2),
            _write(station.invert, 2),
        )
        for (_, down), words in zip(rows, values, strict=True):
            place_words = f"translate({x + 4:.1f} {top + down:.0f}) rotate(-90)"
            parts.append(f'<text class="row" transform="{place_words}">{escape(words)}</text>')
    return parts


def _write(value: float, digits: int) -> str:
    """Return a number as Vietnamese writes it: with a comma."""
    return f"{value:.{digits}f}".replace(".", ",").replace("-", "−")
