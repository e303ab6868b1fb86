/** Opening the attribute table: its program comes when it is first asked for. */

import type { Map as MapView } from "maplibre-gl";
import { explain } from "../i18n";
import { notify } from "../panels/notice";
import { both } from "./tests";
import { addView, newView, tables } from "./view";

export interface TableOptions {
  /** Filter in CQL2 text. */
  filter?: string;
  /** Only what meets this shape. */
  geometry?: GeoJSON.Geometry;
  /** Moment of the history. */
  at?: string;
}

const pair = ([lon, lat]: GeoJSON.Position): string => `${lon!.toFixed(6)} ${lat!.toFixed(6)}`;
const ring = (line: GeoJSON.Position[]): string => `(${line.map(pair).join(", ")})`;

/** Return a shape as text, as CQL2 takes it. */
export function writeShape(geometry: GeoJSON.Geometry): string {
  switch (geometry.type) {
    case "Point":
      return `POINT(${pair(geometry.coordinates)})`;
    case "MultiPoint":
      return `MULTIPOINT(${geometry.coordinates.map((one) => `(${pair(one)})`).join(", ")})`;
    case "LineString":
      return `LINESTRING${ring(geometry.coordinates)}`;
    case "MultiLineString":
      return `MULTILINESTRING(${geometry.coordinates.map(ring).join(", ")})`;
    case "Polygon":
      return `POLYGON(${geometry.coordinates.map(ring).join(", ")})`;
    case "MultiPolygon":
      return `MULTIPOLYGON(${geometry.coordinates.map((one) => `(${one.map(ring).join(", ")})`).join(", ")})`;
    default:
      return `GEOMETRYCOLLECTION(${geometry.geometries.map(writeShape).join(", ")})`;
  }
}

/** Return the condition to meet a shape. */
export const meets = (geometry: GeoJSON.Geometry): string => `S_INTERSECTS(geometry, ${writeShape(geometry)})`;

/** Open the table of a layer below the map. */
export function openTable(layer: string, options: TableOptions = {}): void {
  const shape = options.geometry ? meets(options.geometry) : null;
  addView({ ...newView(layer), where: both(options.filter, shape) ?? "", at: options.at ?? null });
}

/** Show the table whenever one is open: at once where the link says so. */
export function followTables(map: MapView): void {
  let asked = false;
  const load = (): void => {
    if (asked || tables.get().views.length === 0) return;
    asked = true;
    import("./dock").then(
      ({ startDock }) => startDock(map),
      (error: unknown) => {
        asked = false;
        notify(explain(error));
      },
    );
  };
  tables.watch(load);
  load();
}
