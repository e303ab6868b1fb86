/** The list of changes: what each is, its sizes to change, its shape to move, and taking it away. */

import type { Map as MapView } from "maplibre-gl";
import { h } from "../dom";
import { formatArea, formatLength, formatVolume } from "../format";
import { type Key, t } from "../i18n";
import { zoomTo } from "../map/pick";
import { notify } from "../panels/notice";
import { iconButton, swatch } from "../panels/parts";
import { measureWork, WORK_COLORS } from "./work-drawing";
import { isDrawn, readSize, SIZES, shapeOf, type Work, works } from "./works";

export const KIND_WORDS: Record<Work["kind"], Key> = {
  pond: "plan.pond",
  canal: "plan.canal",
  road: "plan.road",
  dyke: "plan.dyke",
  gate: "plan.gate",
  pump: "plan.pump",
};

const SIZE_WORDS: Record<"depth" | "width" | "height", Key> = {
  depth: "plan.depth",
  width: "plan.width",
  height: "plan.height",
};

/** Replace the changes; what was there before can be had back for a while. */
export function changeWorks(next: readonly Work[], words: string): void {
  const before = works.get();
  works.set(next);
  notify(words, { label: t("plan.undo"), run: () => works.set(before) });
}

function sizeField(work: Work, place: number): HTMLElement {
  if (!isDrawn(work.kind)) return h("span");
  const size = SIZES[work.kind][place]!;
  const box = h("input", {
    class: "input work-size",
    type: "number",
    name: size.name,
    min: 0.1,
    max: size.most,
    step: 0.1,
    value: work.sizes[place],
    onchange: () => {
      const value = readSize(box.value, size);
      box.setAttribute("aria-invalid", String(value === null));
      if (value === null) return;
      const sizes = work.sizes.map((own, at) => (at === place ? value : own));
      works.set(works.get().map((one) => (one === work ? { ...work, sizes } : one)));
    },
  });
  return h(
    "label",
    { class: "work-field" },
    h("span", {}, t(SIZE_WORDS[size.name])),
    box,
    h("span", { class: "soft" }, "m"),
  );
}

function measureWords(work: Work): string {
  const { area, length, volume } = measureWork(work);
  return [
    area === null ? "" : formatArea(area),
    length === null ? "" : formatLength(length),
    volume === null ? "" : t(work.kind === "road" ? "plan.fill" : "plan.dig", { volume: formatVolume(volume) }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Build a row; `move` lets the corners be moved. */
function workRow(map: MapView, work: Work, number: number, move: (work: Work) => void): HTMLElement {
  const shape = shapeOf(work);
  const title = t(KIND_WORDS[work.kind]);
  const name = work.id ? `${title} ${work.id}` : `${title} ${number}`;
  const remove = (): void =>
    changeWorks(
      works.get().filter((one) => one !== work),
      t("plan.removed", { name }),
    );
  return h(
    "li",
    { class: "work", "data-work": work.kind },
    h(
      "div",
      { class: "work-head" },
      swatch(WORK_COLORS[work.kind], work.kind === "pond" ? "fill" : shape ? "line" : "circle"),
      h("strong", {}, `${number}. ${work.id ? name : title}`),
      h(
        "span",
        { class: "work-actions" },
        shape ? iconButton("target", t("plan.zoomTo", { name }), () => zoomTo(map, shape), "icon-button-quiet") : null,
        shape ? iconButton("pencil", t("plan.moveCorners", { name }), () => move(work), "icon-button-quiet") : null,
        iconButton("close", t("plan.remove", { name }), remove, "icon-button-quiet"),
      ),
    ),
    shape
      ? h("p", { class: "soft" }, measureWords(work))
      : h("p", { class: "soft" }, t(work.kind === "gate" ? "plan.gateWords" : "plan.pumpWords")),
    shape ? h("div", { class: "work-sizes" }, ...work.sizes.map((_, place) => sizeField(work, place))) : null,
  );
}

/** Build the list. */
export const workList = (map: MapView, list: readonly Work[], move: (work: Work) => void): HTMLElement =>
  h("ol", { class: "plain-list works" }, ...list.map((work, place) => workRow(map, work, place + 1, move)));
