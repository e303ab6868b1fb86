/** The panel of alarms: what stands, how well it serves, the rules behind it. */

import "../styles/alarms.css";
import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { addWords, t } from "../i18n";
import { alarmsEn } from "../i18n/alarms-en";
import { alarmsVi } from "../i18n/alarms-vi";
import { icon } from "../icons";
import { textButton } from "../panels/parts";
import { makeTools, type Part } from "../panels/tools";
import { DUTIES, type Duty, getState, setState, watch } from "../state";
import type { ZoomToItem } from "../types";
import { listPart } from "./list-part";
import { rulesPart } from "./rules-part";
import { statisticsPart } from "./statistics-part";

addWords({ vi: alarmsVi, en: alarmsEn });

const BUILD: Record<Duty, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  list: listPart,
  statistics: statisticsPart,
  rules: rulesPart,
};

/** Pages and dialogs beside the list. */
function makePages(): HTMLElement {
  const row = h("nav", { class: "alarm-pages" });
  const update = (): void => {
    row.setAttribute("aria-label", t("wall.subtitle"));
    replace(
      row,
      h(
        "a",
        { class: "button button-small", href: "./wall.html", target: "_blank" },
        icon("expand", 16),
        t("alarms.page_wall"),
      ),
      textButton(
        t("alarms.page_links"),
        () => void import("../overlays/dialog").then((one) => one.openOverlayLinks()),
        "button-small",
        "link",
      ),
      textButton(
        t("alarms.page_widget"),
        () => void import("../widget/builder").then((one) => one.openWidgetBuilder()),
        "button-small",
        "plan",
      ),
    );
  };
  update();
  watch(["lang"], update);
  return row;
}

/** Build the panel. */
export function alarmsPanel(map: MapView, zoomToItem: ZoomToItem): HTMLElement {
  const tools = makeTools<Duty>(map, {
    tab: "alarms",
    uses: DUTIES,
    key: "duty",
    chosen: () => getState().duty,
    choose: (duty) => setState({ duty }),
    title: (duty) => t(`duty.${duty}`),
    build: (duty) => BUILD[duty](map, zoomToItem),
  });
  return h("div", {}, makePages(), tools);
}
