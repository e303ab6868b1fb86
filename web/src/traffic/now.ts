/** What is on the roads: how traffic moves now or did before, incidents, works and closures. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer } from "../data";
import { h, replace } from "../dom";
import { parseCityTime } from "../format";
import { t } from "../i18n";
import { drawNetwork } from "../map/network";
import { failure, loading } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { makeAsker } from "./asker";
import { field } from "./conditions";
import { congestionPart, STATE } from "./congestion";
import { incidentsPart } from "./incidents";
import { absent, findProcess } from "./run-form";
import { WORKS, worksPart } from "./works";

/** A list that is read when the part comes on the screen. */
function makeList(read: () => Promise<HTMLElement>): { element: HTMLElement; load: () => void } {
  const element = h("div", { "aria-live": "polite" });
  const load = (): void => {
    if (element.childElementCount === 0) replace(element, loading());
    read().then(
      (list) => replace(element, list),
      (error: unknown) => replace(element, failure(error, load)),
    );
  };
  return { element, load };
}

/** Build the part. */
export function nowPart(map: MapView, zoomToItem: ZoomToItem): Part {
  const moment = h("div");
  const asker = makeAsker(() => drawNetwork(map, null));
  const incidents = makeList(() => incidentsPart(map));
  const works = makeList(() => (findVectorLayer(WORKS) ? worksPart(zoomToItem) : Promise.resolve(absent())));
  const isOpen = (): boolean => getState().tab === "traffic" && getState().traffic === "now";
  let at: string | null = null;

  const ask = async (): Promise<void> => {
    const process = await findProcess(STATE);
    if (isOpen()) asker.ask((signal) => (process ? congestionPart(map, at, signal) : Promise.resolve(absent())));
  };
  const showMoment = (): void => {
    const box = h("input", {
      class: "input",
      type: "datetime-local",
      name: "at",
      onchange: () => {
        at = parseCityTime(box.value)?.toISOString() ?? null;
        void ask();
      },
    });
    replace(moment, field(t("now.at"), box));
  };
  const show = (): void => {
    showMoment();
    void ask();
    incidents.load();
    works.load();
  };
  watch(["lang"], () => {
    if (isOpen()) show();
  });
  return { element: h("div", { class: "form" }, moment, asker.element, incidents.element, works.element), show };
}
