"""QGIS opens collections of a running twin, filters them on the server, draws its vector tiles in their own style.

For the Python of QGIS: ``QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/clients/qgis_features.py http://127.0.0.1:8000``.
Exit code 0 when all of it works, else 1 with what did not.
"""

import json
import os
import sys
import urllib.parse
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureRequest,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsVectorDataProvider,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize

SIZE = 500
PAGE = 2000


def read_json(address: str) -> dict:
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


def check_features(base: str, faults: list[str]) -> str:
    layer = QgsVectorLayer(f" url='{base}/api' typename='buildings' pageSize='{PAGE}'", "buildings", "OAPIF")
    if not layer.isValid():
        faults.append("OAPIF layer 'buildings' is not valid")
        return ""
    whole = read_json(f"{base}/api/collections/buildings/items?limit=1&count=true")["numberMatched"]
    read = sum(1 for _ in layer.getFeatures())
    if read != whole:
        faults.append(f"{read} buildings were read, the server has {whole}")
    if "use" not in layer.fields().names():
        faults.append("the attributes of buildings are not known")
    west, south, east, north = read_json(f"{base}/api/catalog")["city"]["bounds"]
    box = QgsRectangle(west, south, (west + east) / 2, (south + north) / 2)
    # A layer that was read as a whole answers from what it kept.
    fresh = QgsVectorLayer(f" url='{base}/api' typename='buildings' restrictToRequestBBOX='1'", "near", "OAPIF")
    near = sum(1 for _ in fresh.getFeatures(QgsFeatureRequest(box)))
    if not 0 < near < whole:
        faults.append(f"{near} of {whole} buildings in a quarter of the city")
    shops = QgsVectorLayer(f" url='{base}/api' typename='buildings' pageSize='{PAGE}'", "shops", "OAPIF")
    if not shops.setSubsetString("\"use\" = 'shop'"):
        faults.append("the provider takes no filter expression")
    found = {feature["use"] for feature in shops.getFeatures()}
    if found != {"shop"}:
        faults.append(f"the filter gave {found}")
    edits = layer.dataProvider().capabilities() & QgsVectorDataProvider.AddFeatures
    return f"{read} features, {near} in a box, a filter, editing {'offered' if edits else 'not in this QGIS'}"


def check_tiles(base: str, faults: list[str]) -> str:
    tiles = f"type=xyz&url={base}/tiles/buildings,road_links/{{z}}/{{x}}/{{y}}.mvt&zmax=16&zmin=10"
    style = urllib.parse.quote(f"{base}/api/styles/light")
    layer = QgsVectorTileLayer(f"{tiles}&styleUrl={style}", "tiles")
    if not layer.isValid():
        faults.append("the vector tile layer is not valid")
        return ""
    loaded = layer.loadDefaultStyle()
    if not all(part for part in loaded if isinstance(part, bool)):
        faults.append(f"the style was not loaded: {loaded}")
    bounds = QgsRectangle(*read_json(f"{base}/api/catalog")["city"]["bounds"])
    mercator = QgsCoordinateReferenceSystem("EPSG:3857")
    to_mercator = QgsCoordinateTransform(QgsCoordinateReferenceSystem("OGC:CRS84"), mercator, QgsProject.instance())
    view = to_mercator.transformBoundingBox(bounds)
    view.scale(0.25)
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(mercator)
    settings.setExtent(view)
    settings.setOutputSize(QSize(SIZE, SIZE))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    colors = {picture.pixel(x, y) for x in range(0, SIZE, 5) for y in range(0, SIZE, 5)}
    if len(colors) < 4:
        faults.append(f"the drawn tiles have {len(colors)} colours")
    if len(sys.argv) > 2:
        picture.save(sys.argv[2])
    return f"vector tiles with {len(layer.renderer().styles())} rules drawn in {len(colors)} colours"


def main(base: str) -> int:
    faults: list[str] = []
    told = [Qgis.QGIS_VERSION, check_features(base, faults), check_tiles(base, faults)]
    sys.stdout.write("; ".join(words for words in told if words) + "\n")
    sys.stdout.writelines(f"FAULT {fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    code = main(sys.argv[1].rstrip("/"))
    sys.stdout.flush()
    os._exit(code)
