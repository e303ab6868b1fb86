/** What can be done with a row: look at it, ask its network, order work, mend it. */

import type { Map as MapView } from "maplibre-gl";
import { readItem } from "../api";
import { explain, t } from "../i18n";
import { zoomTo } from "../map/pick";
import { findCommodity, kindsOf } from "../networks/commodities";
import { askAbout } from "../networks/form";
import { notify } from "../panels/notice";
import { setState } from "../state";
import type { Item } from "../types";
import { openEditor, openNewOrder } from "../work/open";
import { type Anchor, type Command, openMenu } from "./popup";

const TRACES = ["upstream", "downstream", "isolation", "connected"] as const;

/** Bring an item in sight; where it lies is asked first. */
export function zoomToRow(map: MapView, layer: string, id: string): void {
  readItem(layer, id).then(
    ({ geometry }) => {
      if (geometry) zoomTo(map, geometry);
    },
    (error: unknown) => notify(explain(error)),
  );
}

/** Open the menu of a row. */
export function openRowMenu(map: MapView, anchor: Anchor, layer: string, item: Item, copy: () => void): void {
  const commodity = findCommodity(layer, item.properties);
  const kinds = commodity ? TRACES.filter((kind) => kindsOf(commodity).includes(kind)) : [];
  const commands: Command[] = [
    { label: t("card.zoom"), run: () => zoomToRow(map, layer, item.id) },
    { label: t("table.card"), run: () => setState({ place: null, selection: { layer, id: item.id } }) },
    ...kinds.map(
      (kind): Command => ({
        label: t("table.trace", { kind: t(`trace.${kind}`) }),
        run: () => askAbout(commodity!, kind, `${layer}/${item.id}`),
      }),
    ),
    { label: t("table.orderWork"), run: () => openNewOrder(layer, item.id) },
    { label: t("table.edit"), run: () => openEditor(layer, item.id) },
    { label: t("table.copyRow"), run: copy },
  ];
  openMenu(anchor, t("table.rowMenu", { id: item.id }), commands);
}
