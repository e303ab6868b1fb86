/** What one edit did: items with old and new values, on the map, and the way to take it back. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError, readItem } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { drawNetwork, FOUND_COLOR } from "../map/network";
import { boundsOf, zoomToBounds } from "../map/pick";
import { itemButton } from "../panels/item-button";
import { empty, failure, loading, textButton } from "../panels/parts";
import { table } from "../panels/table";
import type { ZoomToItem } from "../types";
import {
  type Change,
  type EditLong,
  type EditShort,
  type LayerSchema,
  readEdit,
  readLastShape,
  readSchema,
} from "./api";
import { openEditor } from "./open";
import { makeReasonField } from "./reason-field";
import { undoEdit } from "./saving";
import { sayValue, titleOf } from "./values";

const SHOWN = 20;
const MOST_REVERTED = 5000;

/** Build the part; it asks the server when it is made. */
export function editDetail(map: MapView, edit: EditShort, zoomToItem: ZoomToItem): HTMLElement {
  const element = h("div", { class: "edit-detail", "aria-live": "polite" });
  const open = async (): Promise<void> => {
    replace(element, loading());
    try {
      const long = await readEdit(edit.id);
      const layers = [...new Set(long.changes.map(({ collection }) => collection))];
      const schemas = new Map(await Promise.all(layers.map(async (one) => [one, await readSchema(one)] as const)));
      replace(element, ...detail(map, long, schemas, zoomToItem));
    } catch (error) {
      replace(
        element,
        failure(error, () => void open()),
      );
    }
  };
  void open();
  return element;
}

function detail(
  map: MapView,
  edit: EditLong,
  schemas: ReadonlyMap<string, LayerSchema>,
  zoomToItem: ZoomToItem,
): (HTMLElement | null)[] {
  const counts = Object.entries(edit.counts).map(
    ([layer, count]) => `${say(findVectorLayer(layer)?.title, layer)}: ${formatNumber(count, 0)}`,
  );
  const total = Object.values(edit.counts).reduce((sum, count) => sum + count, 0);
  const problem = h("div");
  const shown = edit.changes.slice(0, SHOWN);
  const items = shown.map((change) => changePart(change, schemas.get(change.collection), zoomToItem, problem));
  const more =
    total > shown.length ? h("p", { class: "soft" }, t("work.moreChanges", { count: total - shown.length })) : null;
  return [
    h("p", { class: "soft" }, edit.reverts ? t("work.reverts", { edit: edit.reverts }) : counts.join(" · ")),
    items.length === 0 ? empty(t("work.nothingChanged")) : h("ul", { class: "changes" }, ...items),
    more,
    problem,
    h(
      "div",
      { class: "row" },
      items.length > 0
        ? textButton(t("work.onMap"), () => void drawChanges(map, shown, problem), "button-small", "target")
        : null,
    ),
    total > 0 && total <= MOST_REVERTED ? revertPart(map, edit) : null,
  ];
}

function changePart(
  change: Change,
  schema: LayerSchema | undefined,
  zoomToItem: ZoomToItem,
  problem: HTMLElement,
): HTMLElement {
  const rows = Object.entries(change.properties).map(([name, { old, new: now }]) => {
    const property = schema?.properties[name];
    return [titleOf(property, name), sayValue(property, old), sayValue(property, now)];
  });
  const isGone = change.change === "deleted";
  return h(
    "li",
    { class: "change" },
    h(
      "div",
      { class: "row" },
      isGone ? h("strong", {}, change.id) : itemButton(change.collection, change.id, zoomToItem, problem),
      h("span", { class: "badge" }, t(`work.change_${change.change}`)),
      isGone ? null : textButton(t("work.edit"), () => openEditor(change.collection, change.id), "button-small"),
    ),
    change.moved ? h("p", { class: "soft" }, t("work.moved", { metres: formatNumber(change.moved, 1) })) : null,
    rows.length > 0 && change.change === "changed"
      ? table([t("work.property"), t("work.before"), t("work.after")], rows)
      : null,
  );
}

/** Draw what an edit touched, deleted items where they last were. */
async function drawChanges(map: MapView, changes: readonly Change[], problem: HTMLElement): Promise<void> {
  try {
    replace(problem, loading());
    const shapes = await Promise.all(
      changes.map(async ({ collection, id, change }) => {
        if (change === "deleted") return readLastShape(collection, id);
        try {
          return (await readItem(collection, id)).geometry;
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) return readLastShape(collection, id);
          throw error;
        }
      }),
    );
    const features = changes.flatMap(({ collection, id }, at): GeoJSON.Feature[] => {
      const geometry = shapes[at];
      const properties = { color: FOUND_COLOR, size: 7, layer_id: collection, item_id: id };
      return geometry ? [{ type: "Feature", geometry, properties }] : [];
    });
    drawNetwork(map, { features, tiles: [] });
    const geometries = features.map(({ geometry }) => geometry);
    if (geometries.length > 0) zoomToBounds(map, boundsOf({ type: "GeometryCollection", geometries }));
    replace(problem);
  } catch (error) {
    replace(
      problem,
      failure(error, () => void drawChanges(map, changes, problem)),
    );
  }
}

function revertPart(map: MapView, edit: EditLong): HTMLElement {
  const reason = makeReasonField();
  const said = h("div", { "aria-live": "polite" });
  reason.set(t("work.undoReason", { edit: edit.id }));
  const revert = async (): Promise<void> => {
    const why = reason.read();
    if (why === null) return;
    replace(said, loading(t("work.saving")));
    try {
      await undoEdit(map, edit.id, why);
      replace(said);
    } catch (error) {
      replace(said, failure(error));
    }
  };
  return h(
    "details",
    { class: "more" },
    h("summary", {}, t("work.revert")),
    reason.element,
    said,
    textButton(t("work.revertAll"), () => void revert(), "button-small button-danger"),
  );
}
