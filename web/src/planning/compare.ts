/** Comparing two moments of the city or two runs of a flood: what is left and right, and how it is looked at. */

import type { Map as MapView } from "maplibre-gl";
import { readRun } from "../api";
import { findRasterLayer, isFlood, onData, runs } from "../data";
import { h, replace } from "../dom";
import { formatDateTime, formatHours, formatShortDateTime, parseCityTime, writeCityTime } from "../format";
import { say, t } from "../i18n";
import { drawAsAt } from "../map/tile-query";
import { legendList } from "../panels/layers";
import { empty, failure, loading, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import type { Run, ZoomToItem } from "../types";
import { changesList } from "./changes";
import { changePair, isTwo, type Look, type Pair, pair, type Side } from "./pair";
import { figuresPart } from "./run-figures";
import type { Scene } from "./second-map";
import { makeSwipe, type Swipe } from "./swipe";
import { drawWorks } from "./work-drawing";
import { works } from "./works";

const LOOKS: readonly Look[] = ["swipe", "beside", "list"];
const known = new Map<string, Promise<Run>>();

/** Return a finished run, read once. */
function findRun(id: string): Promise<Run> {
  const found = known.get(id) ?? readRun(id);
  known.set(id, found);
  found.catch(() => known.delete(id));
  return found;
}

const runOf = (side: Side): Promise<Run | null> => (side.kind === "run" ? findRun(side.run) : Promise.resolve(null));

function sideTitle(side: Side, run: Run | null): string {
  if (side.kind === "run") return run ? say(run.title) : side.run;
  return side.at ? formatDateTime(side.at) : t("plan.now");
}

const rasterOf = (run: Run | null, product: string) => run?.rasters.find(({ layer }) => layer === product) ?? null;

/** Return the moment of a run's series at a step, the last one where it has fewer. */
function timeAt(run: Run | null, { product, step }: Pair): string | null {
  const times = rasterOf(run, product)?.times;
  return times?.[Math.min(step, times.length - 1)] ?? null;
}

/** Build the part. */
export function comparePart(map: MapView, zoomToItem: ZoomToItem): Part {
  const sides = h("div", { class: "compare-sides" });
  const looks = h("div");
  const shared = h("div");
  const told = h("div", { "aria-live": "polite" });
  let swipe: Swipe | null = null;
  let before: { runId: string | null; product: string; time: string | null } | null = null;
  let ticket = 0;
  let listed = "";
  const isOpen = (): boolean => getState().tab === "planning" && getState().plan === "compare";

  const close = (): void => {
    ticket++;
    swipe?.remove();
    swipe = null;
    drawAsAt(map, null);
    if (before) setState(before);
    before = null;
  };

  /** Draw both sides, and say what differs. */
  const draw = async (): Promise<void> => {
    const own = ++ticket;
    const now = pair.get();
    showLooks();
    if (!isTwo(now)) {
      close();
      listed = "";
      replace(shared);
      replace(told, empty(t("plan.choosePair")));
      return;
    }
    try {
      const [left, right] = await Promise.all([runOf(now.left), runOf(now.right)]);
      if (own !== ticket || !isOpen()) return;
      before ??= { runId: getState().runId, product: getState().product, time: getState().time };
      drawAsAt(map, now.left.kind === "date" ? now.left.at : null);
      setState(left ? { runId: left.id, product: now.product, time: timeAt(left, now) } : { product: "none" });
      const scene: Scene = {
        at: now.right.kind === "date" ? now.right.at : null,
        run: right?.id ?? null,
        raster: rasterOf(right, now.product),
        time: timeAt(right, now),
        opacity: getState().opacity,
      };
      swipe ??= makeSwipe(map, scene);
      swipe.draw(scene, [sideTitle(now.left, left), sideTitle(now.right, right)]);
      showShared(now, left, right);
      tell(now, left, right);
    } catch (error) {
      if (own === ticket)
        replace(
          told,
          failure(error, () => void draw()),
        );
    }
  };

  /** The tables of what differs; they stay while only the handle moves. */
  const tell = (now: Pair, left: Run | null, right: Run | null): void => {
    const asked = JSON.stringify([now.left, now.right, getState().lang]);
    if (asked === listed) return;
    listed = asked;
    if (left && right) replace(told, figuresPart(left, right));
    else if (now.left.kind === "date" && now.right.kind === "date") {
      const ends = [now.left.at, now.right.at].map((at) => at ?? `${new Date().toISOString().slice(0, 19)}Z`).sort();
      replace(told, changesList(ends[0]!, ends[1]!, zoomToItem));
    } else replace(told, empty(t("plan.mixedPair")));
  };

  const showShared = (now: Pair, left: Run | null, right: Run | null): void => {
    if (!left && !right) {
      replace(shared);
      return;
    }
    const lists = [left, right].flatMap((run) => (run ? [run.rasters.map(({ layer }) => layer)] : []));
    const products = (lists[0] ?? []).filter((layer) => lists.every((list) => list.includes(layer)));
    const choices = products.map((value) => ({ value, label: say(findRasterLayer(value)?.title, value) }));
    const box = select(t("plan.product"), choices, now.product, (product) => changePair({ product, step: 0 }));
    const first = left ?? right;
    const times = rasterOf(first, now.product)?.times ?? [];
    const legend = findRasterLayer(now.product);
    replace(
      shared,
      h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.product")), box),
      times.length > 1 ? stepField(now, times, first?.base_time ?? times[0]!) : null,
      legend ? legendList(legend) : null,
    );
  };

  const stepField = (now: Pair, times: readonly string[], start: string): HTMLElement => {
    const words = (step: number): string => {
      const at = times[Math.min(step, times.length - 1)]!;
      return `${formatShortDateTime(at)} (+${formatHours((Date.parse(at) - Date.parse(start)) / 3.6e6)})`;
    };
    const step = Math.min(now.step, times.length - 1);
    const output = h("output", { class: "soft" }, words(step));
    const bar = h("input", {
      type: "range",
      name: "compare-step",
      min: 0,
      max: times.length - 1,
      value: step,
      "aria-valuetext": words(step),
      oninput: () => {
        output.textContent = words(Number(bar.value));
        bar.setAttribute("aria-valuetext", words(Number(bar.value)));
      },
      onchange: () => changePair({ step: Number(bar.value) }),
    });
    return h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.moment")), bar, output);
  };

  const sideField = (name: "left" | "right"): HTMLElement => {
    const side = pair.get()[name];
    const finished = (runs ?? []).filter(({ process }) => isFlood(process));
    const choices = [
      { value: "now", label: t("plan.now") },
      { value: "date", label: t("plan.date") },
      ...finished.map((run) => ({ value: run.id, label: `${formatShortDateTime(run.created)} · ${say(run.title)}` })),
    ];
    const value = side.kind === "run" ? side.run : side.at ? "date" : "now";
    if (!choices.some((choice) => choice.value === value)) choices.push({ value, label: value });
    const label = t(name === "left" ? "plan.left" : "plan.right");
    const box = select(label, choices, value, (next) => {
      const yesterday = new Date(Date.now() - 86_400_000);
      const at = `${yesterday.toISOString().slice(0, 16)}:00Z`;
      const chosen: Side =
        next === "now"
          ? { kind: "date", at: null }
          : next === "date"
            ? { kind: "date", at }
            : { kind: "run", run: next };
      changePair({ [name]: chosen });
      showSides();
    });
    box.name = `compare-${name}`;
    const date = side.kind === "date" && side.at ? dateBox(name, side.at, label) : null;
    return h("div", { class: "field" }, h("span", { class: "field-label" }, label), box, date);
  };

  const dateBox = (name: "left" | "right", at: string, label: string): HTMLElement => {
    const box = h("input", {
      class: "input",
      type: "datetime-local",
      name: `compare-${name}-at`,
      "aria-label": `${label}: ${t("plan.date")}`,
      value: writeCityTime(new Date(at)),
      onchange: () => {
        const moment = parseCityTime(box.value);
        box.setAttribute("aria-invalid", String(!moment));
        if (moment) changePair({ [name]: { kind: "date", at: `${moment.toISOString().slice(0, 19)}Z` } });
      },
    });
    return box;
  };

  const showSides = (): void => {
    const turn = (): void => {
      const { left, right } = pair.get();
      changePair({ left: right, right: left });
      showSides();
    };
    replace(sides, sideField("left"), sideField("right"), textButton(t("plan.turn"), turn, "button-small"));
  };

  const showLooks = (): void => {
    const { look } = pair.get();
    replace(
      looks,
      isTwo(pair.get())
        ? h(
            "div",
            { class: "segments compare-looks", role: "group", "aria-label": t("plan.look") },
            ...LOOKS.map((one) =>
              h(
                "button",
                {
                  type: "button",
                  class: "segment",
                  "aria-pressed": String(one === look),
                  "data-look": one,
                  onclick: () => changePair({ look: one }),
                },
                t(`plan.look_${one}`),
              ),
            ),
          )
        : null,
    );
  };

  const showAll = (): void => {
    showSides();
    void draw();
  };
  pair.watch(() => {
    if (isOpen()) void draw();
  });
  onData("runs", () => {
    if (isOpen() && !sides.contains(document.activeElement)) showSides();
  });
  // The time slider below the map moves both sides.
  watch(["time"], ({ time }) => {
    const now = pair.get();
    if (!isOpen() || !swipe || now.left.kind !== "run" || !time) return;
    void runOf(now.left).then((left) => {
      const step = rasterOf(left, now.product)?.times?.indexOf(time) ?? -1;
      if (step >= 0 && step !== pair.get().step) changePair({ step });
    });
  });
  watch(["lang"], () => {
    if (isOpen()) showAll();
  });
  return {
    element: h("div", { class: "form" }, sides, looks, shared, told),
    show: () => {
      listed = "";
      replace(told, isTwo(pair.get()) ? loading() : null);
      drawWorks(map, works.get());
      showAll();
    },
    hide: close,
  };
}
