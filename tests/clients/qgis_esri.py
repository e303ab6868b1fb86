"""QGIS reads the FeatureServer: layers are valid, counts agree, filters by expression and box are answered.

Run by the Python that QGIS came with: ``/usr/bin/python3 tests/clients/qgis_esri.py http://127.0.0.1:8000``.
"""

import json
import os
import sys
import urllib.parse
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import QgsApplication, QgsDataSourceUri, QgsFeatureRequest, QgsRectangle, QgsVectorLayer


def ask(address: str, **parameters: str) -> dict:
    with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode({'f': 'json', **parameters})}") as answer:
        return json.load(answer)


def check_layer(address: str, name: str) -> bool:
    """Return whether QGIS sees what the server has of one layer."""
    uri = QgsDataSourceUri()
    uri.setParam("url", address)
    uri.setParam("crs", "EPSG:3857")
    layer = QgsVectorLayer(uri.uri(False), name, "arcgisfeatureserver")
    expected = ask(f"{address}/query", where="1=1", returnCountOnly="true")["count"]
    read = sum(1 for _ in layer.getFeatures()) if layer.isValid() else -1
    box = layer.extent()
    box = QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.center().y())
    boxed = sum(1 for _ in layer.getFeatures(QgsFeatureRequest(box)))
    layer.setSubsetString("fid > 0 AND id IS NOT NULL")
    subset = layer.featureCount()
    ok = layer.isValid() and read == expected == subset and 0 <= boxed <= expected
    print(
        f"{name}: {read} of {expected} features, {boxed} in a quarter, {subset} by filter: {'ok' if ok else 'FAILED'}"
    )
    return ok


def main() -> int:
    application = QgsApplication([], False)
    application.initQgis()
    service = f"{sys.argv[1].rstrip('/')}/esri/rest/services/twin/FeatureServer"
    checked = []
    for layer in ask(service)["layers"]:
        address = f"{service}/{layer['id']}"
        if 0 < ask(f"{address}/query", where="1=1", returnCountOnly="true")["count"] <= 20_000:
            checked.append(check_layer(address, layer["name"]))
    application.exitQgis()
    return 0 if checked and all(checked) else 1


if __name__ == "__main__":
    sys.exit(main())
