/** What the next 48 hours bring by ward: a map, a list, and what is hit in each. */

import type { Map as MapView } from "maplibre-gl";
import { onData, runs } from "../data";
import { h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { drawNetwork } from "../map/network";
import { zoomTo } from "../map/pick";
import { empty, failure, loading, select, swatch, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { ageOf, formatAge, isOld } from "./ages";
import { type Loop, readLoop } from "./reading";
import {
  AHEAD_HOURS,
  chooseEnsemble,
  chosenWard,
  isWet,
  listEnsembles,
  listShades,
  PAINTS,
  type Paint,
  readShapes,
  readWards,
  SORTS,
  type Sort,
  shadeWard,
  sortWards,
  type WardsOfRun,
  wardPaint,
  wardRun,
  wardSort,
} from "./ward-data";
import { wardDetail } from "./ward-detail";
import { countWet, openWardTable, wardRow } from "./ward-list";

const FIRST_ROWS = 20;
const OPACITY = 0.62;
const DRY = "#8b9aa5";

/** Draw the wards in the colours of their class; a chosen one has a thick edge. */
async function drawWards(map: MapView, known: WardsOfRun, isShown: () => boolean): Promise<void> {
  const shapes = await readShapes();
  if (!isShown()) return;
  const base = known.run.base_time ?? known.run.created;
  const features = known.wards.flatMap((ward): GeoJSON.Feature[] => {
    const geometry = shapes.get(ward.ward_code);
    if (!geometry) return [];
    const shade = shadeWard(ward, wardPaint.get(), base);
    const words = { layer_id: "wards", item_id: ward.ward_code, color: shade?.color ?? DRY };
    return [{ type: "Feature", geometry, properties: { ...words, opacity: shade ? OPACITY : 0.08 } }];
  });
  drawNetwork(map, { features, tiles: [] });
}

/** Build the part. */
export function wardsPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const element = h("div");
  let loop: Loop | null = null;
  let known: WardsOfRun | null = null;
  let shown = false;
  let asked = 0;
  let all = false;

  const isOnScreen = (): boolean => shown && getState().tab === "flood";

  const baseOf = ({ run }: WardsOfRun): string => run.base_time ?? run.created;

  const open = (code: string | null): void => {
    chosenWard.set(code);
    show();
    const target = code
      ? element.querySelector<HTMLElement>(".ward-detail h3")
      : element.querySelector<HTMLElement>(".ward-row");
    target?.focus();
    if (code) void readShapes().then((shapes) => shapes.get(code) && zoomTo(map, shapes.get(code)!));
  };

  const head = (of: WardsOfRun): HTMLElement => {
    const base = baseOf(of);
    const hours = of.run.horizon_hours ?? 0;
    const end = new Date(Date.parse(base) + hours * 3600e3);
    const ensembles = listEnsembles();
    const choices = ensembles.map((one) => ({
      value: one.id,
      label: `${formatShortDateTime(one.base_time ?? one.created)} · ${say(one.title)}`,
    }));
    const words = { time: formatShortDateTime(base), age: formatAge(ageOf(base) ?? 0) };
    return h(
      "div",
      {},
      ensembles.length > 1 ? select(t("flood.run"), choices, of.run.id, (id) => wardRun.set(id)) : null,
      h("p", { class: isOld(base) ? "desk-shout" : "soft note" }, t(isOld(base) ? "ward.oldRun" : "ward.run", words)),
      hours < AHEAD_HOURS
        ? h("p", { class: "soft note" }, t("ward.unknown", { time: formatShortDateTime(end) }))
        : null,
      loop?.late_since
        ? h("p", { class: "desk-shout" }, t("desk.loopLate", { time: formatShortDateTime(loop.late_since) }))
        : null,
    );
  };

  const legend = (): HTMLElement =>
    h(
      "div",
      { class: "ward-legend" },
      select(
        t("ward.paint"),
        PAINTS.map((value) => ({ value, label: t(`ward.paint_${value}`) })),
        wardPaint.get(),
        (value) => wardPaint.set(value as Paint),
      ),
      h(
        "ul",
        { class: "legend" },
        ...listShades(wardPaint.get()).map(({ color, words }) => h("li", {}, swatch(color), words)),
        h("li", {}, swatch(DRY), t("ward.dryShort")),
      ),
    );

  const list = (of: WardsOfRun): HTMLElement => {
    const base = baseOf(of);
    const sorted = sortWards(of.wards, wardSort.get());
    const wet = sorted.filter(isWet);
    const dry = sorted.filter((ward) => !isWet(ward));
    const rows = (all ? wet : wet.slice(0, FIRST_ROWS)).map((ward) =>
      wardRow(ward, base, wardPaint.get(), ward.ward_code === chosenWard.get(), open),
    );
    const people = of.wards.reduce((sum, ward) => sum + ward.likely.people, 0);
    return h(
      "div",
      {},
      h(
        "p",
        { class: "desk-head" },
        wet.length === 0
          ? t("ward.allDry", { count: formatNumber(of.wards.length, 0) })
          : t("ward.someWet", {
              wet: formatNumber(countWet(of.wards), 0),
              count: formatNumber(of.wards.length, 0),
              people: formatNumber(people, 0),
            }),
      ),
      h(
        "div",
        { class: "row" },
        select(
          t("ward.sort"),
          SORTS.map((value) => ({ value, label: t(`ward.sort_${value}`) })),
          wardSort.get(),
          (value) => wardSort.set(value as Sort),
        ),
        textButton(t("ward.table"), () => openWardTable(of.run.id, of.wards, open), "button-small", "table"),
      ),
      legend(),
      h("p", { class: "soft note" }, t("ward.stripHint")),
      h("ul", { class: "plain-list" }, ...rows),
      !all && wet.length > FIRST_ROWS
        ? textButton(
            t("works.more", { count: formatNumber(wet.length - FIRST_ROWS, 0) }),
            () => {
              all = true;
              show();
            },
            "button-small",
          )
        : null,
      dry.length > 0
        ? h(
            "details",
            { class: "more" },
            h("summary", {}, t("ward.dryWards", { count: formatNumber(dry.length, 0) })),
            h("p", { class: "soft" }, dry.map((ward) => ward.ward_name).join(", ")),
          )
        : null,
    );
  };

  const show = (): void => {
    if (!known) return;
    const of = known;
    const ward = of.wards.find(({ ward_code }) => ward_code === chosenWard.get());
    const run = { id: of.run.id, base: baseOf(of), summary: of.run.summary ?? {} };
    if (of.wards.length === 0)
      replace(element, head(of), empty(h("strong", {}, t("ward.noWards")), h("p", {}, t("ward.noWardsHint"))));
    else replace(element, head(of), ward ? wardDetail(run, ward, zoomToItem, () => open(null)) : list(of));
    if (isOnScreen()) drawWards(map, of, isOnScreen).catch((error: unknown) => console.warn("wards:", error));
  };

  const nothing = (): void =>
    replace(
      element,
      empty(
        h("strong", {}, t("ward.noRun")),
        h("p", {}, t("ward.noRunHint")),
        textButton(t("ward.start"), () => setState({ tab: "scenario" }), "button-primary"),
      ),
    );

  const load = async (): Promise<void> => {
    const ticket = ++asked;
    if (!known) replace(element, loading());
    try {
      loop = await readLoop();
      const id = chooseEnsemble(loop);
      if (!id) {
        if (runs !== null) nothing();
        return;
      }
      if (known?.run.id !== id) {
        const read = await readWards(id);
        if (ticket !== asked) return;
        known = read;
      }
      show();
    } catch (error) {
      if (ticket !== asked) return;
      replace(
        element,
        failure(error, () => void load()),
      );
    }
  };

  for (const slice of [wardSort, wardPaint] as const) slice.watch(() => show());
  wardRun.watch(() => void load());
  onData("runs", () => {
    if (shown) void load();
  });
  watch(["lang"], () => {
    if (shown) show();
  });
  return {
    element,
    show: () => {
      shown = true;
      void load();
    },
    hide: () => {
      shown = false;
    },
  };
}
