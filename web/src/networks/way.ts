/** The way that a trace found, from its start as far as it goes: links in their order, each as it is walked. */

import type { Position } from "./places";

const DIGITS = 6;
const METRES = 111_320;

export interface Walked {
  layer: string;
  id: string;
  /** Part of a link that valves or tees split; the only one is 0. */
  part: number;
  /** Where it is walked along. */
  line: Position[];
  /** Whether it is walked against the way it is drawn. */
  isBackward: boolean;
  /** Length [m]. */
  length: number;
}

interface Edge {
  walked: Walked;
  from: string;
  to: string;
}

const keyOf = ([lon, lat]: Position): string => `${lon.toFixed(DIGITS)},${lat.toFixed(DIGITS)}`;

/** Length of a line in degrees [m]. */
export function measureLine(line: readonly Position[]): number {
  let sum = 0;
  for (let at = 1; at < line.length; at++) {
    const [[lon0, lat0], [lon1, lat1]] = [line[at - 1]!, line[at]!];
    sum += Math.hypot((lon1 - lon0) * Math.cos((lat0 * Math.PI) / 180), lat1 - lat0) * METRES;
  }
  return sum;
}

function readEdge(feature: GeoJSON.Feature): Edge[] {
  const { layer_id: layer, item_id: id, part, length } = feature.properties ?? {};
  if (feature.geometry.type !== "LineString" || !layer || !id) return [];
  const line = feature.geometry.coordinates.map(([lon, lat]): Position => [lon!, lat!]);
  const walked: Walked = {
    layer: String(layer),
    id: String(id),
    part: Number(part ?? 0),
    line,
    isBackward: false,
    length: Number(length) || measureLine(line),
  };
  return [{ walked, from: keyOf(line[0]!), to: keyOf(line.at(-1)!) }];
}

const turn = (walked: Walked): Walked => ({ ...walked, line: [...walked.line].reverse(), isBackward: true });

/** Return the way from the start to the farthest node; of a shortest path that is all of it. */
export function findWay(links: readonly GeoJSON.Feature[], nodes: readonly GeoJSON.Feature[]): Walked[] {
  const edges = links.flatMap(readEdge);
  const [first] = edges;
  if (!first) return [];
  const at = new Map<string, { edge: Edge; to: string; isBackward: boolean }[]>();
  const add = (node: string, edge: Edge, to: string, isBackward: boolean): void => {
    const known = at.get(node);
    if (known) known.push({ edge, to, isBackward });
    else at.set(node, [{ edge, to, isBackward }]);
  };
  for (const edge of edges) {
    add(edge.from, edge, edge.to, false);
    add(edge.to, edge, edge.from, true);
  }
  const start = nodes.find(({ properties, geometry }) => properties?.["role"] === "start" && geometry.type === "Point");
  const told = start ? keyOf((start.geometry as GeoJSON.Point).coordinates as Position) : "";
  const begin = at.has(told) ? told : ([first.from, first.to].find((node) => at.get(node)?.length === 1) ?? first.from);

  const distance = new Map([[begin, 0]]);
  const came = new Map<string, { node: string; walked: Walked }>();
  const open = new Set([begin]);
  while (open.size > 0) {
    let nearest = "";
    for (const node of open) if (!nearest || distance.get(node)! < distance.get(nearest)!) nearest = node;
    open.delete(nearest);
    for (const { edge, to, isBackward } of at.get(nearest) ?? []) {
      const length = distance.get(nearest)! + edge.walked.length;
      if (length >= (distance.get(to) ?? Number.POSITIVE_INFINITY)) continue;
      distance.set(to, length);
      came.set(to, { node: nearest, walked: isBackward ? turn(edge.walked) : edge.walked });
      open.add(to);
    }
  }
  let [farthest] = [...distance].sort((a, b) => b[1] - a[1])[0] ?? [begin];
  const way: Walked[] = [];
  for (let step = came.get(farthest); step; step = came.get(farthest)) {
    way.unshift(step.walked);
    farthest = step.node;
  }
  return way;
}
