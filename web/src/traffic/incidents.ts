/** Incidents that counters noticed: alarms of the twin, those that stand first. */

import type { Map as MapView } from "maplibre-gl";
import { readAlarms } from "../api";
import { type Child, h } from "../dom";
import { formatShare, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { highlight } from "../map/pick";
import { empty, section } from "../panels/parts";
import { longTable } from "../panels/table";
import type { Alarm } from "../types";

const EVENT = "traffic-incident";
const CLOSE_ZOOM = 15.5;

function alarmRow(map: MapView, { title, state_title, raised, cleared, value, position }: Alarm): Child[] {
  const go = (): void => {
    if (!position) return;
    highlight(map, { type: "Point", coordinates: position });
    map.easeTo({ center: position, zoom: Math.max(map.getZoom(), CLOSE_ZOOM) });
  };
  return [
    h(
      "div",
      { class: "two-lines" },
      position ? h("button", { type: "button", class: "link-button", onclick: go }, say(title)) : say(title),
      h("span", { class: "soft" }, say(state_title)),
    ),
    formatShortDateTime(raised),
    cleared ? "–" : formatShare(value),
  ];
}

/** Read the alarms and build their list. */
export async function incidentsPart(map: MapView): Promise<HTMLElement> {
  const alarms = await readAlarms(EVENT, true);
  const rows = alarms
    .sort((a, b) => (b.raised ?? "").localeCompare(a.raised ?? ""))
    .map((alarm) => alarmRow(map, alarm));
  const list = rows.length > 0 ? longTable([t("now.incident"), t("now.from"), t("now.sure")], rows) : null;
  return section(t("now.incidents"), list ?? empty(t("now.noIncidents")));
}
