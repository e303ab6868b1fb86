/** The second map of a comparison: the style of the first with another time or another run's water, in step with it. */

import { Map as MapView, type StyleSpecification } from "maplibre-gl";
import { h } from "../dom";
import { t } from "../i18n";
import { firstOverWater } from "../map/order";
import { askTiles } from "../map/tile-query";
import { watch } from "../state";
import type { RunRaster } from "../types";

const WATER = "second-water";
const MAX_ZOOM = 17;
const SETTLE_MS = 200;
/** Sources of the first map that tell of its own water. */
const OWN_WATER: readonly string[] = ["flood-a", "flood-b"];

/** What the second map shows: the layers at a moment, and a raster of a run at a step of its series. */
export interface Scene {
  at: string | null;
  /** Run whose features are drawn in the layers that runs write. */
  run: string | null;
  raster: RunRaster | null;
  time: string | null;
  opacity: number;
}

export interface SecondMap {
  element: HTMLElement;
  map: MapView;
  draw: (scene: Scene) => void;
  remove: () => void;
}

function waterUrl(raster: RunRaster, time: string | null): string {
  const query = raster.times && time ? `?time=${encodeURIComponent(time)}` : "";
  return `${location.origin}${raster.tiles}${query}`;
}

/** Return the style of the first map for another scene. */
function restyle(first: MapView, { at, run, raster, time, opacity }: Scene): StyleSpecification {
  const style = first.getStyle();
  const before = firstOverWater(first);
  const layers = style.layers.filter((layer) => !("source" in layer && OWN_WATER.includes(String(layer.source))));
  const sources = Object.fromEntries(
    Object.entries(style.sources)
      .filter(([id]) => !OWN_WATER.includes(id))
      .map(([id, source]) => {
        if (source.type !== "vector" || !source.tiles) return [id, source];
        const asked = new URLSearchParams(source.tiles[0]?.split("?")[1] ?? "");
        asked.delete("datetime");
        if (run && asked.has("run_id")) asked.set("run_id", run);
        return [id, { ...source, tiles: source.tiles.map((tile) => askTiles(tile, asked, at)) }];
      }),
  );
  if (!raster) return { ...style, sources, layers };
  const place = layers.findIndex((layer) => layer.id === before);
  layers.splice(place < 0 ? layers.length : place, 0, {
    id: WATER,
    type: "raster",
    source: WATER,
    paint: { "raster-opacity": opacity, "raster-fade-duration": 0 },
  });
  const water = {
    type: "raster" as const,
    tiles: [waterUrl(raster, time)],
    tileSize: 256,
    bounds: raster.bounds,
    maxzoom: MAX_ZOOM,
  };
  return { ...style, sources: { ...sources, [WATER]: water }, layers };
}

const cameraOf = (map: MapView) => ({
  center: map.getCenter(),
  zoom: map.getZoom(),
  bearing: map.getBearing(),
  pitch: map.getPitch(),
});

/** Make the map over the first one; what is done to the style of the first it takes over. */
export function makeSecondMap(first: MapView, scene: Scene): SecondMap {
  const element = h("div", { class: "second-map", "aria-label": t("plan.rightMap"), role: "region" });
  first.getContainer().parentElement?.append(element);
  let now = scene;
  let removed = false;
  const map = new MapView({
    container: element,
    style: restyle(first, scene),
    attributionControl: false,
    maxPitch: 70,
    maxZoom: 20,
    minZoom: 5,
    ...cameraOf(first),
  });
  map.getCanvas().setAttribute("tabindex", "-1");
  map.getCanvas().setAttribute("aria-label", t("plan.rightMap"));
  let led = false;
  const follow = (from: MapView, to: MapView) => (): void => {
    if (led || removed) return;
    led = true;
    to.jumpTo(cameraOf(from));
    led = false;
  };
  const lead = follow(first, map);
  first.on("move", lead);
  map.on("move", follow(map, first));

  let pending = 0;
  const redraw = (): void => {
    clearTimeout(pending);
    pending = window.setTimeout(() => {
      if (!removed && first.isStyleLoaded()) map.setStyle(restyle(first, now));
      else if (!removed) redraw();
    }, SETTLE_MS);
  };
  const ended = (): boolean => removed;
  watch(["layers", "scheme", "opacity", "threeD"], () => {
    if (!ended()) redraw();
  });
  // The first map's style has come anew, or a panel has drawn on it.
  first.on("style.load", redraw);
  const size = (): void => {
    map.resize();
    lead();
  };
  first.on("resize", size);
  return {
    element,
    map,
    draw: (next) => {
      // Where only the handle was moved nothing is drawn anew.
      const same = JSON.stringify(next) === JSON.stringify(now);
      now = next;
      if (!same) redraw();
    },
    remove: () => {
      removed = true;
      clearTimeout(pending);
      first.off("move", lead);
      first.off("style.load", redraw);
      first.off("resize", size);
      map.remove();
      element.remove();
    },
  };
}
