/** Which wards a message is for: a list with search, a click on the map, a drawn area, the wards under water. */

import type { Map as MapView } from "maplibre-gl";
import { readItems } from "../api";
import { run } from "../data";
import { type Child, fold, h, replace } from "../dom";
import { formatArea, formatNumber } from "../format";
import { explain, t } from "../i18n";
import { aim, isAiming, stopAiming } from "../map/aim";
import { startSketch } from "../map/sketch";
import { textButton } from "../panels/parts";
import { meets } from "../table/open";
import { makeGroup } from "./fields";

export interface Ward {
  code: string;
  name: string;
  nameEn: string;
  population: number | null;
}

/** A ward counts as under water from a hectare on, as the proposals of alarms count. */
const FLOODED_M2 = 10_000;
const LIMIT = "1000";
const SEARCH_FROM = 12;

let known: Promise<Ward[]> | null = null;

async function askWards(query: Record<string, string>): Promise<Ward[]> {
  const page = await readItems("wards", {
    ...query,
    skipGeometry: "true",
    properties: "ward_code,name,name_en,population",
    limit: LIMIT,
  });
  const wards = new Map<string, Ward>();
  for (const { properties } of page.features) {
    const code = String(properties["ward_code"] ?? "");
    const population = properties["population"];
    if (code)
      wards.set(code, {
        code,
        name: String(properties["name"] ?? code),
        nameEn: String(properties["name_en"] ?? properties["name"] ?? code),
        population: typeof population === "number" ? population : null,
      });
  }
  return [...wards.values()].sort((a, b) => a.name.localeCompare(b.name, "vi"));
}

/** Return the wards of the city, by name; they are read once. */
export function readWards(): Promise<Ward[]> {
  known ??= askWards({});
  known.catch(() => {
    known = null;
  });
  return known;
}

/** Return the codes of wards that a run puts under water. */
export function floodedWards(): { code: string; area: number }[] {
  return (run?.summary?.by_ward ?? [])
    .filter((ward) => (ward.flooded_area ?? 0) >= FLOODED_M2)
    .map((ward) => ({ code: ward.ward_code, area: ward.flooded_area ?? 0 }));
}

export interface WardChooser {
  element: HTMLElement;
  refuse: (words: string) => void;
  /** End what waits for the map. */
  stop: () => void;
}

/** Build the chooser; `chosen` is changed in place and `change` is told. */
export function makeWardChooser(
  map: MapView,
  wards: readonly Ward[],
  chosen: Set<string>,
  change: () => void,
): WardChooser {
  const list = h("div", { class: "checklist ward-list", role: "group", tabindex: 0, "aria-label": t("warning.wards") });
  const count = h("p", { class: "soft", role: "status" });
  const problem = h("p", { class: "field-error", role: "status" });
  const water = new Map(floodedWards().map(({ code, area }) => [code, area]));
  let words = "";
  let drawing: (() => void) | null = null;

  const row = (ward: Ward): HTMLElement => {
    const box = h("input", { type: "checkbox", value: ward.code });
    box.checked = chosen.has(ward.code);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(ward.code);
      else chosen.delete(ward.code);
      tell();
    });
    const wet = water.get(ward.code);
    return h(
      "label",
      { class: "option" },
      box,
      h(
        "span",
        {},
        ward.name,
        wet ? h("span", { class: "soft" }, ` · ${t("warning.wet", { area: formatArea(wet) })}`) : null,
      ),
    );
  };
  const tell = (): void => {
    const people = wards.filter(({ code }) => chosen.has(code)).reduce((sum, one) => sum + (one.population ?? 0), 0);
    count.textContent = t("warning.chosenWards", {
      count: formatNumber(chosen.size, 0),
      all: formatNumber(wards.length, 0),
      people: formatNumber(people, 0),
    });
    change();
  };
  const show = (): void => {
    const wanted = fold(words);
    replace(list, ...wards.filter((ward) => fold(`${ward.name} ${ward.code}`).includes(wanted)).map(row));
    tell();
  };
  const set = (codes: Iterable<string>): void => {
    chosen.clear();
    for (const code of codes) chosen.add(code);
    show();
  };
  const touch = async (geometry: GeoJSON.Geometry, toggle: boolean): Promise<void> => {
    try {
      const found = await askWards({ filter: meets(geometry) });
      problem.textContent = found.length === 0 ? t("warning.noWardThere") : "";
      for (const { code } of found) {
        if (toggle && chosen.has(code)) chosen.delete(code);
        else chosen.add(code);
      }
      show();
    } catch (error) {
      problem.textContent = explain(error);
    }
  };
  const pointing = textButton(
    t("warning.pointWard"),
    () => (isAiming() ? stopAiming(map) : point()),
    "button-small",
    "target",
  );
  const point = (): void => {
    aim(
      map,
      ({ lngLat }) => void touch({ type: "Point", coordinates: [lngLat.lng, lngLat.lat] }, true).then(point),
      () => pointing.setAttribute("aria-pressed", "false"),
    );
    pointing.setAttribute("aria-pressed", "true");
  };
  const draw = async (): Promise<void> => {
    const sketch = await startSketch(map, "Polygon", {
      done: (geometry) => {
        drawing?.();
        void touch(geometry, false);
      },
    });
    drawing = () => {
      drawing = null;
      sketch.stop();
    };
  };
  const search = h("input", {
    type: "search",
    class: "input",
    "aria-label": t("warning.findWard"),
    placeholder: t("warning.findWard"),
  });
  search.addEventListener("input", () => {
    words = search.value;
    show();
  });
  const buttons: Child[] = [
    pointing,
    textButton(t("warning.drawArea"), () => void draw(), "button-small", "area"),
    water.size > 0 ? textButton(t("warning.wetWards"), () => set(water.keys()), "button-small", "drop") : null,
    textButton(t("warning.allWards"), () => set(wards.map(({ code }) => code)), "button-small"),
    textButton(t("warning.noWards"), () => set([]), "button-small"),
  ];
  const group = makeGroup(
    t("warning.wards"),
    wards.length > SEARCH_FROM ? search : null,
    list,
    count,
    h("div", { class: "row row-wrap" }, ...buttons),
    problem,
  );
  show();
  const stop = (): void => {
    drawing?.();
    if (pointing.getAttribute("aria-pressed") === "true") stopAiming(map);
  };
  return { element: group.element, refuse: group.refuse, stop };
}
