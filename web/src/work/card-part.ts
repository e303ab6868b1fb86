/** What a card offers the engineer: edit the item, open a work order about it. */

import { may } from "../account/me";
import { findVectorLayer } from "../data";
import { h } from "../dom";
import { t } from "../i18n";
import { addCardPart } from "../panels/card-parts";
import { textButton } from "../panels/parts";
import { openEditor, openNewOrder } from "./open";

/** Hang the buttons into the card; what runs wrote is not edited. */
export function addWorkButtons(): void {
  addCardPart((_item, { layer, id }) => {
    const declared = findVectorLayer(layer);
    if (!may("edit") && !may("upkeep")) return null;
    if (!declared || declared.properties.some(({ name }) => name === "run_id")) return null;
    return h(
      "div",
      { class: "row", role: "group", "aria-label": t("card.work") },
      may("edit") ? textButton(t("card.edit"), () => openEditor(layer, id), "button-small") : null,
      may("upkeep") ? textButton(t("card.order"), () => openNewOrder(layer, id), "button-small") : null,
    );
  });
}
