"""The look of pages that the server draws itself: the viewer's colours, light and dark, from phone to desktop."""

STYLE = """
:root{color-scheme:light dark;--ink:#0f2a3d;--text:#17303f;--soft:#5a6f7d;--surface:#fff;--back:#f3f6f8;
--line:#dde5ea;--accent:#0f7ea8;--accent-soft:#cfe6f0;--now:#d9480f;--danger:#b42323;--good:#23805a}
@media(prefers-color-scheme:dark){:root{--ink:#e4edf3;--text:#e4edf3;--soft:#9bb0be;--surface:#16222d;--back:#0b1620;
--line:#2d3f4e;--accent:#4db4dc;--accent-soft:#1d4356;--now:#ff8a4c;--danger:#ff9a92;--good:#5fd0a0}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 "Be Vietnam Pro",system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:16px}
h1{font-size:1.5rem;color:var(--ink);margin:.5rem 0 0}h2{font-size:1.1rem;color:var(--ink);margin:0 0 .25rem}
.en{color:var(--soft);font-weight:400;font-size:.9em}
section{background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:16px;margin:16px 0}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:16px}.two section{margin:0}
nav{display:flex;flex-wrap:wrap;gap:8px;margin:12px 0}
@media(max-width:40rem){nav{flex-wrap:nowrap;overflow-x:auto;padding-bottom:6px}nav a{white-space:nowrap}
dl{grid-template-columns:1fr!important}dd{margin:0 0 6px!important}.wide svg{min-width:36rem}}
nav a{padding:6px 12px;border:1px solid var(--line);border-radius:999px;background:var(--surface);color:var(--accent);
text-decoration:none}nav a[aria-current]{background:var(--accent);border-color:var(--accent);color:var(--surface)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:4px 8px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:500;vertical-align:bottom}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}dt{color:var(--soft)}dd{margin:0}
svg{width:100%;height:auto;display:block}svg path{fill:none;stroke-width:2}
.grid{stroke:var(--line);stroke-width:1}.tick{fill:var(--soft);font-size:12px}.end{text-anchor:end}
.middle{text-anchor:middle}.level{stroke:var(--danger);stroke-dasharray:5 4}.level-name{fill:var(--danger)}
.forecast{stroke:var(--accent)}circle.forecast{fill:var(--accent)}.measured{stroke:var(--ink)}
.persistence{stroke:var(--now)}circle.persistence{fill:var(--now)}.tide{stroke:var(--good)}circle.tide{fill:var(--good)}
.earlier{stroke:var(--accent);stroke-width:1.2!important;opacity:.55}.ideal{stroke:var(--soft);stroke-dasharray:4 4}
.band{fill:var(--accent-soft);opacity:.75;stroke:none}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.85rem;color:var(--soft);margin:4px 0 0}
.key span::before{content:"";display:inline-block;width:18px;height:3px;margin-right:6px;vertical-align:middle;
background:currentColor}.k-forecast{color:var(--accent)}.k-measured{color:var(--ink)}.k-persistence{color:var(--now)}
.k-tide{color:var(--good)}.k-ideal{color:var(--soft)}.late{color:var(--danger);font-weight:600}
"""
