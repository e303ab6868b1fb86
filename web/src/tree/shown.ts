/** The layers that are on, as they lie over one another: moved by buttons, keys or the pointer, each with its opacity. */

import type { Map as MapView } from "maplibre-gl";
import { getCatalog, isEmpty } from "../data";
import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { applyOrder, entryFor, isOn, order, orderedEntries } from "../map/order";
import { empty, iconButton, textButton } from "../panels/parts";
import type { Layer } from "../types";
import { choose } from "./choosing";
import { makeMarks } from "./marks";
import { opacityField } from "./opacity-field";
import { layerSwatch, makeUnfolder } from "./row";

/** Return the layers that are on and have something to show, the topmost first. */
export function layersOn(map: MapView): Layer[] {
  const on = getCatalog()
    .themes.flatMap((theme) => theme.layers)
    .filter((layer) => isOn(layer) && !isEmpty(layer));
  const byEntry = new Map(on.map((layer) => [entryFor(layer), layer]));
  return orderedEntries(map).flatMap((entry) => byEntry.get(entry) ?? []);
}

/** Make the list; `update` builds it anew, the keyboard stays where it was. */
export function makeShown(map: MapView): { element: HTMLElement; update: () => void; mark: () => void } {
  const list = h("ol", { class: "shown-list", "aria-label": t("tree.shownList") });
  const said = h("p", { class: "visually-hidden", "aria-live": "polite" });
  const foot = h("div", { class: "shown-foot" });
  const element = h("div", { class: "shown" }, said, list, foot);
  let dragged: string | null = null;
  let marks: (() => void)[] = [];

  const place = (layer: Layer, to: number): void => {
    const entries = orderedEntries(map);
    const entry = entryFor(layer);
    const at = Math.min(Math.max(to, 0), entries.length - 1);
    if (entries[at] === entry) return;
    const others = entries.filter((other) => other !== entry);
    others.splice(at, 0, entry);
    order.set(others);
    applyOrder(map);
    said.textContent = t("tree.movedTo", { layer: say(layer.title), place: at + 1, total: entries.length });
  };

  const mover = (layer: Layer, at: number, step: 1 | -1, last: number): HTMLElement => {
    const words = t(step < 0 ? "tree.up" : "tree.down", { layer: say(layer.title) });
    const button = iconButton(step < 0 ? "up" : "down", words, () => place(layer, at + step), "icon-button-quiet");
    button.dataset["control"] = step < 0 ? "up" : "down";
    button.disabled = step < 0 ? at === 0 : at === last;
    return button;
  };

  const item = (layer: Layer, at: number, all: readonly Layer[]): HTMLElement => {
    const details = h("div", { class: "layer-details" });
    const mark = makeMarks(map, layer);
    mark.update();
    marks.push(mark.update);
    const hide = iconButton(
      "close",
      t("tree.hide", { layer: say(layer.title) }),
      () => choose(layer, false),
      "icon-button-quiet",
    );
    hide.dataset["control"] = "hide";
    // Only the grip drags: a slider in the row must slide.
    const grip = h("span", {
      class: "shown-grip",
      "aria-hidden": "true",
      title: t("tree.drag"),
      onpointerdown: () => {
        row.draggable = true;
      },
    });
    const row: HTMLElement = h(
      "li",
      {
        class: "shown-item",
        "data-shown": layer.id,
        ondragstart: () => {
          dragged = layer.id;
          row.classList.add("shown-dragged");
        },
        ondragend: () => {
          dragged = null;
          row.draggable = false;
          row.classList.remove("shown-dragged");
        },
        ondragover: (event) => {
          if (dragged) event.preventDefault();
        },
        ondrop: (event) => {
          event.preventDefault();
          const moving = all.find(({ id }) => id === dragged);
          if (moving) place(moving, at);
        },
        onkeydown: (event) => {
          const { key, altKey } = event as KeyboardEvent;
          if (!altKey || (key !== "ArrowUp" && key !== "ArrowDown")) return;
          event.preventDefault();
          place(layer, at + (key === "ArrowUp" ? -1 : 1));
        },
      },
      h(
        "div",
        { class: "shown-row" },
        grip,
        layerSwatch(map, layer),
        h("span", { class: "layer-title" }, say(layer.title)),
        mark.element,
        mover(layer, at, -1, all.length - 1),
        mover(layer, at, 1, all.length - 1),
        hide,
        makeUnfolder(map, layer, details),
      ),
      opacityField(map, layer),
      details,
    );
    return row;
  };

  const update = (): void => {
    const focused = document.activeElement;
    const [id, control] = [
      focused?.closest<HTMLElement>("[data-shown]")?.dataset["shown"],
      (focused as HTMLElement | null)?.dataset?.["control"],
    ];
    const layers = layersOn(map);
    marks = [];
    replace(list, ...layers.map((layer, at) => item(layer, at, layers)));
    list.hidden = layers.length === 0;
    const usual = textButton(t("tree.usualOrder"), () => order.set([]), "button-small");
    usual.hidden = order.get().length === 0;
    replace(
      foot,
      layers.length === 0 ? empty(t("tree.nothingOn")) : h("p", { class: "soft" }, t("tree.orderHint")),
      usual,
    );
    if (!id) return;
    const row = list.querySelector(`[data-shown="${id}"]`);
    const same = control ? row?.querySelector<HTMLButtonElement>(`[data-control="${control}"]`) : null;
    (same && !same.disabled ? same : row?.querySelector<HTMLElement>("button:not(:disabled)"))?.focus();
  };
  const mark = (): void => {
    for (const one of marks) one();
  };
  return { element, update, mark };
}
