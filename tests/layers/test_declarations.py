"""Contracts over the registry: what must hold for every declared layer."""

import dataclasses
import re

import pytest

from layers.errors import DeclarationError, NotFoundError
from layers.registry import LAYERS, RASTER_LAYERS, THEMES, VECTOR_LAYERS, read_raster_layer, read_vector_layer
from layers.schema import Code, Property, RasterLayer, Style, Text, VectorLayer, text

COLOR = re.compile(r"^#([0-9a-f]{6}|[0-9a-f]{8})$")


def texts_of(value: object) -> list[Text]:
    """Return every Text below a declaration."""
    if isinstance(value, Text):
        return [value]
    if isinstance(value, tuple):
        return [found for part in value for found in texts_of(part)]
    if dataclasses.is_dataclass(value):
        return [found for field in dataclasses.fields(value) for found in texts_of(getattr(value, field.name))]
    return []


def test_the_themes_are_there() -> None:
    themes = {layer.theme for layer in LAYERS.values()}
    wanted = {"land", "buildings", "drainage", "lighting", "trees", "transport", "sensors", "places", "admin", "flood"}
    wanted |= {"water_supply", "power", "telecom", "waste", "parking", "fire", "environment", "planning", "addresses"}
    assert wanted <= themes
    assert themes == {theme.id for theme in THEMES}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda layer: layer.id)
def test_every_text_is_said_in_both_languages(layer: VectorLayer | RasterLayer) -> None:
    for words in texts_of(layer):
        assert words.vi.strip() and words.en.strip(), f"{layer.id}: {words}"


@pytest.mark.parametrize("layer", VECTOR_LAYERS.values(), ids=lambda layer: layer.id)
def test_colours_are_colours_and_coded_styles_have_one_each(layer: VectorLayer) -> None:
    style = layer.style
    for color in (style.color, style.outline, *(color for _, color in style.classes)):
        assert color is None or COLOR.match(color), f"{layer.id}: {color}"
    if style.classes:
        graded = layer.find(layer.classed_by) if layer.classed_by else None
        assert graded and graded.type in ("integer", "number"), f"{layer.id}: no number that its classes colour"
    elif style.by is not None:
        codes = layer.find(style.by).codes  # type: ignore[union-attr]
        assert codes and all(code.color and COLOR.match(code.color) for code in codes), layer.id


@pytest.mark.parametrize("layer", VECTOR_LAYERS.values(), ids=lambda layer: layer.id)
def test_tiles_carry_what_the_style_needs(layer: VectorLayer) -> None:
    needed = {layer.style.by, layer.style.label, layer.style.height} - {None}
    assert needed <= set(layer.tile_properties)


@pytest.mark.parametrize("layer", RASTER_LAYERS.values(), ids=lambda layer: layer.id)
def test_ramps_are_eight_digit_colours(layer: RasterLayer) -> None:
    assert all(re.fullmatch(r"#[0-9a-f]{8}", color) for _, color in layer.ramp)


def test_ranks_order_drawing_without_ties() -> None:
    ranks = [layer.rank for layer in LAYERS.values()]
    assert len(ranks) == len(set(ranks))


def test_an_unknown_layer_is_named_with_those_that_are_alike() -> None:
    with pytest.raises(NotFoundError, match=r"'bulidings' is not declared — did you mean buildings"):
        read_vector_layer("bulidings")
    with pytest.raises(NotFoundError, match="'depth'"):
        read_raster_layer("depth")


def test_contradicting_declarations_are_refused() -> None:
    name = text("name", "Tên", "Name")
    with pytest.raises(DeclarationError, match="'fid' is reserved"):
        text("fid", "x", "x")
    with pytest.raises(DeclarationError, match="unknown quantity 'weight'"):
        Property("load", Text("x", "x"), "number", "weight")
    with pytest.raises(DeclarationError, match="lists a code twice"):
        Property("kind", Text("x", "x"), codes=(Code("a", Text("x", "x")), Code("a", Text("y", "y"))))
    with pytest.raises(DeclarationError, match="style of layer 'things' uses 'kind'"):
        VectorLayer("things", "t", Text("x", "x"), Text("x", "x"), "Point", (name,), Style("#ffffff", by="kind"), 1)
    with pytest.raises(DeclarationError, match="does not ascend"):
        RasterLayer("r", "t", Text("x", "x"), Text("x", "x"), "depth", ((1.0, "#ffffffff"), (0.0, "#ffffffff")), 1)
