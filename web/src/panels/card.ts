/** The card of what was clicked: the choice among several, the properties, a sensor's readings, the water there. */

import type { Map as MapView } from "maplibre-gl";
import { ApiError, readItem } from "../api";
import { findVectorLayer, onData, sensors } from "../data";
import { h, replace } from "../dom";
import { formatProperty } from "../format";
import { say, t } from "../i18n";
import { type Candidate, highlight, zoomTo } from "../map/pick";
import { findCommodity, type Kind, kindsOf } from "../networks/commodities";
import { askAbout } from "../networks/form";
import { getState, type Place, type Selection, setState, watch } from "../state";
import type { Item, Property, VectorLayer } from "../types";
import { buildCardParts } from "./card-parts";
import { departuresPart } from "./departures";
import { empty, failure, iconButton, loading, section, syntheticBadge, textButton } from "./parts";
import { pointPart } from "./point";
import { sensorPart } from "./sensor-card";

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

function titleOf(item: Item, layer: VectorLayer | undefined): string {
  const vietnamese = getState().lang === "vi";
  const { name, name_en, asset_name, local_name, full_address } = item.properties;
  const name_ = (vietnamese ? name : (name_en ?? name)) ?? asset_name ?? local_name ?? full_address;
  return name_ ? String(name_) : say(layer?.title, t("card.noName"));
}

function propertyRow(name: string, value: string): HTMLElement {
  return h("div", { class: "property" }, h("dt", {}, name), h("dd", {}, value));
}

function propertyList(item: Item, layer: VectorLayer | undefined): HTMLElement {
  const declared: Property[] = layer?.properties ?? [];
  const known = new Set(declared.map((property) => property.name));
  const isSet = (value: unknown): boolean => value !== null && value !== undefined && value !== "";
  const filled = declared.filter((property) => isSet(item.properties[property.name]));
  const rows = filled.map((property) =>
    propertyRow(say(property.title), formatProperty(item.properties[property.name], property)),
  );
  for (const [name, value] of Object.entries(item.properties)) {
    if (known.has(name) || !isSet(value) || typeof value === "object") continue;
    rows.push(propertyRow(name, String(value)));
  }
  const missing = declared.length - filled.length;
  return h(
    "div",
    {},
    rows.length > 0
      ? h("dl", { class: "properties" }, ...rows, propertyRow(t("card.id"), item.id))
      : empty(t("card.noProperties")),
    missing > 0 ? h("p", { class: "soft note" }, t("card.emptyProperties", { count: missing })) : null,
  );
}

function sourceList(layer: VectorLayer): HTMLElement | null {
  if (layer.sources.length === 0) return null;
  const line = (source: VectorLayer["sources"][number]): HTMLElement =>
    h(
      "li",
      {},
      `${say(source.title)} · ${source.licence}`,
      source.attribution ? h("span", { class: "soft" }, ` ${source.attribution}`) : null,
    );
  return section(t("card.source"), h("ul", { class: "sources" }, ...layer.sources.map(line)));
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

/** What can be asked of the network that a feature takes part in. */
function networkButtons(item: Item, { layer, id }: Selection): HTMLElement | null {
  const commodity = findCommodity(layer, item.properties);
  if (!commodity) return null;
  const kinds = (["upstream", "downstream", "isolation"] as const).filter((kind) => kindsOf(commodity).includes(kind));
  const ask = (kind: Kind): HTMLElement =>
    textButton(t(`trace.${kind}`), () => askAbout(commodity, kind, `${layer}/${id}`), "button-small");
  return h("div", { class: "row", role: "group", "aria-label": t("tab.networks") }, ...kinds.map(ask));
}

/** Make the card; it opens by itself when something is chosen. `map` draws the highlight. */
export function makeCard(map: MapView): HTMLElement {
  const card = h("aside", { class: "card", hidden: true });
  let request: AbortController | null = null;

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
        zoom ? iconButton("target", t("card.zoom"), zoom, "icon-button-quiet") : null,
        iconButton("close", t("app.close"), closeCard, "icon-button-quiet card-close"),
      ),
      h("div", { class: "card-body" }, candidateList(), ...body),
    );
    card.hidden = false;
    card.querySelector(".card-body")?.scrollTo(0, scroll);
  };

  const showItem = (item: Item, selection: Selection): void => {
    const layer = findVectorLayer(selection.layer);
    const sensor = selection.layer === "sensors" ? sensors.find((entry) => entry.id === selection.id) : undefined;
    const geometry = item.geometry;
    const { place } = getState();
    if (geometry) highlight(map, geometry);
    frame(
      titleOf(item, layer),
      say(layer?.title, selection.layer),
      geometry ? () => zoomTo(map, geometry) : null,
      layer?.synthetic ? syntheticBadge(t("app.synthetic")) : null,
      sensor ? sensorPart(sensor) : null,
      place ? pointPart(place) : null,
      networkButtons(item, selection),
      ...buildCardParts(item, selection),
      selection.layer === "stops" ? departuresPart(item) : null,
      propertyList(item, layer),
      layer ? sourceList(layer) : null,
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
      const item = await readItem(selection.layer, selection.id, signal);
      if (!signal.aborted) showItem(item, selection);
    } catch (error) {
      if (signal.aborted || (error instanceof DOMException && error.name === "AbortError")) return;
      const retry = error instanceof ApiError && error.status === 404 ? undefined : () => void load(selection);
      frame(known?.name ?? layer, layer, null, null, failure(error, retry));
    }
  };

  const show = (): void => {
    const { selection, place } = getState();
    if (selection) {
      void load(selection);
      return;
    }
    request?.abort();
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
