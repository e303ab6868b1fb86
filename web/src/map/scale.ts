/** How large the ground is on the screen. */

/** Metres of a pixel at the equator at zoom 0, where the world is 512 pixels wide. */
const EQUATOR = 78271.51696402048;

/** Return the metres of ground that a pixel of the map shows at a latitude [°]. */
export const metresPerPixel = (zoom: number, latitude: number): number =>
  (EQUATOR * Math.cos((latitude * Math.PI) / 180)) / 2 ** zoom;
