/** The versions of an item: what changed, when, by whom and why; an old shape can be seen on the map. */

import type { Map as MapView } from "maplibre-gl";
import { h } from "../dom";
import { formatDateTime, formatLength, formatProperty } from "../format";
import { type Key, say, t } from "../i18n";
import { empty, textButton } from "../panels/parts";
import type { Selection } from "../state";
import type { Item, VectorLayer } from "../types";
import { propertyRow } from "./fold";
import { drawOldShape } from "./ghost";
import { fill, readInternal } from "./internal";

const CHANGES: readonly string[] = ["created", "changed", "deleted"];

interface Edit {
  at: string;
  kind: string;
  author?: string | null;
  reason?: string | null;
}

interface Version extends Item {
  version: number;
  valid: [string, string | null];
  recorded: [string, string | null];
  change: { change: string; properties: Record<string, { old: unknown; new: unknown }>; moved: number | null };
  edit: Edit | null;
}

function changeList({ properties }: Version["change"], layer: VectorLayer | undefined): HTMLElement | null {
  const rows = Object.entries(properties).map(([name, { old, new: now }]) => {
    const property = layer?.properties.find((one) => one.name === name);
    const write = (value: unknown): string => (property ? formatProperty(value, property) : String(value ?? "–"));
    const values = h("span", {}, h("del", {}, write(old)), " → ", h("ins", {}, write(now)));
    return propertyRow(say(property?.title, name), values);
  });
  return rows.length > 0 ? h("dl", { class: "properties" }, ...rows) : null;
}

/** A button that shows the shape of a version while it is pressed in. */
function oldShapeButton(map: MapView, geometry: GeoJSON.Geometry): HTMLElement {
  const button = textButton(
    t("item.showOld"),
    () => {
      const show = button.getAttribute("aria-pressed") !== "true";
      for (const other of button.closest("ol")?.querySelectorAll<HTMLElement>("[aria-pressed=true]") ?? []) {
        other.setAttribute("aria-pressed", "false");
        other.textContent = t("item.showOld");
      }
      button.setAttribute("aria-pressed", String(show));
      button.textContent = t(show ? "item.hideOld" : "item.showOld");
      drawOldShape(map, show ? geometry : null);
    },
    "button-small",
  );
  button.setAttribute("aria-pressed", "false");
  return button;
}

function versionItem(map: MapView, version: Version, current: string, layer: VectorLayer | undefined): HTMLElement {
  const { change, edit, geometry } = version;
  const kind = CHANGES.includes(change.change) ? change.change : "changed";
  const author = edit?.author || t("item.somebody");
  const when = formatDateTime(edit?.at ?? version.recorded[0]);
  const moved = change.moved === null ? null : t("item.moved", { distance: formatLength(change.moved) });
  const other = geometry !== null && JSON.stringify(geometry) !== current;
  return h(
    "li",
    { class: "version" },
    h("strong", {}, `${t("item.version", { version: version.version })} · ${t(`item.change_${kind}` as Key)}`),
    h("span", { class: "soft" }, t("item.by", { author, time: when })),
    edit?.reason ? h("span", {}, edit.reason) : null,
    changeList(change, layer),
    moved ? h("span", {}, moved) : null,
    other ? oldShapeButton(map, geometry) : null,
  );
}

/** Fill the section. */
export function fillHistory(
  map: MapView,
  holder: HTMLElement,
  { layer, id }: Selection,
  declared: VectorLayer | undefined,
): void {
  const path = `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}/versions`;
  void fill(
    holder,
    () => readInternal<{ versions: Version[] }>(path),
    ({ versions }) => {
      const newest = versions.at(-1);
      if (!newest) return empty(t("item.onlyOne"));
      const current = JSON.stringify(newest.geometry);
      const rows = [...versions].reverse().map((version) => versionItem(map, version, current, declared));
      return h(
        "div",
        {},
        versions.length === 1 ? h("p", { class: "soft" }, t("item.onlyOne")) : null,
        h("ol", { class: "versions" }, ...rows),
      );
    },
  );
}
