/** Long profiles: a run of the drains, two nodes chosen on the map, and the drawing along the way between them. */

import type { MapMouseEvent, Map as MapView } from "maplibre-gl";
import { readItems, readProfile, readRunSeconds } from "../api";
import { onData } from "../data";
import { h, replace } from "../dom";
import { formatLength, formatNumber, formatVolume } from "../format";
import { t } from "../i18n";
import { aim, stopAiming } from "../map/aim";
import { drawFlags, drawNetwork, FOUND_COLOR } from "../map/network";
import { boundsOf, zoomToBounds } from "../map/pick";
import { itemButton } from "../panels/item-button";
import { failure, figure, loading, section, textButton } from "../panels/parts";
import { longTable } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import type { Profile, ZoomToItem } from "../types";
import { placeDock, takeDock } from "./dock-place";
import { findNearest, placeOf } from "./nearest";
import type { Position } from "./places";
import { makeDock } from "./profile-dock";
import { findChosen, listRuns, noRuns, runChooser, showRunLayers } from "./runs";

const NODES = "drainage_nodes";
const CHUNK = 80;
const SLIDE_MS = 60;
/** Room that is left below the way [px]. */
const MARGIN = 60;
const FLOODED = "#7b2cbf";

const isDrainageRun = (process: string): boolean => process === "drainage-run";

/** Return where the nodes of a profile lie, in their order; those that the city does not have are left out. */
async function findPlaces(ids: readonly string[]): Promise<Map<string, Position>> {
  const chunks = Array.from({ length: Math.ceil(ids.length / CHUNK) }, (_, index) =>
    ids.slice(index * CHUNK, (index + 1) * CHUNK),
  );
  const pages = await Promise.all(
    chunks.map((chunk) => {
      const list = chunk.map((id) => `'${id.replaceAll("'", "''")}'`).join(",");
      return readItems(NODES, { filter: `id IN (${list})`, limit: String(CHUNK), properties: "node_type" });
    }),
  );
  return new Map(pages.flatMap(({ features }) => features.map((item) => [item.id, placeOf(item)])));
}

/** Draw the way on the map, where `covered` pixels at the bottom lie under the drawing. */
function drawPath(map: MapView, { stations }: Profile, places: Map<string, Position>, covered: number): void {
  const found = stations.id.flatMap((id, index) => {
    const place = places.get(id);
    return place ? [{ id, place, flooded: stations.flooded[index] }] : [];
  });
  const line: GeoJSON.Feature = {
    type: "Feature",
    geometry: { type: "LineString", coordinates: found.map(({ place }) => place) },
    properties: { color: FOUND_COLOR },
  };
  const nodes = found.map(
    ({ id, place, flooded }): GeoJSON.Feature => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: place },
      properties: { color: flooded ? FLOODED : FOUND_COLOR, size: flooded ? 6 : 4, layer_id: NODES, item_id: id },
    }),
  );
  drawNetwork(map, { features: found.length > 1 ? [line, ...nodes] : nodes, tiles: [] });
  if (found.length > 0) zoomToBounds(map, boundsOf(line.geometry), covered);
}

function profileFigures(profile: Profile, zoomToItem: ZoomToItem): HTMLElement {
  const { stations } = profile;
  const problem = h("div");
  const flooded = stations.id.flatMap((id, index) =>
    stations.flooded[index]
      ? [[itemButton(NODES, id, zoomToItem, problem), formatVolume(stations.flooding_volume[index])]]
      : [],
  );
  return h(
    "div",
    {},
    h(
      "div",
      { class: "figures" },
      figure("road", t("measure.length"), formatLength(profile.length)),
      figure("layers", t("profile.nodes"), formatNumber(stations.id.length, 0)),
      figure("drop", t("profile.full"), formatNumber(profile.full.length, 0)),
      figure("warning", t("profile.floodedNodes"), formatNumber(profile.flooded.length, 0)),
    ),
    flooded.length > 0
      ? section(t("profile.floodedNodes"), longTable([t("sewer.manhole"), t("sewer.volume")], flooded), problem)
      : null,
  );
}

/** Build the part. */
export function profilePart(map: MapView, zoomToItem: ZoomToItem): Part {
  const chooser = h("div");
  const ends = h("div", { class: "form" });
  const body = h("div", { "aria-live": "polite" });
  let request: AbortController | null = null;
  let places = new Map<string, Position>();
  let shown: Profile | null = null;
  let waiting = -1;
  let sliding = 0;

  const chosenRun = (): string | undefined => findChosen(listRuns(isDrainageRun))?.id;
  const flag = (index: number | null): void => {
    const stops = index === null ? [] : [shown?.stations.id[index] ?? ""];
    const marked = [
      ...getState().profile.map((id, end) => [id, end === 0 ? "A" : "B"] as const),
      ...stops.map((id) => [id, "•"] as const),
    ];
    drawFlags(
      map,
      marked.flatMap(([id, label]) => {
        const place = places.get(id);
        return place ? [{ place, label, color: label === "•" ? FLOODED : "#0b7a3b" }] : [];
      }),
    );
  };
  const close = (): void => setState({ profile: [] });
  const dock = makeDock({
    moment: (hours) => {
      clearTimeout(sliding);
      sliding = window.setTimeout(() => void load(hours), SLIDE_MS);
    },
    point: flag,
    close,
  });
  let seconds: number[] = [];
  let secondsOf = "";

  const load = async (hours: number | null): Promise<void> => {
    request?.abort();
    const run = chosenRun();
    const [from, to] = getState().profile;
    if (!run || !from || !to) return;
    request = new AbortController();
    const { signal } = request;
    if (hours === null) replace(body, loading());
    try {
      const profile = await readProfile(run, [from, to], hours, signal);
      if (secondsOf !== run) seconds = await readRunSeconds(run, signal);
      secondsOf = run;
      if (hours === null) places = await findPlaces(profile.stations.id);
      if (signal.aborted) return;
      shown = profile;
      if (!dock.element.isConnected) placeDock(dock.element, ends);
      dock.show(profile, seconds);
      if (hours !== null) return;
      replace(body, profileFigures(profile, zoomToItem));
      const isOver = dock.element.parentElement !== ends;
      drawPath(map, profile, places, (isOver ? dock.element.offsetHeight : 0) + MARGIN);
      flag(null);
    } catch (error) {
      if (signal.aborted) return;
      replace(
        body,
        failure(error, () => void load(hours)),
      );
    }
  };
  const takeAway = (): void => takeDock(dock.element);

  const start = (index: 0 | 1): void => {
    aim(
      map,
      (event) => void choose(index, event),
      () => {
        waiting = -1;
        showEnds();
      },
    );
    waiting = index;
    showEnds();
  };
  const choose = async (index: 0 | 1, event: MapMouseEvent): Promise<void> => {
    try {
      const node = (await findNearest(NODES, event))?.id;
      if (!node) {
        replace(body, failure(new Error(t("profile.noNode"))));
        return;
      }
      const [from = node, to] = getState().profile;
      setState({ profile: index === 0 ? [node, ...(to ? [to] : [])] : [from, node] });
      if (index === 0 && !to) start(1);
    } catch (error) {
      replace(body, failure(error));
    }
  };
  const endRow = (index: 0 | 1): HTMLElement => {
    const node = getState().profile[index];
    const name = index === 0 ? t("profile.from") : t("profile.to");
    const button = textButton(
      t(waiting === index ? "profile.aiming" : "network.aim"),
      () => (waiting === index ? stopAiming(map) : start(index)),
      "button-small aim-button",
      "target",
    );
    button.disabled = index === 1 && !getState().profile[0];
    button.setAttribute("aria-pressed", String(waiting === index));
    button.setAttribute("aria-label", `${name}: ${button.textContent}`);
    return h(
      "div",
      { class: "profile-end" },
      h("span", { class: "field-label" }, name),
      h("strong", {}, node ?? "–"),
      button,
    );
  };
  const showEnds = (): void => {
    const inside = dock.element.parentElement === ends;
    replace(ends, endRow(0), endRow(1), inside ? dock.element : null);
  };
  const isOpen = (): boolean => getState().tool === "profile" && getState().tab === "networks";

  const update = (): void => {
    if (!isOpen()) return;
    const runs = listRuns(isDrainageRun);
    replace(
      chooser,
      runChooser(runs, () => noRuns(t("profile.noRuns"))),
    );
    ends.hidden = runs.length === 0;
    showEnds();
    const run = findChosen(runs);
    if (run) void showRunLayers(run.id, run.process);
    const { profile } = getState();
    if (run && profile.length === 2) {
      void load(null);
      return;
    }
    takeAway();
    replace(body);
    drawNetwork(map, null);
    drawFlags(map, []);
    if (run && profile.length === 0) start(0);
  };
  onData("runs", update);
  watch(["profile", "networkRun", "lang"], update);
  watch(["tab"], () => (isOpen() ? update() : takeAway()));
  return { element: h("div", { class: "form" }, chooser, ends, body), show: update, hide: takeAway };
}
