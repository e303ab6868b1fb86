"""The time-space diagram of a green wave, as SVG: signals over time, bands in both directions."""

from html import escape

import numpy as np

from network.signals_progression import GreenWave
from twin.roads.signal_corridor import Corridor

WIDTH, LEFT, TOP, BOTTOM = 960.0, 190.0, 64.0, 56.0
_CYCLES = 3.0
_GREEN, _RED, _OUT, _BACK = "#2e7d32", "#c62828", "#1565c0", "#ef6c00"


def draw_diagram(corridor: Corridor, wave: GreenWave, greens: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    """Return the diagram as SVG text.

    greens: green of the street at each signal [s] (signals,). Time runs to the right over three cycles, the street
    upwards from its first signal.
    """
    height = max(240.0, 70.0 * len(corridor.ids))
    span = _CYCLES * wave.cycle
    reach = float(corridor.distances[-1])

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - 24.0) * seconds / span

    def y(metres: float) -> float:
        return TOP + height * (1.0 - metres / reach)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {TOP + height + BOTTOM:g}" '
        f'font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(corridor.street)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<clipPath id="frame"><rect x="{LEFT:g}" y="{TOP - 8:g}" width="{WIDTH - LEFT - 24:g}" '
        f'height="{height + 16:g}"/></clipPath>',
        f'<text x="{LEFT:g}" y="22" font-size="15" font-weight="bold">{escape(corridor.street)}: làn sóng xanh · green '
        f"wave</text>",
        f'<text x="{LEFT:g}" y="42" fill="#444">chu kỳ · cycle {wave.cycle:.0f} s — '
        f'<tspan fill="{_OUT}">dải xuôi · band out {wave.outbound_band:.0f} s</tspan> — '
        f'<tspan fill="{_BACK}">dải ngược · band back {wave.inbound_band:.0f} s</tspan></text>',
        '<g clip-path="url(#frame)">',
    ]
    for starts, band, color in (
        (wave.outbound_starts, wave.outbound_band, _OUT),
        (wave.inbound_starts, wave.inbound_band, _BACK),
    ):
        if band <= 0.0:
            continue
        first = float(np.floor(starts.min() / wave.cycle)) * wave.cycle
        for number in range(-1, int(_CYCLES) + 2):
            shift = number * wave.cycle - first
            ends = [(x(t + shift), y(d)) for t, d in zip(starts.tolist(), corridor.distances.tolist(), strict=True)]
            back = [
                (x(t + shift + band), y(d)) for t, d in zip(starts.tolist(), corridor.distances.tolist(), strict=True)
            ]
            around = " ".join(f"{a:.1f},{b:.1f}" for a, b in [*ends, *reversed(back)])
            parts.append(f'<polygon points="{around}" fill="{color}" fill-opacity="0.18" stroke="{color}"/>')
    for place, distance in enumerate(corridor.distances.tolist()):
        line = y(distance)
        parts.append(f'<line x1="{x(0):.1f}" x2="{x(span):.1f}" y1="{line:.1f}" y2="{line:.1f}" stroke="{_RED}" '
                     'stroke-width="5"/>')  # fmt: skip
        for number in range(-1, int(_CYCLES) + 1):
            begin = float(wave.offsets[place]) + number * wave.cycle
            parts.append(
                f'<line x1="{x(begin):.1f}" x2="{x(begin + float(greens[place])):.1f}" y1="{line:.1f}" y2="{line:.1f}" '
                f'stroke="{_GREEN}" stroke-width="7"/>'
            )
    parts.append("</g>")
    for place, distance in enumerate(corridor.distances.tolist()):
        name = corridor.names[place] or corridor.ids[place]
        told = name if len(name) <= 24 else f"{name[:23]}…"
        parts.append(
            f'<text x="{LEFT - 10:g}" y="{y(distance) - 2:.1f}" text-anchor="end">{place + 1}. {escape(told)}</text>'
            f'<text x="{LEFT - 10:g}" y="{y(distance) + 12:.1f}" text-anchor="end" fill="#666">{distance:,.0f} m, '
            f"{float(wave.offsets[place]):.0f} s</text>"
        )
    foot = TOP + height + 14.0
    step = 20.0 if span <= 300.0 else 60.0
    for seconds in np.arange(0.0, span + 1e-6, step).tolist():
        parts.append(
            f'<line x1="{x(seconds):.1f}" x2="{x(seconds):.1f}" y1="{foot:g}" y2="{foot + 5:g}" stroke="#444"/>'
            f'<text x="{x(seconds):.1f}" y="{foot + 20:g}" text-anchor="middle" fill="#444">{seconds:g}</text>'
        )
    parts.append(f'<text x="{LEFT - 10:g}" y="{foot + 20:g}" text-anchor="end" fill="#444">giây · s</text></svg>')
    return "\n".join(parts)
