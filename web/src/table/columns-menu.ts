/** Which columns are shown, in which order. */

import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { iconButton, textButton } from "../panels/parts";
import { openPopup } from "./popup";
import { changeView, columnsOf, propertiesOf, type View } from "./view";

/** Open the list of columns. */
export function openColumns(anchor: Element, view: () => View): void {
  openPopup(anchor, t("table.columns"), () => {
    const list = h("ul", { class: "column-list" });
    const put = (names: string[]): void => {
      changeView({ columns: names });
      show();
    };
    const show = (): void => {
      const all = propertiesOf(view().layer);
      const shown = columnsOf(view()).map(({ name }) => name);
      const ordered = [
        ...shown.flatMap((name) => all.find((property) => property.name === name) ?? []),
        ...all.filter(({ name }) => !shown.includes(name)),
      ];
      const focused = document.activeElement?.getAttribute("data-key");
      replace(
        list,
        ...ordered.map((property) => {
          const at = shown.indexOf(property.name);
          const box = h("input", {
            type: "checkbox",
            "data-key": property.name,
            disabled: at >= 0 && shown.length === 1,
            onchange: () => put(at < 0 ? [...shown, property.name] : shown.filter((name) => name !== property.name)),
          });
          box.checked = at >= 0;
          const up = iconButton(
            "chevron",
            t("table.earlier", { column: say(property.title) }),
            () => put(shown.toSpliced(at, 1).toSpliced(at - 1, 0, property.name)),
            "icon-button-quiet column-up",
          );
          up.setAttribute("data-key", `${property.name} up`);
          up.disabled = at < 1;
          return h("li", {}, h("label", { class: "check-line" }, box, h("span", {}, say(property.title))), up);
        }),
      );
      if (focused) list.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
    };
    show();
    const all = textButton(
      t("table.allColumns"),
      () => {
        changeView({ columns: null });
        show();
      },
      "button-small",
    );
    return h("div", { class: "column-menu" }, h("h3", {}, t("table.columns")), list, all);
  });
}
