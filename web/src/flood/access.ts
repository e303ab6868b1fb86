/** Ways out of the water: closed roads, a way between two places, shelters and hospitals, for the flood that is shown. */

import "../styles/traffic.css";
import type { Map as MapView } from "maplibre-gl";
import { readItems, readRun } from "../api";
import { networkRuns, onData, runs } from "../data";
import { type Child, h, replace } from "../dom";
import { formatFixed, formatLength, formatNumber, formatShortDateTime } from "../format";
import { addWords, say, t } from "../i18n";
import { trafficEn } from "../i18n/traffic-en";
import { trafficVi } from "../i18n/traffic-vi";
import { makeStarter } from "../networks/job";
import { openNetworkRun, showRunLayers } from "../networks/runs";
import { exportLinks } from "../panels/exports";
import { itemButton } from "../panels/item-button";
import { makePager } from "../panels/pager";
import { empty, failure, figure, loading, section, select, textButton } from "../panels/parts";
import { codeTitle, table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import { openTable } from "../table/open";
import type { AccessSummary } from "../traffic/access-words";
import { MODES } from "../traffic/journey";
import { roadLegend } from "../traffic/water-map";
import { placesPart } from "../traffic/water-tables";
import type { ItemPage, Run, RunShort, ZoomToItem } from "../types";
import { makeDetour } from "./detour";
import { listFloods, nameRun } from "./differ";

addWords({ vi: trafficVi, en: trafficEn });

const PROCESS = "flood-access";
const ROADS = "flooded_roads";
const PLACES = "access_places";
const PAGE = "20";

const accessRuns = (): RunShort[] =>
  (networkRuns ?? []).filter(({ process }) => process === PROCESS).sort((a, b) => b.created.localeCompare(a.created));

/** Return the access run of a flood, else the newest that was asked without naming one. */
function findAccess(flood: string | null): { run: RunShort; isOf: boolean } | null {
  const all = accessRuns();
  const own = all.find(({ inputs }) => flood !== null && inputs?.["run"] === flood);
  if (own) return { run: own, isOf: true };
  return all[0] ? { run: all[0], isOf: false } : null;
}

/** The roads that water closes, the deepest first. */
function closedRoads(run: Run, zoomToItem: ZoomToItem): HTMLElement {
  const query = { run_id: run.id, state: "closed", sortby: "-depth_max" };
  const build = (page: ItemPage): HTMLElement =>
    table(
      [t("water.road"), t("water.depth"), t("access.until"), t("measure.length")],
      page.features.map((item): Child[] => {
        const { name, road_id, road_class, depth_max, closed_until, length } = item.properties;
        const go = (): void => zoomToItem(ROADS, item.id, item.geometry);
        const title = name
          ? String(name)
          : `${codeTitle("road_links", "road_class", road_class)} ${String(road_id ?? "")}`;
        return [
          h("button", { type: "button", class: "link-button", onclick: go }, title),
          typeof depth_max === "number" ? `${formatFixed(depth_max, 2)} m` : "–",
          closed_until ? formatShortDateTime(String(closed_until)) : "–",
          formatLength(typeof length === "number" ? length : null),
        ];
      }),
    );
  const pager = makePager(build, t("access.noneClosed"));
  pager.open(ROADS, { ...query, limit: PAGE });
  const filter = `run_id = '${run.id}' AND state = 'closed'`;
  return section(
    t("access.closed"),
    roadLegend(),
    pager.element,
    h(
      "div",
      { class: "row row-wrap" },
      textButton(t("impact.openTable"), () => openTable(ROADS, { filter }), "button-small", "table"),
    ),
    exportLinks(ROADS, query),
  );
}

/** All shelters with what they hold and how they fare, also where nobody has to leave. */
async function sheltersList(run: Run, summary: Partial<AccessSummary>, zoomToItem: ZoomToItem): Promise<HTMLElement> {
  const query = { run_id: run.id, category: "shelter", sortby: "-load" };
  const { features } = await readItems(PLACES, { ...query, limit: "200" });
  const problem = h("div");
  const count = (value: unknown): string => formatNumber(typeof value === "number" ? value : null, 0);
  const rows = features.map((item): Child[] => {
    const { place_id, name, state, load, capacity } = item.properties;
    const id = String(place_id);
    return [
      itemButton("places", id, zoomToItem, problem, String(name ?? id)),
      codeTitle(PLACES, "state", state),
      count(capacity),
      count(load),
    ];
  });
  const { people = 0, sheltered = 0, left = 0 } = summary.evacuation ?? {};
  const words = t("water.evacuees", { all: count(people), sheltered: count(sheltered), left: count(left) });
  return section(
    t("access.shelters"),
    people > 0
      ? h("p", { class: left > 0 ? "field-error" : "soft" }, words)
      : h("p", { class: "soft" }, t("access.nobodyLeaves")),
    rows.length > 0
      ? table([t("water.shelter"), t("water.state"), t("water.capacity"), t("water.load")], rows)
      : empty(t("access.noShelters")),
    problem,
    rows.length > 0 ? exportLinks(PLACES, query) : null,
  );
}

function figures({ roads, people, places }: Partial<AccessSummary>): HTMLElement {
  const lost = (category: string): string | null => {
    const found = places?.[category];
    return found ? t("water.of", { lost: found.flooded + found.cut_off, all: found.count }) : null;
  };
  const hospitals = lost("hospital");
  const shelters = lost("shelter");
  return h(
    "div",
    { class: "figures" },
    figure("road", t("water.closedLength"), formatLength(roads?.closed_length)),
    figure("people", t("water.cutOff"), formatNumber(people?.cut_off, 0)),
    hospitals ? figure("plus", t("water.hospitals"), hospitals) : null,
    shelters ? figure("home", t("access.sheltersLost"), shelters) : null,
  );
}

/** Build the part. */
export function accessPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const head = h("div", { class: "form" });
  const body = h("div", { "aria-live": "polite" });
  const detour = makeDetour(map);
  let isOpen = false;
  let shown = "";
  let mode = "motorbike";

  const flood = (): RunShort | undefined => {
    const floods = listFloods();
    return floods.find(({ id }) => id === getState().runId) ?? floods[0];
  };
  const starter = makeStarter(
    PROCESS,
    () => t("access.compute"),
    () => {
      const chosen = flood();
      return chosen ? { run: chosen.id, mode } : null;
    },
    async (id) => {
      await openNetworkRun(id, PROCESS);
      setState({ tab: "flood", desk: "access" });
    },
  );
  const showHead = (): void => {
    const chosen = flood();
    if (!chosen) {
      const go = (): void => setState({ tab: "scenario" });
      replace(head, empty(t("flood.noRuns"), textButton(t("flood.openScenario"), go, "button-primary")));
      return;
    }
    const choices = listFloods().map((one) => ({ value: one.id, label: nameRun(one) }));
    const box = select(t("flood.run"), choices, chosen.id, (runId) => setState({ runId, time: null }));
    const modes = MODES.filter((one) => one !== "ambulance").map((value) => ({
      value: value as string,
      label: t(`mode.${value}`),
    }));
    const vehicle = select(t("traffic.mode"), modes, mode, (value) => {
      mode = value;
    });
    const found = findAccess(chosen.id);
    starter.update();
    replace(
      head,
      h("label", { class: "field" }, h("span", { class: "field-label" }, t("flood.run")), box),
      found?.isOf ? null : h("p", { class: "soft" }, t("access.hint")),
      h(
        "details",
        { class: "more", open: !found?.isOf },
        h("summary", {}, t(found?.isOf ? "access.again" : "access.compute")),
        h("label", { class: "field" }, h("span", { class: "field-label" }, t("traffic.mode")), vehicle),
        starter.element,
      ),
    );
  };
  const build = async ({ run: short, isOf }: { run: RunShort; isOf: boolean }): Promise<HTMLElement> => {
    const [run] = await Promise.all([readRun(short.id), showRunLayers(short.id, PROCESS)]);
    const summary = (run.summary ?? {}) as unknown as Partial<AccessSummary>;
    const of = runs?.find(({ id }) => id === summary.water?.run);
    const [shelters, lost] = await Promise.all([sheltersList(run, summary, zoomToItem), placesPart(run, zoomToItem)]);
    const whole = (): void => setState({ tab: "traffic", traffic: "water", networkRun: run.id });
    return h(
      "div",
      {},
      isOf ? null : h("p", { class: "note" }, t("access.other", { run: of ? nameRun(of) : say(run.title) })),
      h(
        "p",
        { class: "soft" },
        [
          summary.water?.time_shown ? t("water.shownAt", { time: formatShortDateTime(summary.water.time_shown) }) : "",
          summary.mode ? t(`mode.${summary.mode as "car"}`) : "",
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      figures(summary),
      lost,
      shelters,
      closedRoads(run, zoomToItem),
      textButton(t("access.more"), whole, "button-small"),
    );
  };
  const update = (again = false): void => {
    if (!isOpen) return;
    showHead();
    const chosen = flood();
    const found = findAccess(chosen?.id ?? null);
    detour.update(chosen?.id ?? null);
    const key = `${found?.run.id ?? ""} ${getState().lang} ${chosen?.id ?? ""}`;
    if (key === shown && !again) return;
    shown = key;
    if (!found) {
      replace(body);
      return;
    }
    replace(body, loading());
    build(found).then(
      (built) => {
        if (key === shown) replace(body, built);
      },
      (error: unknown) => {
        if (key === shown)
          replace(
            body,
            failure(error, () => update(true)),
          );
      },
    );
  };
  onData("runs", () => update());
  watch(["runId", "lang", "networkRun"], () => update());
  return {
    element: h("div", {}, head, detour.element, body),
    show: () => {
      isOpen = true;
      update();
      detour.show();
    },
    hide: () => {
      isOpen = false;
      detour.hide();
    },
  };
}
