/** Roads under water on the map: lines that differ without colour, and only those closed at the moment that is shown. */

import type { ExpressionSpecification, Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h } from "../dom";
import { t } from "../i18n";
import { applyTileQueries, setCondition } from "../map/tile-query";
import { codeTitle } from "../panels/table";
import { getState, watch } from "../state";
import { dressLines } from "./dress";

export const ROADS = "flooded_roads";
const PAUSE_MS = 150;

/** Dashes of each state, in widths of the line: roads that are open are drawn whole. */
const PATTERNS = { slow: [2.4, 1.2], closed: [1.4, 0.9] } as const;

const DASHES: ExpressionSpecification = [
  "match",
  ["get", "state"],
  "slow",
  ["literal", [...PATTERNS.slow]],
  "closed",
  ["literal", [...PATTERNS.closed]],
  ["literal", [1, 0]],
];

/** The legend of the roads: colour and pattern of each state. */
export function roadLegend(): HTMLElement {
  const entries = findVectorLayer(ROADS)?.legend ?? [];
  const line = (value: string, color: string): HTMLElement =>
    h("span", { class: `pattern pattern-${value}`, style: `--swatch:${color}`, "aria-hidden": "true" });
  return h(
    "ul",
    { class: "legend", "aria-label": t("layers.legend") },
    ...entries.map(({ value, color }) =>
      h("li", {}, line(String(value), color), h("span", {}, codeTitle(ROADS, "state", value))),
    ),
  );
}

/** Return the condition that a road is closed at a moment. */
const closedAt = (time: string): string =>
  `closed_from <= TIMESTAMP('${time}') AND (closed_until IS NULL OR closed_until > TIMESTAMP('${time}'))`;

/** Follow map and clock; `setFollowing` says whether the roads closed at the clock's moment are drawn, or all. */
export function followRoads(map: MapView): { setFollowing: (follows: boolean) => void } {
  let following = false;
  let timer = 0;
  const show = (): void => {
    const { time } = getState();
    setCondition(ROADS, following && time ? closedAt(time) : null);
    applyTileQueries(map);
  };
  dressLines(map, ROADS, { "line-dasharray": DASHES });
  watch(["time"], () => {
    if (!following) return;
    clearTimeout(timer);
    timer = window.setTimeout(show, PAUSE_MS);
  });
  return {
    setFollowing: (follows) => {
      if (follows === following) return;
      following = follows;
      show();
    },
  };
}
