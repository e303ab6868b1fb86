/** Ways between places: the form, the ways on the map, their steps, and what water makes of them. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { formatLength, formatTime } from "../format";
import { say, t } from "../i18n";
import { drawFlags, drawNetwork } from "../map/network";
import { bringInView, highlight } from "../map/pick";
import { answerButtons } from "../networks/answer";
import { section, select, textButton } from "../panels/parts";
import { table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import { makeAsker } from "./asker";
import { changeJourney, field, makeConditions, showWater } from "./conditions";
import { MOST_POINTS, WAYS } from "./journey";
import { formatMinutes } from "./minutes";
import { makePoints } from "./points";
import { explainWay } from "./reasons";
import { offeredPart } from "./run-form";
import { askWays, drawDry, drawWays, findBounds, flagsOf, type Step, type Way, type Ways } from "./ways";

const FAR = 50;
const CLOSE_ZOOM = 17;

function stepRow(map: MapView, step: Step): HTMLElement {
  const go = (): void => {
    highlight(map, { type: "Point", coordinates: step.location });
    map.easeTo({ center: step.location, zoom: Math.max(map.getZoom(), CLOSE_ZOOM - 1) });
  };
  const { length, duration } = step;
  const far = length > 0 ? `${formatLength(length)} · ${formatMinutes(duration)}` : "";
  return h(
    "li",
    { class: "step" },
    h("button", { type: "button", class: "link-button", onclick: go }, say(step.text, step.name ?? step.kind)),
    h("span", { class: "soft" }, far),
  );
}

/** Dry and under water, side by side. */
function comparePart(dry: Way | undefined, wet: Way | undefined): HTMLElement | null {
  if (!dry) return null;
  const more = (a: number, b: number, write: (value: number) => string): string => `+${write(Math.max(b - a, 0))}`;
  const rows: Child[][] = [
    [t("route.dry"), formatMinutes(dry.duration), formatLength(dry.length)],
    [t("route.wet"), wet ? formatMinutes(wet.duration) : t("water.noWay"), wet ? formatLength(wet.length) : "–"],
  ];
  if (wet)
    rows.push([
      t("route.difference"),
      more(dry.duration, wet.duration, formatMinutes),
      more(dry.length, wet.length, formatLength),
    ]);
  return section(t("route.compare"), table(["", t("route.time"), t("measure.length")], rows));
}

/** Build what is said of the ways; choosing another draws it and lists its steps. */
function waysAnswer(map: MapView, ways: Ways, dry: Ways | null): HTMLElement {
  const { routes, works, places } = ways.summary;
  const list = h("div", { class: "ways", role: "radiogroup", "aria-label": t("route.ways") });
  const steps = h("div");
  let chosen = 0;
  const show = (index: number): void => {
    chosen = index;
    drawNetwork(map, { features: drawWays(ways, chosen, dry), tiles: [] });
    replace(list, ...routes.map(wayButton));
    const listed = routes[chosen]?.steps ?? [];
    replace(
      steps,
      listed.length > 0
        ? section(t("route.steps"), h("ol", { class: "steps" }, ...listed.map((step) => stepRow(map, step))))
        : null,
    );
  };
  const choose = (index: number): void => {
    show(index);
    list.querySelectorAll<HTMLElement>(".way")[index]?.focus();
  };
  const wayButton = (way: Way, index: number): HTMLElement => {
    const arrival = way.arrival ? ` · ${t("route.arrival", { time: formatTime(way.arrival) })}` : "";
    return h(
      "button",
      {
        type: "button",
        role: "radio",
        class: "way",
        "aria-checked": String(index === chosen),
        tabindex: index === chosen ? 0 : -1,
        onclick: () => choose(index),
      },
      h("strong", {}, formatMinutes(way.duration)),
      h("span", {}, formatLength(way.length)),
      h("span", { class: "soft" }, `${way.streets.join(", ")}${arrival}`),
    );
  };
  list.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    choose((chosen + move + routes.length) % routes.length);
  });
  show(0);
  const closing = works.filter(({ closes }) => closes);
  const off = Math.max(...places.map((place) => place?.distance ?? 0));
  return h(
    "div",
    { class: "answer" },
    answerButtons(map, { bounds: findBounds(ways.lines) }),
    dry ? comparePart(dry.summary.routes[0], routes[0]) : null,
    section(t("route.ways"), list),
    off > FAR ? h("p", { class: "soft note" }, t("route.off", { length: formatLength(off) })) : null,
    closing.length > 0
      ? h(
          "p",
          { class: "soft note" },
          t("route.works", { works: closing.map(({ name, id }) => name || id).join(", ") }),
        )
      : null,
    steps,
  );
}

/** Say that water leaves no way, and what it was like before. */
function drownedAnswer(map: MapView, dry: Ways, reason: unknown): HTMLElement {
  drawNetwork(map, { features: drawDry(dry), tiles: [] });
  return h(
    "div",
    { class: "answer" },
    h("div", { class: "message message-error", role: "alert" }, explainWay(reason)),
    answerButtons(map, { bounds: findBounds(dry.lines) }),
    comparePart(dry.summary.routes[0], undefined),
  );
}

/** Build the part. */
export const routePart = (map: MapView): Part => offeredPart("route", () => buildRoutePart(map));

function buildRoutePart(map: MapView): Part {
  const conditions = makeConditions();
  const count = h("div", { class: "form" });
  const asker = makeAsker(() => drawNetwork(map, null), explainWay);
  const isOpen = (): boolean => getState().tab === "traffic" && getState().traffic === "route";
  const points = makePoints(map, {
    get: () => getState().journey.points,
    set: (all) => changeJourney({ points: all }),
    // The first two are start and end; whatever comes then lies between.
    add: (all, word) => (all.length < 2 ? [...all, word] : [...all.slice(0, -1), word, all.at(-1)!]),
    label: (index, all) => (index === 0 ? t("route.from") : index === all - 1 ? t("route.to") : t("route.via")),
    invite: (all) => t(all === 0 ? "route.pickFrom" : all === 1 ? "route.pickTo" : "route.pickVia"),
    most: MOST_POINTS,
  });

  const showButtons = (): void => {
    const { journey } = getState();
    const choices = WAYS.map((value) => ({ value: String(value), label: String(value) }));
    const box = select(t("route.count"), choices, String(journey.ways), (ways) =>
      changeJourney({ ways: Number(ways) }),
    );
    const turn = (): void => changeJourney({ points: [...getState().journey.points].reverse() });
    replace(
      count,
      journey.points.length <= 2 ? field(t("route.count"), box) : null,
      journey.points.length > 0
        ? h(
            "div",
            { class: "row" },
            journey.points.length > 1 ? textButton(t("route.turn"), turn, "button-small") : null,
            textButton(t("network.clear"), () => changeJourney({ points: [] }), "button-small"),
          )
        : null,
    );
  };
  const answer = async (signal: AbortSignal): Promise<HTMLElement> => {
    const { journey } = getState();
    const dry = await askWays(journey, false, signal);
    const show = (built: HTMLElement): HTMLElement => {
      const bounds = findBounds(dry.lines);
      if (bounds) bringInView(map, bounds);
      return built;
    };
    if (!journey.flood) return show(waysAnswer(map, dry, null));
    try {
      return show(waysAnswer(map, await askWays(journey, true, signal), dry));
    } catch (error) {
      if (signal.aborted) throw error;
      return show(drownedAnswer(map, dry, error));
    }
  };
  const update = (): void => {
    if (!isOpen()) return;
    const { journey } = getState();
    points.update();
    showButtons();
    drawFlags(map, flagsOf(journey.points));
    if (journey.flood) showWater(journey.flood, journey.floodTime);
    asker.ask(journey.points.length > 1 ? answer : null);
    if (journey.points.length < 2 && getState().panelOpen) points.start();
  };
  watch(["journey", "lang"], update);
  watch(["tab"], () => {
    if (!isOpen()) points.stop();
  });
  const form = h("div", { class: "form network-form" }, points.element, conditions.element, count);
  return { element: h("div", {}, form, asker.element), show: update, hide: points.stop };
}
