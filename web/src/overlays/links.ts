/** Every address by which others can lay the city under or over their own maps, by protocol. */

import { findLayer, getCity } from "../data";

export type Protocol =
  | "features"
  | "geojson"
  | "gpkg"
  | "csv"
  | "tilejson"
  | "mvt"
  | "ogctiles"
  | "style"
  | "wms"
  | "wmts"
  | "ogcmaps"
  | "xyz"
  | "cog"
  | "featureserver"
  | "vectortileserver"
  | "sensorthings"
  | "tiles3d"
  | "stac"
  | "cap"
  | "wzdx"
  | "gtfs"
  | "terria"
  | "qgis"
  | "indicators"
  | "indicatorscsv"
  | "events";

export interface OverlayLink {
  id: Protocol;
  /** The name of the protocol, the same in every language. */
  name: string;
  url: string;
  /** What is fetched to see whether it works; the address itself without it. */
  test?: string;
}

const base = (): string => new URL("./", location.href).href.replace(/\/$/, "");

/** The tile over the middle of the city, for addresses with places for numbers. */
export function middleTile(zoom: number): { z: number; x: number; y: number } {
  const [west, south, east, north] = getCity().bounds;
  const [lon, lat] = [(west + east) / 2, (south + north) / 2];
  const size = 2 ** zoom;
  const angle = (lat * Math.PI) / 180;
  return {
    z: zoom,
    x: Math.floor(((lon + 180) / 360) * size),
    y: Math.floor(((1 - Math.log(Math.tan(angle) + 1 / Math.cos(angle)) / Math.PI) / 2) * size),
  };
}

function fill(template: string): string {
  const { z, x, y } = middleTile(14);
  return template.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
}

/** A box in the middle of the city, so that a test does not fetch all of a layer. */
function middleBox(): string {
  const [west, south, east, north] = getCity().bounds;
  const [lon, lat] = [(west + east) / 2, (south + north) / 2];
  return [lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001].map((side) => side.toFixed(5)).join(",");
}

/** Return the links of one layer. */
function layerLinks(id: string): OverlayLink[] {
  const layer = findLayer(id);
  const root = base();
  const name = encodeURIComponent(id);
  if (!layer) return [];
  const map = `${root}/api/collections/${name}/map?width=800&height=600`;
  const wms = `${root}/wms?service=WMS&request=GetCapabilities`;
  if (layer.kind === "raster") {
    const raster = layer.raster_id;
    const ogc: OverlayLink[] = [
      { id: "wms", name: "OGC WMS 1.3.0", url: wms },
      { id: "wmts", name: "OGC WMTS 1.0.0", url: `${root}/wmts/1.0.0/WMTSCapabilities.xml` },
      { id: "ogcmaps", name: "OGC API Maps", url: map },
    ];
    if (raster === null) return ogc;
    const xyz = `${root}/tiles/raster/${encodeURIComponent(raster)}/{z}/{x}/{y}.png`;
    return [
      ...ogc,
      { id: "xyz", name: "XYZ raster", url: xyz, test: fill(xyz) },
      { id: "tilejson", name: "TileJSON", url: `${root}/tiles/raster/${encodeURIComponent(raster)}.json` },
      { id: "cog", name: "Cloud-Optimised GeoTIFF", url: `${root}/tiles/raster/${encodeURIComponent(raster)}.tif` },
    ];
  }
  const items = `${root}/api/collections/${name}/items`;
  const mvt = `${root}/tiles/${name}/{z}/{x}/{y}.mvt`;
  const ogc = `${root}/api/collections/${name}/tiles/WebMercatorQuad/{z}/{y}/{x}`;
  const box = middleBox();
  return [
    { id: "features", name: "OGC API Features", url: `${root}/api/collections/${name}` },
    { id: "geojson", name: "GeoJSON", url: `${items}?f=geojson`, test: `${items}?limit=1` },
    { id: "gpkg", name: "GeoPackage", url: `${items}?f=gpkg`, test: `${items}?f=gpkg&bbox=${box}` },
    { id: "csv", name: "CSV", url: `${items}?f=csv`, test: `${items}?f=csv&bbox=${box}` },
    { id: "tilejson", name: "TileJSON", url: `${root}/tiles/${name}.json` },
    { id: "mvt", name: "Mapbox Vector Tiles", url: mvt, test: fill(mvt) },
    { id: "ogctiles", name: "OGC API Tiles", url: ogc, test: fill(ogc) },
    { id: "ogcmaps", name: "OGC API Maps", url: map },
    { id: "wms", name: "OGC WMS 1.3.0", url: wms },
    { id: "featureserver", name: "ArcGIS FeatureServer", url: `${root}/esri/rest/services/twin/FeatureServer` },
  ];
}

/** Return the links of the whole city. */
function cityLinks(): OverlayLink[] {
  const root = base();
  const mvt = `${root}/api/tiles/WebMercatorQuad/{z}/{y}/{x}`;
  return [
    { id: "features", name: "OGC API", url: `${root}/api` },
    { id: "qgis", name: "QGIS", url: `${root}/api/qgis.qgz` },
    { id: "wms", name: "OGC WMS 1.3.0", url: `${root}/wms?service=WMS&request=GetCapabilities` },
    { id: "wmts", name: "OGC WMTS 1.0.0", url: `${root}/wmts/1.0.0/WMTSCapabilities.xml` },
    { id: "ogcmaps", name: "OGC API Maps", url: `${root}/api/map?width=800&height=600` },
    { id: "ogctiles", name: "OGC API Tiles", url: mvt, test: fill(mvt) },
    { id: "style", name: "MapLibre style", url: `${root}/api/styles/light` },
    { id: "featureserver", name: "ArcGIS FeatureServer", url: `${root}/esri/rest/services/twin/FeatureServer` },
    {
      id: "vectortileserver",
      name: "ArcGIS VectorTileServer",
      url: `${root}/esri/rest/services/twin/VectorTileServer`,
    },
    { id: "sensorthings", name: "OGC SensorThings 1.1", url: `${root}/sta/v1.1` },
    { id: "tiles3d", name: "3D Tiles 1.1", url: `${root}/3d/buildings/tileset.json` },
    { id: "stac", name: "STAC 1.1", url: `${root}/stac` },
    { id: "cap", name: "CAP 1.2 (Atom)", url: `${root}/cap/alerts.atom` },
    { id: "wzdx", name: "WZDx 4.2", url: `${root}/wzdx/v4.2/workzones.geojson` },
    { id: "gtfs", name: "GTFS", url: `${root}/gtfs` },
    { id: "terria", name: "TerriaJS", url: `${root}/api/terria.json` },
    { id: "indicators", name: "JSON", url: `${root}/indicators` },
    { id: "indicatorscsv", name: "CSV", url: `${root}/indicators?f=csv` },
    { id: "events", name: "Server-sent events", url: `${root}/indicators/events` },
  ];
}

/** Return the links of a layer, or those of the whole city. */
export const listLinks = (layer: string | null): OverlayLink[] => (layer === null ? cityLinks() : layerLinks(layer));
