/** The middle of a shape, where one place has to stand for it. */

import { boundsOf } from "../map/pick";

/** Return the middle of the box around a geometry. */
export function middleOf(geometry: GeoJSON.Geometry): [number, number] {
  const [west, south, east, north] = boundsOf(geometry);
  return [(west + east) / 2, (south + north) / 2];
}
