"""Mappings are strict: every word that does not fit is named."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.errors import MappingError
from layers.ingest.mapping import PACKAGED, read_mapping

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
WriteMapping = Callable[[str], str]


@pytest.mark.parametrize(
    "path", [*sorted(PACKAGED.glob("*.yml")), *sorted(MAPPINGS.glob("*.yml"))], ids=lambda p: p.stem
)
def test_every_mapping_we_keep_is_valid(path: Path) -> None:
    assert read_mapping(path).layers


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("layers: [{layer: trees, colour: red}]", "colour"),
        ("layers: [{layer: shrubs}]", "layer 'shrubs' is not declared"),
        ("layers: [{layer: trees, properties: {colour: c}}]", "has no property 'colour'"),
        ("layers: [{layer: trees, set: {colour: red}}]", "has no property 'colour'"),
        ("layers: [{layer: trees, properties: {condition: {column: c, codes: {a: rotten}}}}]", "'rotten' is no code"),
        ("layers: [{layer: trees, properties: {height: {column: h, unit: furlong}}}]", "unit 'furlong' is not known"),
        ("layers: [{layer: trees, properties: {height: {column: h, unit: ha}}}]", "measure different things"),
        ("layers: [{layer: trees, properties: {species: {column: s, unit: m}}}]", "measures nothing"),
        ("layers: [{layer: trees, properties: {species: {column: s, date: [iso]}}}]", "date rules on a string"),
        ("layers: [{layer: trees, properties: {species: {column: s, pattern: '('}}}]", "not a regular expression"),
        ("layers: [{layer: trees, properties: {species: {column: s, columns: [t]}}}]", "not both"),
        ("layers: [{layer: trees, geometry: {x: lon}}]", "belong together"),
        ("layers: [{layer: trees, geometry: {square: 5}}]", "makes areas"),
        ("layers: [{layer: buildings, geometry: {as: point}}]", "makes points"),
        ("layers: [{layer: trees, set: {species: a}, properties: {species: b}}]", "both set and mapped"),
        ("layers: []", "layers"),
        ("layers: [", "is not YAML"),
        ("- 1", "document"),
    ],
)
def test_what_does_not_fit_is_named(write_mapping: WriteMapping, words: str, named: str) -> None:
    with pytest.raises(MappingError, match=r"mapping\.yml") as caught:
        read_mapping(Path(write_mapping(words)))
    assert named in str(caught.value)


def test_missing_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"gone\.yml does not exist"):
        read_mapping(tmp_path / "gone.yml")


def test_yes_no_dates_and_numbers_stay_words(write_mapping: WriteMapping) -> None:
    words = (
        "layers: [{layer: road_links, where: {oneway: [no, 1]}, set: {road_class: other}, properties: "
        "{oneway: {column: oneway, codes: {yes: forward, no: no, -1: backward}}}},"
        "{layer: trees, properties: {planted: {column: d, drop_dates: [1753-01-01]}}}]"
    )
    roads, trees = read_mapping(Path(write_mapping(words))).layers
    assert roads.where[0]["oneway"].any_of == ("no", "1")
    assert roads.properties["oneway"].codes == {"yes": "forward", "no": "no", "-1": "backward"}
    assert trees.properties["planted"].drop_dates == ("1753-01-01",)


def test_the_example_of_the_guide_is_valid(tmp_path: Path) -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "example.yml"
    path.write_text(example, encoding="utf-8")
    (rule,) = read_mapping(path).layers
    assert rule.properties["invert_elevation"].nodata == (9999, -99)
    assert rule.geometry.columns == ("Y", "X")


def test_a_place_has_one_source(write_mapping: Callable[[str], str]) -> None:
    words = "layers: [{layer: stops, geometry: {xy: a, wkt: b}}]"
    with pytest.raises(MappingError, match="only one of them"):
        read_mapping(Path(write_mapping(words)))
