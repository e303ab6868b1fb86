/** Taking rows along: files of all that is filtered, a few rows on the clipboard. */

import { getCatalog } from "../data";
import { formatProperty } from "../format";
import { explain, t } from "../i18n";
import { notify } from "../panels/notice";
import type { Item, Property } from "../types";
import { fileQuery, itemsPath } from "./api";
import { headOf } from "./columns";
import { type Command, openMenu } from "./popup";
import type { View } from "./view";

const NAMES: Record<string, string> = {
  csv: "CSV",
  geojson: "GeoJSON",
  gpkg: "GeoPackage",
  xlsx: "Excel (XLSX)",
  zip: "Shapefile (ZIP)",
  fgb: "FlatGeobuf",
  parquet: "GeoParquet",
  kml: "KML",
  kmz: "KMZ",
  dxf: "DXF",
  "gdb.zip": "File Geodatabase (ZIP)",
  "tab.zip": "MapInfo TAB (ZIP)",
  "mif.zip": "MapInfo MIF (ZIP)",
};
/** What is asked for most comes first. */
const FIRST = ["csv", "xlsx", "geojson", "gpkg", "zip", "dxf", "kml"];

/** Return the forms of files that the server writes, the usual ones first. */
export function listForms(): string[] {
  const { files } = getCatalog();
  return [...FIRST.filter((form) => files.includes(form)), ...files.filter((form) => !FIRST.includes(form))];
}

export const nameForm = (form: string): string => NAMES[form] ?? form.toUpperCase();

/** Open the list of forms in which the rows can be saved. */
export function openExport(
  anchor: Element,
  view: View,
  chosen: Record<string, string>,
  columns: readonly Property[],
  more: readonly Command[],
): void {
  const query = fileQuery(
    view,
    chosen,
    columns.map(({ name }) => name),
  );
  const commands = listForms().map((form): Command => {
    const asked = new URLSearchParams(query);
    asked.set("f", form);
    const name = `${view.layer}.${form}`;
    return {
      label: nameForm(form),
      href: `${itemsPath(view.layer)}?${asked}`,
      download: name,
      run: () => notify(t("table.saving", { name })),
    };
  });
  openMenu(anchor, t("table.export"), [...more, ...commands]);
}

/** Put rows on the clipboard as a spreadsheet takes them, in the reader's words. */
export async function copyRows(items: readonly Item[], columns: readonly Property[]): Promise<void> {
  const plain = (text: string): string => text.replaceAll(/[\t\r\n]+/g, " ");
  const line = (item: Item): string =>
    columns
      .map((property) => {
        const value = property.name === "id" ? item.id : item.properties[property.name];
        return value === null || value === undefined ? "" : plain(formatProperty(value, property));
      })
      .join("\t");
  const text = [columns.map((property) => plain(headOf(property))).join("\t"), ...items.map(line)].join("\n");
  try {
    await navigator.clipboard.writeText(text);
    notify(t("table.copied", { count: items.length }));
  } catch (error) {
    notify(explain(error));
  }
}
