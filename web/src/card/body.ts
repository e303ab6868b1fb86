/** What the card tells of an item, from what matters now down to where it comes from. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer, sensors } from "../data";
import { t } from "../i18n";
import { isOfRuns } from "../map/tile-query";
import { buildCardParts } from "../panels/card-parts";
import { departuresPart } from "../panels/departures";
import { section } from "../panels/parts";
import { pointPart } from "../panels/point";
import { sensorPart } from "../panels/sensor-card";
import type { Place, Selection } from "../state";
import type { Item } from "../types";
import { actionRow, namingRow } from "./actions";
import { fillFiles } from "./files";
import { foldSection } from "./fold";
import { fillHistory } from "./history";
import { fillInspections } from "./inspections";
import { fillOrders } from "./orders";
import { propertyList, sourceList } from "./properties";
import { fillRelated } from "./related";
import { fillRuns } from "./runs";
import { liveState } from "./state";

/** Build the parts of the card; nothing is asked for a folded one. */
export function itemParts(map: MapView, item: Item, selection: Selection, place: Place | null): (HTMLElement | null)[] {
  const layer = findVectorLayer(selection.layer);
  const sensor = selection.layer === "sensors" ? sensors.find((entry) => entry.id === selection.id) : undefined;
  const ofRun = layer ? isOfRuns(layer) : false;
  const kept = layer && !ofRun;
  return [
    actionRow(item, selection),
    ...buildCardParts(item, selection),
    sensor ? sensorPart(sensor) : null,
    kept && !sensor ? liveState(selection) : null,
    place ? pointPart(place) : null,
    selection.layer === "stops" ? departuresPart(item) : null,
    section(t("item.properties"), propertyList(item, layer)),
    kept ? foldSection("related", t("item.related"), (holder) => fillRelated(holder, selection)) : null,
    kept ? foldSection("runs", t("item.runs"), (holder) => fillRuns(holder, selection)) : null,
    kept ? foldSection("inspections", t("item.inspections"), (holder) => fillInspections(holder, selection)) : null,
    kept ? foldSection("files", t("item.files"), (holder) => fillFiles(holder, selection)) : null,
    kept ? foldSection("orders", t("item.orders"), (holder) => fillOrders(holder, selection)) : null,
    kept ? foldSection("history", t("item.history"), (holder) => fillHistory(map, holder, selection, layer)) : null,
    layer ? foldSection("source", t("card.source"), (holder) => holder.append(sourceList(layer))) : null,
    namingRow(selection),
  ];
}
