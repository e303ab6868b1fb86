/** Lengths and areas on the ellipsoid of WGS 84, which is VN-2000's as well. */

const MAJOR = 6378137;
const FLATTENING = 1 / 298.257223563;
const MINOR = MAJOR * (1 - FLATTENING);
const ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING);
const ECCENTRICITY = Math.sqrt(ECCENTRICITY_2);
const TURNS = 100;
const CLOSE = 1e-12;

type Place = readonly number[];

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Return the length of the geodesic between two places [m]; Vincenty 1975, inverse formula. */
export function distance([lon1 = 0, lat1 = 0]: Place, [lon2 = 0, lat2 = 0]: Place): number {
  const apart = radians(lon2 - lon1);
  const [u1, u2] = [lat1, lat2].map((lat) => Math.atan((1 - FLATTENING) * Math.tan(radians(lat)))) as [number, number];
  const [sin1, cos1, sin2, cos2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = apart;
  for (let turn = 0; turn < TURNS; turn++) {
    const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)];
    const sinS = Math.hypot(cos2 * sinL, cos1 * sin2 - sin1 * cos2 * cosL);
    if (sinS === 0) return 0;
    const cosS = sin1 * sin2 + cos1 * cos2 * cosL;
    const sigma = Math.atan2(sinS, cosS);
    const sinA = (cos1 * cos2 * sinL) / sinS;
    const cos2A = 1 - sinA ** 2;
    const cosM = cos2A === 0 ? 0 : cosS - (2 * sin1 * sin2) / cos2A;
    const c = (FLATTENING / 16) * cos2A * (4 + FLATTENING * (4 - 3 * cos2A));
    const next = apart + (1 - c) * FLATTENING * sinA * (sigma + c * sinS * (cosM + c * cosS * (2 * cosM ** 2 - 1)));
    if (Math.abs(next - lambda) < CLOSE) {
      const k = (cos2A * (MAJOR ** 2 - MINOR ** 2)) / MINOR ** 2;
      const a = 1 + (k / 16384) * (4096 + k * (k * (320 - 175 * k) - 768));
      const b = (k / 1024) * (256 + k * (k * (74 - 47 * k) - 128));
      const inner = cosS * (2 * cosM ** 2 - 1) - (b / 6) * cosM * (4 * sinS ** 2 - 3) * (4 * cosM ** 2 - 3);
      return MINOR * a * (sigma - b * sinS * (cosM + (b / 4) * inner));
    }
    lambda = next;
  }
  return Number.NaN;
}

/** Return the authalic latitude [rad]: on the sphere of equal area, areas are as large as on the ellipsoid. */
function authalic(latitude: number): number {
  const q = (sine: number): number =>
    (1 - ECCENTRICITY_2) * (sine / (1 - ECCENTRICITY_2 * sine ** 2) + Math.atanh(ECCENTRICITY * sine) / ECCENTRICITY);
  return Math.asin(Math.max(-1, Math.min(1, q(Math.sin(latitude)) / q(1))));
}

/** Radius of the sphere that has the surface of the ellipsoid, squared [m²]. */
const AUTHALIC_2 = (MAJOR ** 2 / 2) * (1 + ((1 - ECCENTRICITY_2) / ECCENTRICITY) * Math.atanh(ECCENTRICITY));

/** Return the area inside a ring of places [m²], its edges great circles of the authalic sphere. */
export function ringArea(ring: readonly Place[]): number {
  let excess = 0;
  for (const [index, [lon1 = 0, lat1 = 0]] of ring.entries()) {
    const [lon2 = 0, lat2 = 0] = ring[(index + 1) % ring.length] ?? [];
    const [t1, t2] = [lat1, lat2].map((lat) => Math.tan(authalic(radians(lat)) / 2)) as [number, number];
    excess += 2 * Math.atan2(Math.tan(radians(lon2 - lon1) / 2) * (t1 + t2), 1 + t1 * t2);
  }
  return Math.abs(excess) * AUTHALIC_2;
}

/** Return the lengths of the parts of a line [m]. */
export const segments = (line: readonly Place[]): number[] =>
  line.slice(1).map((place, index) => distance(line[index] ?? place, place));
