"""No file makes the reader ask a server: whatever addresses it holds, nobody calls."""

import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from layers.errors import SourceError
from layers.ingest.readers import read_file

GML = """<?xml version="1.0"?><gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:o="http://o/" xsi:schemaLocation="http://o/ {url}/x.xsd"><gml:featureMember><o:tree gml:id="a">
 <o:name xlink:href="{url}/name"/><o:geom><gml:Point srsName="{url}/crs"><gml:coordinates>1,2</gml:coordinates>
 </gml:Point></o:geom></o:tree></gml:featureMember></gml:FeatureCollection>"""
KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><NetworkLink><Link><href>{url}/x.kml</href></Link>
 </NetworkLink><Style id="s"><IconStyle><Icon><href>{url}/i.png</href></Icon></IconStyle></Style><Placemark>
 <styleUrl>{url}/s.kml#s</styleUrl><name>a</name><Point><coordinates>1,2</coordinates></Point></Placemark>
 </Document></kml>"""
FEATURE = '{{"type":"Feature","properties":{{"a":1}},"geometry":{{"type":"Point","coordinates":[1,2]}}}}'
LINKED = (
    '{{"type":"FeatureCollection","crs":{{"type":"link","properties":{{"href":"{url}/crs","type":"proj4"}}}},'
    f'"features":[{FEATURE}]}}}}'
)
NAMED = (
    '{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"{url}/crs"}}}},'
    f'"features":[{FEATURE}]}}}}'
)
ESRI = (
    '{{"geometryType":"esriGeometryPoint","spatialReference":{{"wkt":"{url}/crs"}},"exceededTransferLimit":true,'
    '"fields":[{{"name":"a","type":"esriFieldTypeInteger"}}],"features":[{{"attributes":{{"a":1}},'
    '"geometry":{{"x":1,"y":2}}}}]}}'
)
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/{url}/x.gpkg</SrcDataSource></OGRVRTLayer>'
    "</OGRVRTDataSource>"
)
GDALG = '{{"type":"gdal_streamed_alg","command_line":"gdal vector pipeline ! read /vsicurl/{url}/x.gpkg"}}'


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_words: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.gml", GML),
        ("t.kml", KML),
        ("t.kmz", KML),
        ("linked.geojson", LINKED),
        ("named.geojson", NAMED),
        ("esri.json", ESRI),
        ("vrt.geojson", VRT),
        ("vrt.gml", VRT),
        ("vrt.csv", VRT),
        ("vrt.zip", VRT),
        ("gdalg.geojson", GDALG),
        ("t.gdalg.json", GDALG),
    ],
)
def test_nobody_is_asked(tmp_path: Path, listening: tuple[str, list[str]], name: str, content: str) -> None:
    url, asked = listening
    asked.clear()
    words = content.format(url=url)
    if name.endswith((".kmz", ".zip")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("doc.kml" if name.endswith("kmz") else "x.geojson", words)
    else:
        (tmp_path / name).write_text(words)
    with suppress(SourceError):
        read_file(tmp_path / name)
    assert asked == []
