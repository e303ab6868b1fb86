/** Dark lamps: those that somebody saw dark or lit, and the failures that explain them, the place to check first. */

import type { MapMouseEvent, Map as MapView } from "maplibre-gl";
import { askProcess } from "../api";
import { type Child, h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { aim, stopAiming } from "../map/aim";
import { drawFlags, drawNetwork } from "../map/network";
import { boundsOf, isInView, zoomTo, zoomToBounds } from "../map/pick";
import { empty, failure, figure, iconButton, loading, section, textButton } from "../panels/parts";
import { codeTitle } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { roleColor } from "./drawing";
import { showNetwork } from "./form";
import { findNearest } from "./nearest";
import { findPlace } from "./places";

const LAMPS = "luminaires";
const FAULTS = "circuit_faults";
const DARK = "#20303c";
const LIT = "#d99a00";

export type Sight = "dark" | "lit";

interface FaultSummary {
  dark: number;
  lit: number;
  wrong_reports: string[];
  controllers_silent: number;
}

/** A failure as the server writes it; `asset_layer` and `asset_id` say what failed. */
interface Fault {
  kind: string;
  asset_layer: string | null;
  asset_id: string;
  asset_name: string | null;
  check_first: number;
  explains: number;
  lamps: number;
  alternatives: string | null;
}

const readFault = (feature: GeoJSON.Feature): Fault => feature.properties as unknown as Fault;

/** Put a lamp among those seen dark or lit; one that is there already goes. */
function toggleLamp(id: string, sight: Sight): void {
  const { lamps } = getState();
  const isSet = lamps[sight].includes(id);
  const without = { dark: lamps.dark.filter((one) => one !== id), lit: lamps.lit.filter((one) => one !== id) };
  setState({ lamps: isSet ? without : { ...without, [sight]: [...without[sight], id] } });
}

/** Say a device that the server writes as "tủ LC-7 (cabinet)" in one language. */
function sayDevice(words: string): string {
  const [, vi, id, en] = /^(.+) (\S+) \((.+)\)$/.exec(words) ?? [];
  return vi && en ? `${say({ vi, en })} ${id}` : words;
}

function faultRow(map: MapView, feature: GeoJSON.Feature, zoomToItem: ZoomToItem): HTMLElement {
  const fault = readFault(feature);
  const go = (): void => {
    if (fault.asset_layer) zoomToItem(fault.asset_layer, fault.asset_id, feature.geometry);
    else zoomTo(map, feature.geometry);
  };
  const facts = [
    t("lamps.explains", { count: fault.explains }),
    t("lamps.darkens", { count: formatNumber(fault.lamps, 0) }),
  ];
  const others = (fault.alternatives ?? "").split("; ").filter(Boolean).map(sayDevice);
  return h(
    "li",
    { class: "valve" },
    h("span", { class: "valve-mark", style: `--role:${roleColor(FAULTS, fault.kind)}` }, fault.check_first),
    h(
      "div",
      { class: "valve-words" },
      h(
        "button",
        { type: "button", class: "link-button", onclick: go },
        `${codeTitle(FAULTS, "kind", fault.kind)} ${fault.asset_name ?? fault.asset_id}`,
      ),
      h("span", {}, facts.join(" · ")),
      others.length > 0 ? h("span", { class: "soft" }, `${t("lamps.alternatives")}: ${others.join("; ")}`) : null,
    ),
  );
}

function faultsBody(
  map: MapView,
  summary: FaultSummary,
  faults: GeoJSON.Feature[],
  zoomToItem: ZoomToItem,
): HTMLElement {
  const sorted = [...faults].sort((a, b) => readFault(a).check_first - readFault(b).check_first);
  return h(
    "div",
    {},
    h(
      "div",
      { class: "figures" },
      figure("moon", t("lamps.dark"), formatNumber(summary.dark, 0)),
      figure("lamp", t("lamps.lit"), formatNumber(summary.lit, 0)),
    ),
    sorted.length > 0
      ? section(
          t("lamps.checkFirst"),
          h("ol", { class: "valves" }, ...sorted.map((one) => faultRow(map, one, zoomToItem))),
        )
      : empty(t("lamps.noFaults")),
    summary.wrong_reports.length > 0
      ? h("p", { class: "note" }, t("lamps.wrong", { lamps: summary.wrong_reports.join(", ") }))
      : null,
  );
}

function drawFaults(map: MapView, faults: GeoJSON.Feature[]): void {
  const features = faults.map((feature): GeoJSON.Feature => {
    const { kind, check_first, asset_layer, asset_id } = readFault(feature);
    const color = roleColor(FAULTS, kind);
    return {
      ...feature,
      properties: { color, size: 11, label: String(check_first), layer_id: asset_layer, item_id: asset_id },
    };
  });
  drawNetwork(map, { features, tiles: [] });
}

/** Build the part. */
export function lampsPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const form = h("div", { class: "form" });
  const body = h("div", { "aria-live": "polite" });
  let request: AbortController | null = null;
  let waiting: Sight | null = null;
  let asksControllers = true;
  let flagged = 0;

  /** Lamps are clicked one after the other until the button is pressed again. */
  const start = (sight: Sight): void => {
    aim(map, (event) => void take(sight, event), end);
    waiting = sight;
    showForm();
  };
  const end = (): void => {
    waiting = null;
    showForm();
  };
  const take = async (sight: Sight, event: MapMouseEvent): Promise<void> => {
    start(sight);
    try {
      const lamp = await findNearest(LAMPS, event);
      if (lamp) toggleLamp(lamp.id, sight);
      else replace(body, empty(t("lamps.noLamp")));
    } catch (error) {
      replace(body, failure(error));
    }
  };
  const lampList = (sight: Sight): Child[] => {
    const ids = getState().lamps[sight];
    const row = (id: string): HTMLElement =>
      h(
        "li",
        { class: "chip" },
        h("strong", {}, id),
        iconButton(
          "close",
          t("network.removePlace", { place: id }),
          () => toggleLamp(id, sight),
          "icon-button-quiet chip-remove",
        ),
      );
    const isWaiting = waiting === sight;
    const button = textButton(
      t(isWaiting ? "lamps.aiming" : sight === "dark" ? "lamps.markDark" : "lamps.markLit"),
      () => (isWaiting ? stopAiming(map) : start(sight)),
      "button-small aim-button",
      sight === "dark" ? "moon" : "lamp",
    );
    button.setAttribute("aria-pressed", String(isWaiting));
    return [
      button,
      ids.length > 0
        ? h("ul", { class: "chips chips-many", "aria-label": t(`lamps.${sight}`) }, ...ids.map(row))
        : null,
    ];
  };
  const showForm = (): void => {
    const box = h("input", {
      type: "checkbox",
      name: "controllers",
      onchange: () => {
        asksControllers = box.checked;
        void ask();
      },
    });
    box.checked = asksControllers;
    const clear = (): void => setState({ lamps: { dark: [], lit: [] } });
    replace(
      form,
      h("p", { class: "soft" }, t("lamps.hint")),
      ...lampList("dark"),
      ...lampList("lit"),
      h("label", { class: "option" }, box, h("span", {}, t("lamps.controllers"))),
      h(
        "div",
        { class: "row" },
        textButton(t("lamps.ask"), () => void ask(), "button-primary"),
        textButton(t("network.clear"), clear),
      ),
    );
  };
  const flag = async (): Promise<void> => {
    const ticket = ++flagged;
    const { dark, lit } = getState().lamps;
    const words = [...dark.map((id) => [id, DARK, "●"] as const), ...lit.map((id) => [id, LIT, "○"] as const)];
    const flags = await Promise.all(
      words.map(async ([id, color, label]) => {
        const place = await findPlace(`${LAMPS}/${id}`);
        return place ? [{ place, color, label }] : [];
      }),
    );
    if (ticket === flagged && getState().tool === "lamps") drawFlags(map, flags.flat());
  };
  const ask = async (): Promise<void> => {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    replace(body, loading(t("network.asking")));
    try {
      const inputs = { ...getState().lamps, controllers: asksControllers };
      const results = await askProcess("circuit-faults", inputs, signal);
      if (signal.aborted) return;
      const faults = (results[FAULTS]?.value as GeoJSON.FeatureCollection | undefined)?.features ?? [];
      drawFaults(map, faults);
      if (!waiting) void lookAt(faults[0]);
      replace(body, faultsBody(map, results["summary"]?.value as FaultSummary, faults, zoomToItem));
    } catch (error) {
      if (signal.aborted) return;
      replace(
        body,
        failure(error, () => void ask()),
      );
    }
  };
  /** Bring the first place to check on the screen, with the lamps that led there. */
  const lookAt = async (first: GeoJSON.Feature | undefined): Promise<void> => {
    if (!first || isInView(map, boundsOf(first.geometry))) return;
    const { dark, lit } = getState().lamps;
    const places = await Promise.all([...dark, ...lit].map((id) => findPlace(`${LAMPS}/${id}`)));
    const seen = places.flatMap((place): GeoJSON.Point[] => (place ? [{ type: "Point", coordinates: place }] : []));
    zoomToBounds(map, boundsOf({ type: "GeometryCollection", geometries: [first.geometry, ...seen] }));
  };
  const update = (): void => {
    if (getState().tool !== "lamps" || getState().tab !== "networks") return;
    showForm();
    void flag();
    const { dark, lit } = getState().lamps;
    if (dark.length + lit.length > 0) void ask();
    else {
      request?.abort();
      replace(body);
      drawNetwork(map, null);
    }
  };
  watch(["lamps", "lang"], update);
  const show = (): void => {
    showNetwork("lighting");
    update();
  };
  return { element: h("div", { class: "form" }, form, body), show, hide: () => stopAiming(map) };
}
