"""QGIS opens the WMS and the WMTS of a running twin, draws them and identifies a value.

For the Python of QGIS: ``QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/clients/qgis_wms.py http://127.0.0.1:8000``.
Exit code 0 when all of it works, else 1 with what did not.
"""

import json
import os
import re
import sys
import tempfile
import urllib.request
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRaster,
    QgsRasterLayer,
    QgsRectangle,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

SIZE = 400


def main(base: str) -> int:
    faults: list[str] = []
    with urllib.request.urlopen(f"{base}/api/catalog") as answer:
        west, south, east, north = json.load(answer)["city"]["bounds"]
    degrees = QgsCoordinateReferenceSystem("OGC:CRS84")
    box = QgsRectangle(west, south, east, north)
    place = QgsPointXY((west + east) / 2.0, (south + north) / 2.0)
    with urllib.request.urlopen(f"{base}/tiles/raster/terrain/point?lon={place.x()}&lat={place.y()}") as answer:
        value = json.load(answer)["values"][0]
    sources = {
        f"WMS in {crs}": f"crs={crs}&format=image/png&layers=terrain&styles=default&url={base}/wms"
        for crs in ("EPSG:3857", "EPSG:4326", "EPSG:9210")
    }
    sources["WMTS"] = (
        "crs=EPSG:3857&format=image/png&layers=terrain&styles=default&tileMatrixSet=WebMercatorQuad"
        f"&url={base}/wmts/1.0.0/WMTSCapabilities.xml"
    )
    for name, source in sources.items():
        layer = QgsRasterLayer(source, name, "wms")
        if not layer.isValid():
            faults.append(f"{name}: not valid: {layer.error().message()}")
            continue
        transform = QgsCoordinateTransform(degrees, layer.crs(), QgsProject.instance())
        extent = transform.transformBoundingBox(box)
        picture = draw(layer, extent)
        coloured = sum(
            picture.pixelColor(x, y) != QColor("white") for x in range(0, SIZE, 7) for y in range(0, SIZE, 7)
        )
        if coloured < 1000:
            faults.append(f"{name}: only {coloured} of 3364 pixels are drawn")
        there = transform.transform(place)
        found = identify(layer, there)
        print(f"{name}: {coloured} of 3364 pixels drawn, identified: {found[:200]!r}")
        numbers = [float(word) for word in re.findall(r"-?[0-9]+\.[0-9]+", found)]
        if not any(abs(number - value) <= 0.0005 for number in numbers):
            faults.append(f"{name}: identified {found[:200]!r}, expected {value}")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def draw(layer: QgsRasterLayer, extent: QgsRectangle):
    """Return ``layer`` as QGIS draws it on white."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(extent)
    settings.setOutputSize(QSize(SIZE, SIZE))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def identify(layer: QgsRasterLayer, place: QgsPointXY) -> str:
    """Return what QGIS is told of ``place``, in the first of its ways that gives something."""
    metre = 1.0 if layer.crs().mapUnits() == QgsUnitTypes.DistanceMeters else 1.0 / 111_000.0
    extent = QgsRectangle.fromCenterAndSize(place, SIZE * metre * 0.5, SIZE * metre * 0.5)
    for way in (QgsRaster.IdentifyFormatFeature, QgsRaster.IdentifyFormatText, QgsRaster.IdentifyFormatHtml):
        found = layer.dataProvider().identify(place, way, extent, SIZE, SIZE)
        if found.isValid() and found.results():
            return " ".join(write(result) for result in found.results().values())
    return ""


def write(result) -> str:
    """Return the attributes of identified features, or the text."""
    if isinstance(result, str):
        return result
    return " ".join(
        f"{feature.attributes()}" for store in result for feature in store.features()
    )  # fmt: skip


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.setPrefixPath("/usr", True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("QGIS_CUSTOM_CONFIG_PATH", str(Path(folder)))
        application.initQgis()
        code = main(sys.argv[1].rstrip("/"))
    sys.stdout.flush()
    sys.stderr.flush()
    # The teardown of QGIS without a display is not the twin's.
    os._exit(code)
