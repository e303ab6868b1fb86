/** A word over an empty map: what is there comes into sight further in. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer, isEmpty, shownRaster } from "../data";
import { h } from "../dom";
import { t } from "../i18n";
import { getState, watch } from "../state";

/** Return the zoom at which the first of the chosen layers is drawn, or null when something is seen at `zoom`. */
function findMissedZoom(zoom: number): number | null {
  const layers = [...getState().layers].flatMap((id) => findVectorLayer(id) ?? []).filter((layer) => !isEmpty(layer));
  const first = Math.min(...layers.map((layer) => layer.min_zoom));
  return layers.length > 0 && first > zoom && !shownRaster() ? first : null;
}

/** Make the note; clicking it goes as near as is needed. */
export function makeZoomNote(map: MapView): HTMLElement {
  const note = h("button", {
    type: "button",
    class: "map-error map-note",
    hidden: true,
    onclick: () => map.easeTo({ zoom: findMissedZoom(map.getZoom()) ?? map.getZoom() }),
  });
  const update = (): void => {
    note.textContent = t("map.zoomToSee");
    note.hidden = findMissedZoom(map.getZoom()) === null;
  };
  update();
  map.on("zoomend", update);
  watch(["layers", "lang", "product", "runId"], update);
  return note;
}
