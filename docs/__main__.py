"""``python -m docs``: write the reference pages that follow from the declarations."""

import sys
from collections.abc import Mapping
from pathlib import Path

from docs.commands import describe_commands
from docs.conformance import describe_conformance
from docs.dashboard import write_dashboard
from docs.formats import describe_formats
from layers.registry import LAYERS, THEMES
from layers.schema import Layer, Property, VectorLayer
from twin.process import describe_inputs
from twin.registry import PROCESSES
from twin.settings import ROOT, Settings

FOLDER = Path(__file__).resolve().parent / "reference"


def build_pages() -> dict[str, str]:
    """Return file name → Markdown of every derived page."""
    return {
        "layers.md": describe_layers(),
        "settings.md": describe_settings(),
        "processes.md": describe_processes(),
        "commands.md": describe_commands(),
        "formats.md": describe_formats(),
    }


def describe_layers() -> str:
    """Return the page of all layers with their properties, units and codes."""
    parts = ["# Layers", "", "Derived from `layers/types/`; run `make docs` after a change.", ""]
    for theme in THEMES:
        parts += [f"## {theme.title.vi} — {theme.title.en}", ""]
        for layer in (layer for layer in LAYERS.values() if layer.theme == theme.id):
            parts += describe_layer(layer)
    return "\n".join(parts).rstrip() + "\n"


def describe_layer(layer: Layer) -> list[str]:
    """Return the lines of one layer."""
    lines = [
        f"### `{layer.id}` — {layer.title.vi} · {layer.title.en}",
        "",
        f"{layer.description.vi} {layer.description.en}",
        "",
    ]
    if not isinstance(layer, VectorLayer):
        return [*lines, f"Raster of {layer.quantity}.", ""]
    lines += [f"Geometry: {layer.geometry}.", ""]
    if layer.words:
        lines += [f"Other standards: {list_words(layer.words)}.", ""]
    lines += ["| property | title | type | unit | values | other standards |", "|---|---|---|---|---|---|"]
    return [*lines, *(describe_property(prop) for prop in layer.properties), ""]


def describe_property(prop: Property) -> str:
    """Return the table row of one property."""
    kind = prop.type + (", required" if prop.required else "")
    codes = ", ".join(
        f"`{code.value}` {code.title.vi}" + (f" ({list_words(code.words)})" if code.words else "")
        for code in prop.codes
    )
    title = f"{prop.title.vi} · {prop.title.en}"
    return f"| `{prop.name}` | {title} | {kind} | {prop.unit or ''} | {codes} | {list_words(prop.words)} |"


def list_words(words: Mapping[str, str]) -> str:
    """Return the words of other standards as one phrase, in the order of the standards."""
    return "; ".join(f"{standard} {names.replace('|', ', ')}" for standard, names in sorted(words.items()))


def describe_settings() -> str:
    """Return the page of all deployment settings."""
    lines = [
        "# Settings",
        "",
        "Read once from the environment or `.env`.",
        "",
        "| setting | default | what |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default).replace(f"{ROOT}/", "")
        lines.append(f"| `TWIN_{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |")
    return "\n".join(lines) + "\n"


def describe_processes() -> str:
    """Return the page of all processes with their inputs."""
    lines = ["# Processes", "", "Run with `twin run ID --input name=value` or `POST /api/processes/ID/execution`.", ""]
    for process in PROCESSES.values():
        lines += [f"## `{process.id}` — {process.title.vi} · {process.title.en}", "", process.description.vi, ""]
        lines += [process.description.en, "", "| input | what | unit | range | default |", "|---|---|---|---|---|"]
        for name, found in describe_inputs(process).items():
            title, says, schema = found["title_i18n"], found["description_i18n"], found["schema"]
            default = schema.get("default")
            shown = "" if default in (None, []) else f"`{default}`"
            what = f"**{title['vi']} · {title['en']}.** {says['vi']} {says['en']}"
            low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
            span = ", ".join(schema.get("enum", ())) if high is None else f"{low} to {high}"
            lines.append(f"| `{name}` | {what} | {schema.get('x-unit', '')} | {span} | {shown} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in build_pages().items():
        (FOLDER / name).write_text(page, encoding="utf-8")
    (FOLDER.parent / "conformance.md").write_text(describe_conformance(), encoding="utf-8")
    write_dashboard()
    return 0


if __name__ == "__main__":
    sys.exit(main())
