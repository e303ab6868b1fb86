/** Ends of pipes and cables on the nodes of their network. */

import { readItems } from "../api";
import { findVectorLayer } from "../data";
import { NETWORKS } from "../networks/commodities";
import type { Item } from "../types";
import { metresBetween } from "./vertices";

/** How far an end may lie from the node that it is brought to [m]. */
const REACH = 25;
const METRES_PER_DEGREE = 111_195;

type Position = [number, number];

/** Return the layers of points whose nodes the ends of a layer of lines lie on. */
export function nodeLayers(layer: string): readonly string[] {
  const takesEnds = findVectorLayer(layer)?.properties.some(({ name }) => name === "from_node");
  const theme = layer.split("_")[0] ?? "";
  if (!takesEnds) return [];
  const points = Object.values(NETWORKS).flatMap((network) => network.points);
  return [...new Set(points)].filter((name) => name.startsWith(`${theme}_`) && findVectorLayer(name));
}

async function nearestNode(place: Position, layers: readonly string[]): Promise<Item | null> {
  const [lon, lat] = place;
  const north = REACH / METRES_PER_DEGREE;
  const east = north / Math.cos((lat * Math.PI) / 180);
  const bbox = [lon - east, lat - north, lon + east, lat + north].map((one) => one.toFixed(7)).join();
  const pages = await Promise.all(layers.map((layer) => readItems(layer, { bbox, limit: "50" })));
  const near = pages
    .flatMap((page) => page.features)
    .flatMap((item) =>
      item.geometry?.type === "Point"
        ? [{ item, metres: metresBetween(place, item.geometry.coordinates as Position) }]
        : [],
    )
    .filter(({ metres }) => metres <= REACH)
    .sort((a, b) => a.metres - b.metres);
  return near[0]?.item ?? null;
}

/** Bring the ends of a line to the nearest nodes; returns the line and the ids of its nodes, null where none is near. */
export async function snapEnds(
  line: GeoJSON.LineString,
  layer: string,
): Promise<{ line: GeoJSON.LineString; from: string | null; to: string | null }> {
  const layers = nodeLayers(layer);
  const corners = line.coordinates as Position[];
  const [from, to] = await Promise.all([corners[0]!, corners.at(-1)!].map((end) => nearestNode(end, layers)));
  const placeOf = (node: Item | null | undefined, otherwise: Position): Position =>
    node?.geometry?.type === "Point" ? (node.geometry.coordinates as Position) : otherwise;
  return {
    line: {
      type: "LineString",
      coordinates: [placeOf(from, corners[0]!), ...corners.slice(1, -1), placeOf(to, corners.at(-1)!)],
    },
    from: from?.id ?? null,
    to: to?.id ?? null,
  };
}
