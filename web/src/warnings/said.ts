/** A message as citizens read it, in both languages, with the map of its area. */

import { type Child, h, svg } from "../dom";
import { formatDateTime } from "../format";
import { t } from "../i18n";
import { boundsOf } from "../map/pick";
import { getState } from "../state";
import type { Info, Status } from "./api";
import { levelBadge, modeBand } from "./marks";

const WIDTH = 320;
const HEIGHT = 220;
const MARGIN = 14;

function pathOf(geometry: GeoJSON.MultiPolygon, place: (lon: number, lat: number) => string): string {
  return geometry.coordinates
    .flatMap((polygon) => polygon.map((ring) => `M${ring.map(([lon = 0, lat = 0]) => place(lon, lat)).join("L")}Z`))
    .join("");
}

/** Draw the area of a message with the names of its wards. */
export function areaPicture(area: GeoJSON.FeatureCollection): SVGElement | null {
  const parts = area.features.filter(
    (one): one is GeoJSON.Feature<GeoJSON.MultiPolygon> => one.geometry.type === "MultiPolygon",
  );
  if (parts.length === 0) return null;
  const all: GeoJSON.GeometryCollection = { type: "GeometryCollection", geometries: parts.map((one) => one.geometry) };
  const [west, south, east, north] = boundsOf(all);
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(
    (WIDTH - 2 * MARGIN) / Math.max((east - west) * shrink, 1e-6),
    (HEIGHT - 2 * MARGIN) / Math.max(north - south, 1e-6),
  );
  const left = (WIDTH - (east - west) * shrink * scale) / 2;
  const top = (HEIGHT - (north - south) * scale) / 2;
  const x = (lon: number): number => left + (lon - west) * shrink * scale;
  const y = (lat: number): number => top + (north - lat) * scale;
  const place = (lon: number, lat: number): string => `${x(lon).toFixed(1)} ${y(lat).toFixed(1)}`;
  const names = parts.map((one) => String(one.properties?.["name"] ?? ""));
  const labels = parts.map((one, index) => {
    const box = boundsOf(one.geometry);
    return svg(
      "text",
      { x: x((box[0] + box[2]) / 2), y: y((box[1] + box[3]) / 2), class: "area-name", "text-anchor": "middle" },
      names[index],
    );
  });
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      class: "area-picture",
      role: "img",
      "aria-label": `${t("warning.area")}: ${names.join(", ")}`,
    },
    ...parts.map((one) => svg("path", { d: pathOf(one.geometry, place), class: "area-shape" })),
    ...(parts.length <= 12 ? labels : []),
  );
}

function row(name: string, value: Child): HTMLElement | null {
  return value ? h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value)) : null;
}

/** Build one language of a message; its own words stand in its language, the rest in that of the page. */
function infoCard(info: Info, status: Status, level: number): HTMLElement {
  const vietnamese = info.language.startsWith("vi");
  return h(
    "article",
    { class: "said", lang: info.language },
    modeBand(status, ` · ${vietnamese ? "Tiếng Việt" : "English"}`),
    h("h3", { class: "said-headline" }, info.headline),
    h("div", { class: "row row-wrap" }, levelBadge(level), h("span", { class: "badge" }, info.event)),
    h("p", {}, info.description),
    h(
      "p",
      { class: "said-instruction" },
      h("strong", {}, vietnamese ? "Việc cần làm:" : "What to do:"),
      " ",
      info.instruction,
    ),
    h(
      "dl",
      { class: "properties" },
      row(t("warning.onset"), info.onset ? formatDateTime(info.onset) : null),
      row(t("warning.expires"), formatDateTime(info.expires)),
      row(t("warning.severity"), `${info.severity} · ${info.urgency} · ${info.certainty}`),
      row(t("warning.responses"), info.responses.join(", ")),
      row(t("warning.sender"), info.sender),
      row(t("warning.contact"), info.contact),
    ),
  );
}

/** Build a message; the language of the page comes first. */
export function saidPart(
  infos: readonly Info[],
  area: GeoJSON.FeatureCollection | null,
  status: Status,
  level: number,
): HTMLElement {
  const sorted = [...infos].sort((a) => (a.language.startsWith(getState().lang) ? -1 : 1));
  const picture = area ? areaPicture(area) : null;
  return h(
    "div",
    { class: "said-both" },
    ...sorted.map((info) => infoCard(info, status, level)),
    picture
      ? h("figure", { class: "said-area" }, picture, h("figcaption", { class: "soft" }, t("warning.area")))
      : null,
  );
}
