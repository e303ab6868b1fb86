"""Legends of vector and raster layers: data, picture and drawing say the same."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.styles.colors import Mode
from api.styles.legend_svg import write_legend_svg
from api.styles.legends import draw_legend_picture, lay_out_legend
from api.styles.style import build_legend
from layers.registry import LAYERS
from layers.schema import RasterLayer, VectorLayer

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_picture_and_drawing_hold_every_entry(layer: VectorLayer | RasterLayer) -> None:
    modes: tuple[Mode, ...] = ("light", "dark", "print")
    for mode in modes:
        legend = lay_out_legend(layer, lang="en", mode=mode)
        assert len(legend.entries) == len(build_legend(layer))
        picture = Image.open(io.BytesIO(draw_legend_picture(layer, lang="en", mode=mode)))
        assert picture.size == (legend.width, legend.height)
        drawing = ElementTree.fromstring(write_legend_svg(layer, lang="en", mode=mode))
        words = [text.text for text in drawing.iter(f"{SVG}text")]
        assert words == [legend.title, *(entry.label for entry in legend.entries)]


def test_a_picture_shows_the_declared_colours() -> None:
    for layer_id in ("land_use", "water_pipes", "land_cover"):
        layer = LAYERS[layer_id]
        pixels = np.asarray(Image.open(io.BytesIO(draw_legend_picture(layer)))).reshape(-1, 3)
        for entry in build_legend(layer):
            color = [int(entry["color"][place : place + 2], 16) for place in (1, 3, 5)]
            assert (pixels == color).all(axis=1).sum() > 10, (layer_id, entry)


def test_a_legend_is_served_in_three_forms(client: TestClient) -> None:
    data = client.get("/api/collections/hydrants/legend").json()
    assert data["title"]["vi"] == "Trụ nước chữa cháy"
    assert [entry["icon"] for entry in data["legend"]] == ["hydrant"] * 3
    raster = client.get("/api/collections/flood_depth_max/legend").json()
    assert (raster["unit"], raster["stepped"], len(raster["legend"])) == ("m", False, 6)
    picture = client.get("/api/collections/hydrants/legend?f=png&scale=2&style=print&lang=en")
    assert picture.headers["content-type"] == "image/png"
    small = Image.open(io.BytesIO(client.get("/api/collections/hydrants/legend?f=png&style=print&lang=en").content))
    assert Image.open(io.BytesIO(picture.content)).size == (2 * small.width, 2 * small.height)
    again = client.get("/api/collections/hydrants/legend?f=png", headers={"if-none-match": "*"})
    assert again.status_code == 304
    drawn = client.get("/api/collections/terrain/legend?f=svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")


@pytest.mark.parametrize("query", ["f=gif", "lang=fr", "style=sepia", "scale=0", "scale=5", "scale=a", "colour=red"])
def test_a_wrong_parameter_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/collections/hydrants/legend?{query}").status_code == 400


def test_a_run_s_raster_has_the_legend_of_its_layer(client: TestClient) -> None:
    runs = client.get("/api/runs").json()["runs"]
    run_id = next(run["id"] for run in runs if run["status"] == "successful")
    own = client.get(f"/api/collections/{run_id}.flood_depth/legend").json()
    assert own == client.get("/api/collections/flood_depth/legend").json()
    assert client.get("/api/collections/nothing/legend").status_code == 404
