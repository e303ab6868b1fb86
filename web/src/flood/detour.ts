/** The way between two places with and without the water of a flood, where people plan who must leave. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { formatLength } from "../format";
import { t } from "../i18n";
import { drawFlags, drawNetwork } from "../map/network";
import { isPlace } from "../networks/places";
import { select } from "../panels/parts";
import { table } from "../panels/table";
import { makeSlice } from "../slices";
import { makeAsker } from "../traffic/asker";
import { FIRST_JOURNEY, type Journey, MODES, type Mode } from "../traffic/journey";
import { formatMinutes } from "../traffic/minutes";
import { makePoints } from "../traffic/points";
import { explainWay } from "../traffic/reasons";
import { askWays, drawDry, drawWays, flagsOf, type Ways } from "../traffic/ways";

/** Start and end, and who goes; in the link. */
const asked = makeSlice<{ points: readonly string[]; mode: Mode }>(
  "detour",
  (text) => {
    const words = (text ?? "").split(";");
    return {
      points: words.filter(isPlace).slice(0, 2),
      mode: MODES.find((mode) => words.includes(mode)) ?? "motorbike",
    };
  },
  ({ points, mode }) => (points.length > 0 ? [...points, mode].join(";") : null),
);

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
  let flood: string | null = null;
  let isOpen = false;
  const asker = makeAsker(() => {
    if (isOpen) drawNetwork(map, null);
  }, explainWay);

  const ask = (): void => {
    const { points, mode } = asked.get();
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
    get: () => asked.get().points,
    set: (points) => {
      asked.set({ ...asked.get(), points });
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
    { class: "more", open: asked.get().points.length > 0 },
    h("summary"),
    h("div", { class: "form" }, box, places.element, asker.element),
  );
  const label = (): void => {
    details.querySelector("summary")!.textContent = t("detour.title");
    const modes = MODES.map((value) => ({ value, label: t(`mode.${value}`) }));
    const vehicle = select(t("traffic.mode"), modes, asked.get().mode, (value) => {
      asked.set({ ...asked.get(), mode: value as Mode });
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
