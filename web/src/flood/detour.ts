/** The way between two places with and without the water of a flood, where people plan who must leave. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { formatLength } from "../format";
import { t } from "../i18n";
import { drawFlags, drawNetwork } from "../map/network";
import { select } from "../panels/parts";
import { table } from "../panels/table";
import { makeAsker } from "../traffic/asker";
import { FIRST_JOURNEY, type Journey, MODES, type Mode } from "../traffic/journey";
import { formatMinutes } from "../traffic/minutes";
import { makePoints } from "../traffic/points";
import { explainWay } from "../traffic/reasons";
import { askWays, drawDry, drawWays, flagsOf, type Ways } from "../traffic/ways";

/** Dry and under water, side by side; the streets of the way that is left. */
function compare(dry: Ways, wet: Ways | null, why: string): HTMLElement {
  const [before, after] = [dry.summary.routes[0], wet?.summary.routes[0]];
  const rows: Child[][] = [
    [t("route.dry"), before ? formatMinutes(before.duration) : "–", formatLength(before?.length)],
    [t("route.wet"), after ? formatMinutes(after.duration) : t("water.noWay"), formatLength(after?.length)],
  ];
  return h(
    "div",
    {},
    table(["", t("route.time"), t("measure.length")], rows),
    why ? h("p", { class: "field-error" }, why) : null,
    after ? h("p", { class: "soft" }, t("detour.by", { streets: after.streets.join(", ") })) : null,
  );
}

/** Make the section; `update` takes the flood whose water is on the roads. */
export function makeDetour(map: MapView): {
  element: HTMLElement;
  update: (flood: string | null) => void;
  show: () => void;
  hide: () => void;
} {
  let points: string[] = [];
  let flood: string | null = null;
  let mode: Mode = "motorbike";
  let isOpen = false;
  const asker = makeAsker(() => {
    if (isOpen) drawNetwork(map, null);
  }, explainWay);

  const ask = (): void => {
    drawFlags(map, flagsOf(points));
    if (points.length < 2 || !flood) {
      asker.ask(null);
      return;
    }
    const journey: Journey = { ...FIRST_JOURNEY, points, mode, flood, ways: 1 };
    asker.ask(async (signal) => {
      const dry = await askWays(journey, false, signal);
      let wet: Ways | null = null;
      let why = "";
      try {
        wet = await askWays(journey, true, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        why = explainWay(error);
      }
      drawNetwork(map, { features: wet ? drawWays(wet, 0, dry) : drawDry(dry), tiles: [] });
      return compare(dry, wet, why);
    });
  };
  const places = makePoints(map, {
    get: () => points,
    set: (next) => {
      points = next;
      places.update();
      ask();
      if (points.length === 1) places.start();
    },
    add: (before, word) => [...before, word].slice(0, 2),
    label: (index) => t(index === 0 ? "detour.from" : "detour.to"),
    invite: (count) => t(count === 0 ? "detour.pickFrom" : "detour.pickTo"),
    most: 2,
  });
  const box = h("div");
  const details = h(
    "details",
    { class: "more" },
    h("summary"),
    h("div", { class: "form" }, box, places.element, asker.element),
  );
  const label = (): void => {
    details.querySelector("summary")!.textContent = t("detour.title");
    const modes = MODES.map((value) => ({ value, label: t(`mode.${value}`) }));
    const vehicle = select(t("traffic.mode"), modes, mode, (value) => {
      mode = value as Mode;
      ask();
    });
    replace(box, h("label", { class: "field" }, h("span", { class: "field-label" }, t("traffic.mode")), vehicle));
    places.update();
  };
  return {
    element: h("div", { class: "section" }, details),
    update: (next) => {
      label();
      if (next === flood) return;
      flood = next;
      if (isOpen) ask();
    },
    show: () => {
      isOpen = true;
      ask();
    },
    hide: () => {
      isOpen = false;
      places.stop();
    },
  };
}
