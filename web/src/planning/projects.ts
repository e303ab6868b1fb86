/** Planning projects with their progress, the bar of time, and the zoning with its areas. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatArea, formatMoney, formatNumber, formatProperty, formatShare } from "../format";
import { t } from "../i18n";
import { drawNetwork } from "../map/network";
import { empty, failure, figure, loading, section, select, swatch, textButton } from "../panels/parts";
import { codeTitle, table } from "../panels/table";
import type { Part } from "../panels/tools";
import { makeSlice } from "../slices";
import { getState, toggleLayer, watch } from "../state";
import { openTable } from "../table/open";
import type { ZoomToItem } from "../types";
import { readWards } from "./area";
import { ganttChart } from "./gantt";
import { isBad, PROJECTS, type Project, readProjects, readZones, type ZoneSum } from "./project-data";

const ZONING = "zoning";
const ALL = "";
const LATE_COLOR = "#b3261e";
const PAGE = 50;

interface Narrow {
  ward: string;
  stage: string;
  late: boolean;
}

const narrow = makeSlice<Narrow>(
  "projects",
  (text) => {
    const [ward = ALL, stage = ALL, late] = (text ?? "").split(",");
    return { ward, stage, late: late === "late" };
  },
  ({ ward, stage, late }) => (ward || stage || late ? [ward, stage, late ? "late" : ""].join(",") : null),
);

const stageColor = (stage: string): string =>
  findVectorLayer(PROJECTS)?.legend.find(({ value }) => value === stage)?.color ?? "#6b7d89";

const date = (layer: string, name: string, value: string | null): string => {
  const property = findVectorLayer(layer)?.properties.find((one) => one.name === name);
  return property ? formatProperty(value, property) : (value ?? "–");
};

function projectRow(project: Project, ward: string, open: () => void): HTMLElement {
  const {
    name,
    stage,
    type,
    progress,
    planned,
    quality,
    budget,
    spent,
    start,
    finish,
    expected,
    late,
    slipping,
    behind,
  } = project;
  const words = `${formatShare(progress)}${planned === null ? "" : ` / ${t("plan.planned", { share: formatShare(planned) })}`}`;
  const later =
    expected !== null && expected !== finish
      ? t("plan.expected", { date: date(PROJECTS, "expected_finish", expected) })
      : "";
  return h(
    "li",
    { class: "project", "data-project": project.id },
    h(
      "div",
      { class: "project-head" },
      h("button", { type: "button", class: "link-button project-name", onclick: open }, name),
      late ? h("span", { class: "badge badge-late" }, t("plan.late")) : null,
      slipping ? h("span", { class: "badge badge-late" }, t("plan.slipping")) : null,
      behind ? h("span", { class: "badge badge-late" }, t("plan.behind")) : null,
    ),
    h(
      "p",
      { class: "soft" },
      h("span", { class: "coloured" }, swatch(stageColor(stage)), codeTitle(PROJECTS, "stage", stage)),
      ` · ${codeTitle(PROJECTS, "project_type", type)}${ward ? ` · ${ward}` : ""}`,
    ),
    h(
      "div",
      { class: "project-progress" },
      h("progress", { max: 1, value: progress, "aria-label": `${name}: ${words}` }),
      planned === null
        ? null
        : h("span", {
            class: "project-planned",
            style: `--size:${(planned * 100).toFixed(1)}%`,
            "aria-hidden": "true",
          }),
    ),
    h("p", { class: "soft" }, words, quality ? ` · ${codeTitle(PROJECTS, "quality", quality)}` : ""),
    h(
      "p",
      { class: "soft" },
      `${date(PROJECTS, "start", start)} – ${date(PROJECTS, "finish", finish)}${later ? ` (${later})` : ""}`,
      budget === null ? "" : ` · ${t("plan.money", { spent: formatMoney(spent), budget: formatMoney(budget) })}`,
    ),
  );
}

function zonesPart(zones: ZoneSum[]): HTMLElement {
  const legend = findVectorLayer(ZONING)?.legend ?? [];
  const whole = zones.reduce((sum, { area }) => sum + area, 0);
  const rows = [...zones]
    .sort((a, b) => b.area - a.area)
    .map(({ zone, count, area }): Child[] => [
      h(
        "span",
        { class: "coloured" },
        swatch(legend.find(({ value }) => value === zone)?.color ?? "#888888"),
        zone === null ? t("plan.unclassed") : codeTitle(ZONING, "zone", zone),
      ),
      formatArea(area),
      formatShare(whole > 0 ? area / whole : null),
      formatNumber(count, 0),
    ]);
  return h(
    "div",
    {},
    table([t("plan.zone"), t("impact.area"), t("plan.share"), t("plan.count")], rows),
    textButton(t("plan.openTable"), () => openTable(ZONING), "button-small", "table"),
  );
}

/** A box that shows or hides a layer of the map. */
function layerBox(layer: string, label: string): HTMLElement {
  const box = h("input", {
    type: "checkbox",
    checked: getState().layers.has(layer),
    onchange: () => toggleLayer(layer, box.checked),
  });
  return h("label", { class: "option" }, box, label);
}

/** Build the part. */
export function projectsPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const filters = h("div", { class: "project-filters" });
  const list = h("div", { "aria-live": "polite" });
  const zoning = h("div");
  let projects: Project[] | null = null;
  let wards = new Map<string, string>();
  let shown = PAGE;
  const isOpen = (): boolean => getState().tab === "planning" && getState().plan === "projects";

  const chosen = (): Project[] => {
    const { ward, stage, late } = narrow.get();
    return (projects ?? []).filter(
      (one) => (!ward || one.ward === ward) && (!stage || one.stage === stage) && (!late || isBad(one)),
    );
  };

  const draw = (found: Project[]): void => {
    const features = found.flatMap(({ id, name, stage, late, geometry }): GeoJSON.Feature[] =>
      geometry
        ? [
            {
              type: "Feature",
              geometry,
              properties: {
                color: late ? LATE_COLOR : stageColor(stage),
                opacity: 0.5,
                layer_id: PROJECTS,
                item_id: id,
                name,
              },
            },
          ]
        : [],
    );
    if (isOpen()) drawNetwork(map, { features, tiles: [] });
  };

  const showList = (): void => {
    const found = chosen();
    draw(found);
    const sum = (of: (project: Project) => number | null): number =>
      found.reduce((total, one) => total + (of(one) ?? 0), 0);
    const open = (project: Project): void => zoomToItem(PROJECTS, project.id, project.geometry);
    const budget = sum((one) => one.budget);
    replace(
      list,
      h(
        "div",
        { class: "figures" },
        figure("plan", t("plan.projectCount"), formatNumber(found.length, 0)),
        figure("warning", t("plan.lateCount"), formatNumber(found.filter(isBad).length, 0)),
        figure("area", t("plan.budget"), formatMoney(budget)),
        figure(
          "clock",
          t("plan.spent"),
          `${formatMoney(sum((one) => one.spent))} (${formatShare(budget > 0 ? sum((one) => one.spent) / budget : null)})`,
        ),
      ),
      found.length === 0
        ? empty(t("plan.noProjects"))
        : h(
            "ul",
            { class: "plain-list" },
            ...found.slice(0, shown).map((one) => projectRow(one, wards.get(one.ward) ?? "", () => open(one))),
          ),
      found.length > shown
        ? textButton(
            t("works.more", { count: formatNumber(found.length - shown, 0) }),
            () => {
              shown += PAGE;
              showList();
            },
            "button-small",
          )
        : null,
      found.length > 0 ? section(t("plan.timeBar"), ganttChart(found.slice(0, shown), open)) : null,
      textButton(t("plan.openTable"), () => openTable(PROJECTS), "button-small", "table"),
    );
  };

  const showFilters = (): void => {
    const now = narrow.get();
    const change = (next: Partial<Narrow>): void => {
      narrow.set({ ...narrow.get(), ...next });
      shown = PAGE;
      showList();
    };
    const all = { value: ALL, label: t("plan.all") };
    const stages = [...new Set((projects ?? []).map(({ stage }) => stage))].map((value) => ({
      value,
      label: codeTitle(PROJECTS, "stage", value),
    }));
    const codes = [...new Set((projects ?? []).map(({ ward }) => ward))]
      .filter(Boolean)
      .map((value) => ({ value, label: wards.get(value) ?? value }));
    const ward = select(t("plan.ward"), [all, ...codes], now.ward, (value) => change({ ward: value }));
    const stage = select(t("plan.stage"), [all, ...stages], now.stage, (value) => change({ stage: value }));
    ward.name = "project-ward";
    stage.name = "project-stage";
    const late = h("input", {
      type: "checkbox",
      name: "project-late",
      checked: now.late,
      onchange: () => change({ late: late.checked }),
    });
    replace(
      filters,
      h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.ward")), ward),
      h("label", { class: "field" }, h("span", { class: "field-label" }, t("plan.stage")), stage),
      h("label", { class: "option" }, late, t("plan.onlyLate")),
    );
  };

  const load = async (): Promise<void> => {
    if (!projects) replace(list, loading());
    try {
      const [found, names, zones] = await Promise.all([readProjects(), readWards().catch(() => []), readZones()]);
      projects = found;
      wards = new Map(names.map(({ properties }) => [String(properties["ward_code"]), String(properties["name"])]));
      if (!isOpen()) return;
      showFilters();
      showList();
      replace(
        zoning,
        section(
          t("plan.zoningAreas"),
          layerBox(ZONING, t("plan.showZoning")),
          layerBox(PROJECTS, t("plan.showProjects")),
          zones.length > 0 ? zonesPart(zones) : empty(t("plan.noZones")),
        ),
      );
    } catch (error) {
      replace(
        list,
        failure(error, () => void load()),
      );
    }
  };
  watch(["lang"], () => {
    if (isOpen()) void load();
  });
  return { element: h("div", { class: "form" }, filters, list, zoning), show: () => void load() };
}
