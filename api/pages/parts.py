"""What pages are made of: the frame, words in two languages, facts, tables, links."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from api.chart_style import STYLE

PAGE_STYLE = f"""{STYLE}
a{{color:var(--accent)}}.way{{font-size:.9rem;color:var(--soft)}}.plain td,.plain th{{text-align:left}}
.plain td{{white-space:normal;vertical-align:top;min-width:4.5rem}}.plain th{{white-space:normal}}
.plain td:nth-child(2){{min-width:11rem}}td code{{white-space:nowrap}}small{{font-size:.85rem}}
td.number{{text-align:right}}code{{overflow-wrap:anywhere}}
.sketch{{max-height:26rem;background:var(--back);border-radius:8px}}
svg .area{{fill:var(--accent-soft);stroke:var(--accent);stroke-width:1.5}}svg .line{{stroke:var(--accent)}}
svg .dot{{fill:var(--accent);stroke:var(--surface);stroke-width:1}}svg .bar{{stroke:var(--ink);stroke-width:2}}
form{{display:flex;gap:8px;flex-wrap:wrap;margin:12px 0}}input{{font:inherit;padding:6px 10px;border:1px solid
var(--line);border-radius:8px;background:var(--surface);color:inherit;flex:1 1 12rem;min-width:0}}
button{{font:inherit;padding:6px 14px;border:0;border-radius:8px;background:var(--accent);color:var(--surface)}}
.note{{color:var(--soft);font-size:.9rem}}.none{{color:var(--soft)}}ul{{padding-left:1.2rem;margin:.3rem 0}}
@media(max-width:40rem){{main{{padding:10px}}section{{padding:12px;margin:10px 0}}}}
"""


class Shown(NamedTuple):
    """Which page is asked for: address below the server, its query, and what its pattern names."""

    path: str
    query: Mapping[str, str]
    names: Mapping[str, str]

    def link(self, **changes: str | None) -> str:
        """Return the address of this page with other parameters; None takes one away."""
        asked = {**self.query, "f": "html", **changes}
        return f"{quote(self.path)}?{urlencode({key: value for key, value in asked.items() if value is not None})}"

    def link_form(self, form: str) -> str:
        """Return the address of the same in another form."""
        asked = {**self.query, "f": form}
        return f"{quote(self.path)}?{urlencode(asked)}"


def write_page(title: str, body: Iterable[str], way: Sequence[tuple[str, str]] = ()) -> str:
    """Return a page; ``way`` are the pages above it, (address, words) each."""
    steps = [("/api", "API"), *way]
    above = " › ".join(f'<a href="{escape(address)}">{escape(words)}</a>' for address, words in steps)
    return (
        "<!doctype html><html lang='vi'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'><link rel='icon' href='/icon.svg'>"
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}</style></head><body><main>"
        f"<p class='way'><a href='/'>Bản đồ <span lang='en'>Map</span></a> › {above}</p>{''.join(body)}"
        "</main></body></html>"
    )


def both(vi: str, en: str) -> str:
    """Return words in Vietnamese with the English ones beside."""
    same = f" <span class='en' lang='en'>{escape(en)}</span>" if en and en != vi else ""
    return escape(vi) + same


def both_of(texts: Mapping[str, str] | None, other: str = "") -> str:
    """Return a text of the API in both languages, or ``other`` where it has none."""
    return both(texts.get("vi", other), texts.get("en", "")) if texts else escape(other)


def heading(vi: str, en: str, level: int = 2) -> str:
    """Return a heading."""
    return f"<h{level}>{both(vi, en)}</h{level}>"


def section(*parts: str) -> str:
    """Return parts framed as one."""
    return f"<section>{''.join(parts)}</section>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return pairs of a name and what it is, both written already."""
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows) + "</dl>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, plain: bool = True) -> str:
    """Return a table of cells written already; ``plain`` for words, else figures."""
    top = "".join(f"<th>{head}</th>" for head in heads)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    kind = " class='plain'" if plain else ""
    return f"<div class='wide'><table{kind}><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"


def anchor(address: str, words: str) -> str:
    """Return a link whose words are written already."""
    return f'<a href="{escape(address)}">{words}</a>'


def anchor_link(link: Mapping[str, Any]) -> str:
    """Return a link of the API by its title, else by its relation."""
    return anchor(str(link["href"]), escape(str(link.get("title") or str(link["rel"]).rsplit("/", 1)[-1])))


def buttons(links: Iterable[tuple[str, str]], label: str) -> str:
    """Return links in a row, (address, written words) each."""
    return f"<nav aria-label='{escape(label)}'>{''.join(anchor(address, words) for address, words in links)}</nav>"


def show_number(value: float) -> str:
    """Return a number as it is written in Viet Nam: a comma before the decimals."""
    return f"{value:.10g}".replace(".", ",")


def show_value(value: Any) -> str:
    """Return a value of the API as words."""
    if value is None:
        return "<span class='none'>–</span>"
    if isinstance(value, bool):
        return both("có", "yes") if value else both("không", "no")
    if isinstance(value, int | float):
        return show_number(value)
    return escape(str(value))
