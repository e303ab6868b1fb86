/** The viewer's start: read the catalog, make the map, hang the panels around it. */

import "./styles/fonts.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/panels.css";
import "./styles/networks.css";
import type { Map as MapView } from "maplibre-gl";
import { readCatalog } from "./api";
import {
  chooseFirst,
  followSensors,
  getCatalog,
  isPerRun,
  onData,
  refreshRun,
  refreshRuns,
  refreshSensors,
  setCatalog,
} from "./data";
import { h, replace } from "./dom";
import { setTimezone } from "./format";
import { explain, t } from "./i18n";
import { followState, readLink, readPreferences } from "./link";
import { isAiming, stopAiming, takeClick } from "./map/aim";
import { restoreFlood, setFloodOpacity } from "./map/flood";
import { followPointer, openCluster } from "./map/hover";
import { addBuildings3d, addCityRasters, applyVisibility } from "./map/layers";
import { addNetwork } from "./map/network";
import { addHighlight, pick, zoomTo } from "./map/pick";
import { addSensors, showSensors, updateSensors } from "./map/sensors";
import { applyTileQueries, chooseRuns } from "./map/tile-query";
import { applyStyle, createMap, prepareMap, showCity } from "./map/view";
import { makeZoomNote } from "./map/zoom-note";
import { drawnRun, findDrawnRuns } from "./networks/runs";
import { closeCard, makeCard, openPlace } from "./panels/card";
import { makeHeader } from "./panels/header";
import { loadPanel } from "./panels/later";
import { layersPanel } from "./panels/layers";
import { makeMapButtons } from "./panels/map-buttons";
import { failure, loading, syntheticBadge } from "./panels/parts";
import { makePlayer } from "./panels/player";
import { sensorsPanel } from "./panels/sensors";
import { makePanels } from "./panels/shell";
import { getState, setState, type Tab, watch } from "./state";
import { followTables } from "./table/open";
import { addWorkButtons } from "./work/card-part";

declare global {
  interface Window {
    /** For tests and for the curious: the map and the state behind the page. */
    twin?: { map: MapView; getState: typeof getState; setState: typeof setState };
  }
}

const PHONE = "(max-width: 640px)";

function addOverlays(map: MapView): void {
  addCityRasters(map);
  addBuildings3d(map);
  addNetwork(map);
  addHighlight(map);
  addSensors(map);
  applyTileQueries(map);
  applyVisibility(map);
  restoreFlood(map);
}

/** Tie map and state together. */
function followMap(map: MapView): void {
  map.on("style.load", () => addOverlays(map));
  map.on("click", (event) => {
    if (takeClick(map, event) || openCluster(map, event)) return;
    openPlace(pick(map, event), { lon: event.lngLat.lng, lat: event.lngLat.lat });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isAiming()) stopAiming(map);
  });
  followPointer(map);
  watch(["layers", "threeD"], () => {
    applyVisibility(map);
    showSensors(map);
  });
  watch(["threeD"], (state) =>
    map.easeTo({ pitch: state.threeD ? 50 : 0, bearing: state.threeD ? map.getBearing() : 0 }),
  );
  followThirdDimension(map);
  watch(["opacity"], () => setFloodOpacity(map));
  watch(["scheme"], () => void applyStyle(map));
  watch(["runId"], () => {
    applyTileQueries(map);
    void refreshRun();
  });
  const followRuns = (): void => {
    findDrawnRuns().then(
      () => applyTileQueries(map),
      (error: unknown) => console.warn("runs:", error),
    );
  };
  watch(["networkRun"], followRuns);
  onData("runs", followRuns);
  watch(["lang"], () => updateSensors(map));
  onData("sensors", () => updateSensors(map));
}

/** Load what draws the third dimension when it is first asked for. */
function followThirdDimension(map: MapView): void {
  let loaded = false;
  const update = async (): Promise<void> => {
    if (loaded || !getState().threeD) return;
    loaded = true;
    const [{ followScene }, { makeSceneControl }] = await Promise.all([
      import("./scene/scene"),
      import("./scene/control"),
    ]);
    map.getContainer().parentElement?.append(makeSceneControl(map));
    if (map.isStyleLoaded()) followScene(map);
    else map.once("idle", () => followScene(map));
  };
  watch(["threeD"], () => void update());
  void update();
}

/** Tabs that are lists and forms rather than layers of the map. */
const DESKS: readonly Tab[] = ["planning", "scenario", "inventory", "alarms"];

/** Whether a link came with a question, or to a desk whose answer is not on the map alone. */
function asksSomething(): boolean {
  const { tab, desk, question, journey, traffic } = getState();
  if (tab === "networks") return question.starts.length > 0;
  if (tab === "traffic") return (traffic === "reach" ? journey.origins : journey.points).length > 0;
  return DESKS.includes(tab) || (tab === "flood" && desk !== "water");
}

function showMapError(app: HTMLElement, map: MapView): void {
  const note = h("p", { class: "map-error", role: "status", hidden: true });
  app.append(note);
  let hide = 0;
  map.on("error", (event) => {
    console.warn("map:", event.error?.message ?? event);
    note.textContent = t("error.map");
    note.hidden = false;
    clearTimeout(hide);
    hide = window.setTimeout(() => {
      note.hidden = true;
    }, 6000);
  });
}

async function start(app: HTMLElement): Promise<void> {
  replace(app, h("div", { class: "splash" }, loading(t("app.loading"))));
  const [catalog, style] = await Promise.all([readCatalog(), prepareMap()]);
  setCatalog(catalog);
  const { city, themes } = getCatalog();
  setTimezone(city.timezone);
  const tree = themes.flatMap((theme) => theme.layers).filter((layer) => !isPerRun(layer));
  const atFirst = new Set(chooseFirst(tree).map((layer) => layer.id));
  const camera = readLink(atFirst, new Set(tree.map((layer) => layer.id)));
  // A sheet covers half of a phone's map: it is open at first only where the link asks something.
  if (matchMedia(PHONE).matches) setState({ panelOpen: asksSomething() });

  // Asked for while the page is put together.
  const told = Promise.all([refreshSensors(), refreshRuns()]);
  chooseRuns(drawnRun);
  const container = h("main", { class: "map", "aria-label": t("app.map") });
  replace(app, container);
  const map = createMap(container, camera, style);
  window.twin = { map, getState, setState };
  map.once("load", () => performance.mark("first-map"));
  followState();
  followMap(map);
  const zoomToItem = (layer: string, id: string, geometry: GeoJSON.Geometry | null): void => {
    if (geometry) zoomTo(map, geometry);
    setState({ place: null, selection: { layer, id }, ...(matchMedia(PHONE).matches ? { panelOpen: false } : {}) });
  };
  addWorkButtons();
  const panels = makePanels({
    layers: () => layersPanel(map),
    planning: () => loadPanel(async () => (await import("./planning/panel")).planningPanel(map, zoomToItem)),
    flood: () => loadPanel(async () => (await import("./flood/panel")).floodDesk(map, zoomToItem)),
    scenario: () => loadPanel(async () => (await import("./panels/scenario")).scenarioPanel(map)),
    networks: () => loadPanel(async () => (await import("./networks/panel")).networksPanel(map, zoomToItem)),
    traffic: () => loadPanel(async () => (await import("./traffic/panel")).trafficPanel(map, zoomToItem)),
    inventory: () => loadPanel(async () => (await import("./inventory/panel")).inventoryPanel(map, zoomToItem)),
    sensors: sensorsPanel,
    alarms: () => loadPanel(async () => (await import("./alarms/panel")).alarmsPanel(map, zoomToItem)),
  });
  const mark = city.synthetic ? h("div", { class: "map-mark" }, syntheticBadge(t("app.synthetic"))) : null;
  if (mark) watch(["lang"], () => replace(mark, syntheticBadge(t("app.synthetic"))));
  app.append(makeHeader(map), panels, makePlayer(map), makeMapButtons(map), makeCard(map));
  if (mark) app.append(mark);
  app.append(makeZoomNote(map));
  followTables(map);
  // On a phone card and sheet share one place: opening a sheet puts the card away.
  watch(["tab", "panelOpen"], (state) => {
    if (state.panelOpen && matchMedia(PHONE).matches) closeCard();
  });
  showMapError(app, map);
  // Only now is it known how much room the panels leave the map.
  map.resize();
  if (!camera) showCity(map, { animate: false });
  await told;
  await refreshRun();
  followSensors();
}

function open(): void {
  const app = document.getElementById("app");
  if (!app) return;
  readPreferences();
  document.documentElement.lang = getState().lang;
  document.documentElement.dataset["scheme"] = getState().scheme;
  start(app).catch((error: unknown) => {
    console.error(error);
    const words = h("h1", {}, t("app.failed"));
    replace(app, h("div", { class: "splash" }, words, failure(new Error(explain(error)), open)));
  });
}

open();
