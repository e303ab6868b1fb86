/** Places as short text that an address can hold: differences of 1e-6 degrees, six bits a letter. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SCALE = 1e6;
const BITS = 5;
const MORE = 32;

function packNumber(value: number): string {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let text = "";
  do {
    const low = rest % MORE;
    rest = Math.floor(rest / MORE);
    text += LETTERS[rest > 0 ? low + MORE : low];
  } while (rest > 0);
  return text;
}

/** Write longitudes and latitudes [°]. */
export function packPlaces(places: readonly (readonly [number, number])[]): string {
  let [east, north] = [0, 0];
  return places
    .map(([lon, lat]) => {
      const [x, y] = [Math.round(lon * SCALE), Math.round(lat * SCALE)];
      const text = packNumber(x - east) + packNumber(y - north);
      [east, north] = [x, y];
      return text;
    })
    .join("");
}

/** Read what `packPlaces` wrote; null where it is something else. */
export function unpackPlaces(text: string): [number, number][] | null {
  const numbers: number[] = [];
  let [value, factor] = [0, 1];
  for (const letter of text) {
    const bits = LETTERS.indexOf(letter);
    if (bits < 0 || factor > 2 ** (8 * BITS)) return null;
    value += (bits % MORE) * factor;
    factor *= MORE;
    if (bits >= MORE) continue;
    numbers.push(value % 2 === 1 ? -(value + 1) / 2 : value / 2);
    [value, factor] = [0, 1];
  }
  if (factor !== 1 || numbers.length % 2 !== 0) return null;
  const places: [number, number][] = [];
  let [east, north] = [0, 0];
  for (let index = 0; index < numbers.length; index += 2) {
    east += numbers[index] ?? 0;
    north += numbers[index + 1] ?? 0;
    places.push([east / SCALE, north / SCALE]);
  }
  return places.every(([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 85) ? places : null;
}
