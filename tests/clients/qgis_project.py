"""Open a project of ``twin qgis`` in QGIS and look at it: /usr/bin/python3 qgis_project.py BASE PROJECT [PICTURE].

Runs with the Python of the system, which has PyQGIS (Debian: python3-qgis, qgis-providers). BASE is the address of the
running server, PROJECT the file, PICTURE where a drawing of the whole project goes. The exit code is 1 when something
is wrong, with one line for each.
"""

import json
import os
import sys
import tempfile
import time
import urllib.request

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# No settings, cache or cookies of a person's own QGIS.
os.environ["QGIS_CUSTOM_CONFIG_PATH"] = tempfile.mkdtemp(prefix="qgis-")
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="qgis-"))

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureRequest,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

MOST = 3000
RENDERERS = ("singleSymbol", "categorizedSymbol", "graduatedSymbol")
PREFIX = "twin_layer_"


def read(address):
    """Return the JSON at an address."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


def check_vector(layer, told, faults):
    """Check renderer, form and features of one layer against what the catalogue tells of it."""
    name = told["id"]
    if layer.renderer() is None or layer.renderer().type() not in RENDERERS:
        faults.append(f"{name}: no renderer")
        return 0
    if len(told["legend"]) > 1:
        shown = {item.label() for item in layer.renderer().legendSymbolItems()}
        missing = {entry["label"]["vi"] for entry in told["legend"]} - shown
        if missing:
            faults.append(f"{name}: the legend lacks {sorted(missing)}")
    for prop in told["properties"]:
        place = layer.fields().indexOf(prop["name"])
        if place < 0:
            continue
        if not layer.attributeDisplayName(place).startswith(prop["title"]["vi"]):
            faults.append(f"{name}.{prop['name']}: called '{layer.attributeDisplayName(place)}'")
        if prop.get("symbol", "–") not in ("", "–") and prop["symbol"] not in layer.attributeDisplayName(place):
            faults.append(f"{name}.{prop['name']}: the form says no unit")
        if prop.get("codes"):
            setup = layer.editorWidgetSetup(place)
            if setup.type() != "ValueMap" or len(setup.config()["map"]) != len(prop["codes"]):
                faults.append(f"{name}.{prop['name']}: the form has no list of its codes")
    if not layer.hasScaleBasedVisibility():
        faults.append(f"{name}: drawn at every scale")
    request = QgsFeatureRequest()
    request.setLimit(MOST + 1)
    count = sum(1 for feature in layer.getFeatures(request) if feature.hasGeometry())
    if count != min(told["count"], MOST + 1):
        faults.append(f"{name}: {count} features, the server has {told['count']}")
    return count


def render(project, picture):
    """Draw the whole project at the view it opens with; return the share of pixels that are not the ground."""
    view = project.viewSettings().defaultViewExtent()
    to_map = QgsCoordinateTransform(view.crs(), project.crs(), project)
    settings = QgsMapSettings()
    settings.setDestinationCrs(project.crs())
    settings.setTransformContext(project.transformContext())
    settings.setExtent(to_map.transformBoundingBox(view))
    settings.setOutputSize(QSize(1400, 1000))
    settings.setBackgroundColor(QColor("white"))
    layers = [
        layer
        for layer in project.layerTreeRoot().layerOrder()
        if project.layerTreeRoot().findLayer(layer.id()).isVisible()
    ]
    settings.setLayers(layers)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    if picture:
        image.save(picture)
    points = [(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)]
    drawn = sum(1 for x, y in points if image.pixelColor(x, y) != QColor("white"))
    return drawn / len(points), [error.message for error in job.errors()]


def main(base, path, picture=None):
    """Check the project at ``path`` against the server at ``base``; return the exit code."""
    application = QgsApplication([], False)
    application.initQgis()
    faults = []
    project = QgsProject.instance()
    begun = time.perf_counter()
    if not project.read(path):
        print(f"{path}: {project.error()}")
        return 1
    catalog = read(f"{base}/api/catalog")
    told = {layer["id"]: layer for theme in catalog["themes"] for layer in theme["layers"]}
    layers = {key.removeprefix(PREFIX): layer for key, layer in project.mapLayers().items()}
    wanted = {key for key, layer in told.items() if layer.get("count") or layer.get("raster_id")}
    faults += [f"{key}: not in the project" for key in sorted(wanted - set(layers))]
    features = 0
    for key, layer in sorted(layers.items()):
        if not layer.isValid():
            faults.append(f"{key}: not valid ({layer.error().message()})")
        elif layer.name() != told[key]["title"]["vi"]:
            faults.append(f"{key}: called '{layer.name()}'")
        elif layer.type() == QgsMapLayer.VectorLayer:
            features += check_vector(layer, told[key], faults)
    if project.crs() != QgsCoordinateReferenceSystem(catalog["city"]["crs"]):
        faults.append(f"the project is in {project.crs().authid()}, the city in {catalog['city']['crs']}")
    groups = [group.name() for group in project.layerTreeRoot().findGroups()]
    themes = [theme["title"]["vi"] for theme in catalog["themes"]]
    if groups != [theme for theme in themes if theme in groups]:
        faults.append(f"groups {groups} are not the themes in their order")
    ranks = [told[layer.id().removeprefix(PREFIX)]["rank"] for layer in project.layerTreeRoot().layerOrder()]
    if ranks != sorted(ranks, reverse=True):
        faults.append("layers are not drawn in the order of their ranks")
    if not project.bookmarkManager().bookmarks():
        faults.append("no bookmark")
    drawn, errors = render(project, picture)
    faults += [f"drawing: {error}" for error in errors]
    if drawn < 0.2:
        faults.append(f"the drawing is nearly empty: {drawn:.0%}")
    for fault in faults:
        print(fault)
    seconds = time.perf_counter() - begun
    print(f"{len(layers)} layers, {features} features read, {drawn:.0%} drawn, {len(faults)} faults, {seconds:.0f} s")
    application.exitQgis()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
