/** Links that give items as files: what is listed, in the formats of spreadsheets and maps. */

import { h } from "../dom";
import { t } from "../i18n";

const FORMATS: readonly [string, string][] = [
  ["csv", "CSV"],
  ["geojson", "GeoJSON"],
  ["gpkg", "GeoPackage"],
];

/** Build the links of a layer's items that pass a query; the server gives all of them, however many there are. */
export function exportLinks(layer: string, query: Record<string, string>): HTMLElement {
  const link = ([format, label]: readonly [string, string]): HTMLElement => {
    const search = new URLSearchParams({ ...query, f: format });
    return h(
      "a",
      {
        class: "button button-small",
        href: `/api/collections/${encodeURIComponent(layer)}/items?${search}`,
        download: `${layer}.${format}`,
        "aria-label": t("impact.downloadAs", { format: label }),
      },
      label,
    );
  };
  return h(
    "div",
    { class: "row row-wrap exports", role: "group", "aria-label": t("impact.export") },
    h("span", { class: "soft" }, t("impact.export")),
    ...FORMATS.map(link),
  );
}
