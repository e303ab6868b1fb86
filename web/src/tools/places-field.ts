/** The corners of a drawn shape as text, one a line: changed without dragging. */

import { h } from "../dom";
import { t } from "../i18n";
import { textButton } from "../panels/parts";
import type { Shape } from "./drawing";

const FEWEST = { Point: 1, Note: 1, LineString: 2, Polygon: 3 } as const;

const writePlaces = (places: Shape["places"]): string =>
  places.map(([lon, lat]) => `${lat.toFixed(6)} ${lon.toFixed(6)}`).join("\n");

/** Read a latitude and a longitude [°] from a line; null where it is something else. */
function readLine(line: string): [number, number] | null {
  const [lat, lon, ...more] = line
    .trim()
    .replaceAll(",", ".")
    .split(/[;\s]+/)
    .map(Number);
  if (lat === undefined || lon === undefined || more.length > 0) return null;
  return Math.abs(lat) <= 85 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

/** Make the field; `take` gets the new places. */
export function makePlacesField(shape: Shape, take: (places: Shape["places"]) => void): HTMLElement {
  const note = h("p", { class: "field-error", role: "status" });
  const field = h("textarea", {
    class: "input places",
    rows: Math.min(6, shape.places.length + 1),
    spellcheck: "false",
    "aria-label": t("draw.corners"),
  });
  field.value = writePlaces(shape.places);
  const apply = (): void => {
    const lines = field.value.split("\n").filter((line) => line.trim());
    const places = lines.map(readLine);
    const wrong = lines.find((_, index) => places[index] === null);
    const known = places.filter((place) => place !== null);
    const fewest = FEWEST[shape.kind];
    if (wrong !== undefined) note.textContent = t("draw.wrongLine", { line: wrong });
    else if (known.length < fewest) note.textContent = t("draw.tooFew", { count: fewest });
    else take(fewest === 1 ? known.slice(0, 1) : known);
  };
  return h(
    "details",
    { class: "more" },
    h("summary", {}, t("draw.editCorners")),
    h("p", { class: "soft" }, t("draw.cornersHint")),
    field,
    note,
    textButton(t("draw.apply"), apply, "button-small"),
  );
}
