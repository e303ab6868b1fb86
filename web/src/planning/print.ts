/** A sheet of paper made of what a panel says, with a picture of the map, its title, the city and the date. */

import type { Map as MapView } from "maplibre-gl";
import { getCity } from "../data";
import { h } from "../dom";
import { formatDateTime } from "../format";
import { say, t } from "../i18n";
import { takePicture } from "../map/view";

/** Print a sheet; it is taken away again afterwards. */
export async function printSheet(map: MapView, title: string, build: () => HTMLElement): Promise<void> {
  const picture = h("img", { class: "sheet-map", alt: t("plan.mapPicture") });
  picture.src = await takePicture(map);
  await picture.decode();
  const city = getCity();
  const sheet = h(
    "article",
    { class: "plan-sheet" },
    h("h1", {}, title),
    h("p", {}, say(city.title), " · ", formatDateTime(new Date())),
    picture,
    build(),
    h("p", { class: "sheet-foot" }, city.attribution, " · ", t("plan.sheetFoot")),
  );
  document.body.append(sheet);
  document.documentElement.classList.add("printing-plan");
  const clear = (): void => {
    document.documentElement.classList.remove("printing-plan");
    sheet.remove();
  };
  window.addEventListener("afterprint", clear, { once: true });
  window.print();
}
