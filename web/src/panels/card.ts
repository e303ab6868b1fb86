/** The card of what was clicked: its frame, the choice among several, waiting and failing. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError, readItem } from "../api";
import { drawOldShape } from "../card/ghost";
import { nameOf } from "../card/names";
import { findVectorLayer, onData, sensors } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { type Candidate, highlight, zoomTo } from "../map/pick";
import { getState, type Place, type Selection, setState, watch } from "../state";
import type { Item } from "../types";
import { failure, iconButton, loading, syntheticBadge } from "./parts";
import { pointPart } from "./point";

let candidates: Candidate[] = [];

/** Show what was found at a click; the topmost is opened. */
export function openPlace(found: Candidate[], place: Place): void {
  candidates = found;
  const top = found[0];
  setState({ place, selection: top ? { layer: top.layer, id: top.id } : null });
}

/** Close the card, and forget where the click was. */
export function closeCard(): void {
  candidates = [];
  setState({ place: null, selection: null });
}

function candidateList(): HTMLElement | null {
  if (candidates.length < 2 || !getState().place) return null;
  const chosen = getState().selection;
  const rows = candidates.map((candidate) => {
    const active = chosen?.layer === candidate.layer && chosen.id === candidate.id;
    const layer = say(findVectorLayer(candidate.layer)?.title, candidate.layer);
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: `candidate ${active ? "candidate-active" : ""}`,
          "aria-pressed": String(active),
          onclick: () => setState({ selection: { layer: candidate.layer, id: candidate.id } }),
        },
        h("span", {}, candidate.name ?? layer),
        h("span", { class: "soft" }, candidate.name ? layer : candidate.id),
      ),
    );
  });
  return h(
    "details",
    { class: "candidates", open: true },
    h("summary", {}, t("card.candidates", { count: candidates.length })),
    h("ul", {}, ...rows),
  );
}

/** Make the card; it opens by itself when something is chosen. `map` draws the highlight. */
export function makeCard(map: MapView): HTMLElement {
  const card = h("aside", { class: "card", hidden: true });
  let request: AbortController | null = null;

  /** On a phone the card is a sheet: half of the screen, or all of it. */
  const resizer = (): HTMLElement => {
    const full = card.classList.contains("card-full");
    const resize = (): void => {
      card.classList.toggle("card-full");
      const next = resizer();
      card.querySelector(".card-resize")?.replaceWith(next);
      next.focus();
    };
    const words = t(full ? "item.shrink" : "item.grow");
    return iconButton(full ? "down" : "up", words, resize, "icon-button-quiet card-resize");
  };

  const frame = (
    title: string,
    subtitle: string,
    zoom: (() => void) | null,
    badge: HTMLElement | null,
    ...body: (Node | null)[]
  ): void => {
    const scroll = card.querySelector(".card-body")?.scrollTop ?? 0;
    card.setAttribute("aria-label", t("card.title"));
    replace(
      card,
      h(
        "header",
        { class: "card-header" },
        h("div", { class: "card-heading" }, h("p", { class: "card-layer" }, subtitle, badge), h("h2", {}, title)),
        resizer(),
        zoom ? iconButton("target", t("card.zoom"), zoom, "icon-button-quiet") : null,
        iconButton("close", t("app.close"), closeCard, "icon-button-quiet card-close"),
      ),
      h("div", { class: "card-body" }, candidateList(), ...body),
    );
    card.hidden = false;
    card.querySelector(".card-body")?.scrollTo(0, scroll);
  };

  const showItem = (item: Item, selection: Selection, { itemParts }: typeof import("../card/body")): void => {
    const layer = findVectorLayer(selection.layer);
    const geometry = item.geometry;
    if (geometry) highlight(map, geometry);
    frame(
      nameOf(item.properties, layer) ?? say(layer?.title, t("card.noName")),
      say(layer?.title, selection.layer),
      geometry ? () => zoomTo(map, geometry) : null,
      layer?.synthetic ? syntheticBadge(t("app.synthetic")) : null,
      ...itemParts(map, item, selection, getState().place),
    );
  };

  const load = async (selection: Selection): Promise<void> => {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const layer = say(findVectorLayer(selection.layer)?.title, selection.layer);
    const known = candidates.find((entry) => entry.layer === selection.layer && entry.id === selection.id);
    frame(known?.name ?? layer, layer, null, null, loading());
    try {
      const [item, body] = await Promise.all([readItem(selection.layer, selection.id, signal), import("../card/body")]);
      if (!signal.aborted) showItem(item, selection, body);
    } catch (error) {
      if (signal.aborted || (error instanceof DOMException && error.name === "AbortError")) return;
      const retry = error instanceof ApiError && error.status === 404 ? undefined : () => void load(selection);
      frame(known?.name ?? layer, layer, null, null, failure(error, retry));
    }
  };

  const show = (): void => {
    const { selection, place } = getState();
    if (selection) {
      drawOldShape(map, null);
      void load(selection);
      return;
    }
    request?.abort();
    drawOldShape(map, null);
    highlight(map, null);
    const water = place ? pointPart(place) : null;
    if (place && water) {
      highlight(map, { type: "Point", coordinates: [place.lon, place.lat] });
      frame(`${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`, t("point.title"), null, null, water);
    } else {
      card.hidden = true;
    }
  };

  watch(["selection", "place"], show);
  watch(["lang"], () => {
    if (!card.hidden) show();
  });
  let waitingForSensors = getState().selection?.layer === "sensors";
  onData("sensors", () => {
    // A link to a sensor may open before the first readings have come.
    if (waitingForSensors && sensors.length > 0) {
      waitingForSensors = false;
      show();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !card.hidden) closeCard();
  });
  if (getState().selection) show();
  return card;
}
