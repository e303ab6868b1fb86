/** Looking a parcel up: by map sheet and number, by address, or by a click. */

import type { Map as MapView } from "maplibre-gl";
import { readItem, readItems, request } from "../api";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { aim, stopAiming } from "../map/aim";
import { drawNetwork } from "../map/network";
import { boundsOf, bringInView, highlight, zoomTo } from "../map/pick";
import { empty, failure, loading, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { makeSlice } from "../slices";
import { getState, watch } from "../state";
import { quoteText } from "../table/tests";
import type { Item, ZoomToItem } from "../types";
import { parcelCard } from "./parcel-card";

export const PARCELS = "parcels";
const MOST = 50;

/** Id of the parcel that is looked at. */
const parcel = makeSlice<string | null>(
  "parcel",
  (text) => text,
  (value) => value,
);

const parcelTitle = ({ properties }: Item): string =>
  t("plan.parcelTitle", {
    sheet: String(properties["map_sheet"] ?? "–"),
    number: String(properties["parcel_number"] ?? "–"),
  });

/** Return the parcels that hold a place. */
async function findAt(lon: number, lat: number): Promise<Item[]> {
  const filter = `S_INTERSECTS(geometry, POINT(${lon.toFixed(7)} ${lat.toFixed(7)}))`;
  return (await readItems(PARCELS, { filter, limit: "5" })).features;
}

/** Return the parcels that an address stands on, or stands nearest to. */
async function findAddress(address: string): Promise<Item[]> {
  const { places } = await request<{ places: { position: [number, number] }[] }>(
    `/api/geocode?${new URLSearchParams({ address })}`,
  );
  const [place] = places;
  if (!place) return [];
  const on = await findAt(...place.position);
  if (on.length > 0) return on;
  const [lon, lat] = place.position;
  const filter = `S_DWITHIN(geometry, POINT(${lon.toFixed(7)} ${lat.toFixed(7)}), 20)`;
  return (await readItems(PARCELS, { filter, limit: String(MOST) })).features;
}

/** Build the part. */
export function parcelPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const search = h("div");
  const answer = h("div", { "aria-live": "polite" });
  const isOpen = (): boolean => getState().tab === "planning" && getState().plan === "parcel";

  const show = async (move: boolean): Promise<void> => {
    const id = parcel.get();
    if (!id) {
      highlight(map, null);
      replace(answer, empty(t("plan.chooseParcel")));
      return;
    }
    replace(answer, loading());
    try {
      const item = await readItem(PARCELS, id);
      if (parcel.get() !== id || !isOpen()) return;
      drawNetwork(map, null);
      highlight(map, item.geometry);
      if (item.geometry) {
        if (move) zoomTo(map, item.geometry);
        else bringInView(map, boundsOf(item.geometry));
      }
      replace(answer, parcelCard(map, item, parcelTitle(item), zoomToItem));
    } catch (error) {
      replace(
        answer,
        failure(error, () => void show(move)),
      );
    }
  };

  /** Show the one that was found, or let the person choose. */
  const take = (found: Item[]): void => {
    if (found.length === 1) {
      parcel.set(found[0]!.id);
      void show(true);
      return;
    }
    if (found.length === 0) {
      replace(answer, empty(t("plan.noParcel")));
      return;
    }
    const button = (item: Item): HTMLElement =>
      h(
        "li",
        {},
        h("button", { type: "button", class: "link-button", onclick: () => take([item]) }, parcelTitle(item)),
      );
    replace(
      answer,
      h("p", { class: "soft" }, t("plan.severalParcels")),
      h("ul", { class: "plain-list" }, ...found.map(button)),
    );
  };

  const ask = async (read: () => Promise<Item[]>): Promise<void> => {
    replace(answer, loading(t("plan.searching")));
    try {
      take(await read());
    } catch (error) {
      replace(
        answer,
        failure(error, () => void ask(read)),
      );
    }
  };

  const input = (name: string): HTMLInputElement =>
    h("input", { class: "input", name, autocomplete: "off", maxlength: 200 });

  const showSearch = (): void => {
    const [sheet, number, address] = [input("map_sheet"), input("parcel_number"), input("address")];
    const byNumber = (event: Event): void => {
      event.preventDefault();
      const tests = [
        ["map_sheet", sheet.value.trim()],
        ["parcel_number", number.value.trim()],
      ].filter(([, value]) => value);
      const filter = tests.map(([name, value]) => `${name} = ${quoteText(value!)}`).join(" AND ");
      if (filter)
        void ask(
          async () =>
            (await readItems(PARCELS, { filter, limit: String(MOST), sortby: "map_sheet,parcel_number" })).features,
        );
    };
    const byAddress = (event: Event): void => {
      event.preventDefault();
      const words = address.value.trim();
      if (words) void ask(() => findAddress(words));
    };
    const note = h("p", { class: "note", role: "status" });
    const byClick = (): void => {
      note.textContent = t("plan.clickParcel");
      aim(
        map,
        ({ lngLat }) => void ask(() => findAt(lngLat.lng, lngLat.lat)),
        () => {
          note.textContent = "";
        },
      );
    };
    const field = (label: string, box: HTMLElement): HTMLElement =>
      h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);
    const submit = (): HTMLElement => h("button", { type: "submit", class: "button button-small" }, t("plan.find"));
    replace(
      search,
      h(
        "form",
        { class: "parcel-form", onsubmit: byNumber },
        field(t("plan.mapSheet"), sheet),
        field(t("plan.parcelNumber"), number),
        submit(),
      ),
      h(
        "form",
        { class: "parcel-form parcel-address", onsubmit: byAddress },
        field(t("plan.address"), address),
        submit(),
      ),
      textButton(t("plan.byClick"), byClick, "button-small", "target"),
      note,
    );
  };

  const showAll = (): void => {
    if (!findVectorLayer(PARCELS) || findVectorLayer(PARCELS)?.count === 0) {
      replace(search, empty(t("plan.noParcels")));
      return;
    }
    showSearch();
    void show(false);
  };
  watch(["lang"], () => {
    if (isOpen()) showAll();
  });
  return {
    element: h("div", { class: "form" }, search, answer),
    show: showAll,
    hide: () => {
      stopAiming(map);
      highlight(map, null);
    },
  };
}
