/** Tiles by pages: as many as fit, turned by themselves or by hand. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { icon } from "../icons";
import type { Indicator } from "./indicator";
import { makeTile, type Tile } from "./tile";

const TICK_MS = 1_000;
const QUIET_MS = 20_000;

export interface Pages {
  element: HTMLElement;
  /** Show these tiles, turned every `rotate` seconds. */
  arrange: (ids: readonly string[], rotate: number) => void;
  update: (changed: readonly Indicator[]) => void;
  /** Write all words anew. */
  retell: () => void;
}

/** Return how many tiles the stylesheet has room for; a phone shows them all below each other. */
function countRoom(grid: HTMLElement): number {
  const style = getComputedStyle(grid);
  const read = (name: string): number => Number(style.getPropertyValue(name)) || 1;
  const rows = read("--rows");
  return rows >= 99 ? Number.POSITIVE_INFINITY : read("--columns") * rows;
}

/** Build the pages. */
export function makePages(open: (id: string) => void): Pages {
  const grid = h("div", { class: "tiles" });
  const steps = h("div", { class: "tile-pages" });
  const element = h("section", { class: "wall-tiles" }, grid, steps);
  const known = new Map<string, Indicator>();
  const tiles = new Map<string, Tile>();
  let order: readonly string[] = [];
  let rotate = 0;
  let page = 0;
  let paused = false;
  let left = 0;

  const countPages = (): number => Math.max(Math.ceil(order.length / countRoom(grid)), 1);
  const showSteps = (count: number): void => {
    const hadFocus = (document.activeElement as HTMLElement | null)?.dataset["step"];
    const step = (name: string, label: string, run: () => void, child: Node | string, pressed?: boolean): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          class: "tile-step",
          "data-step": name,
          "aria-label": label,
          title: label,
          onclick: run,
          "aria-pressed": pressed === undefined ? null : String(pressed),
        },
        child,
      );
    replace(
      steps,
      ...(count < 2
        ? []
        : [
            step("back", t("wall.previousPage"), () => turn(-1), icon("chevron")),
            h("span", { class: "tile-page" }, t("wall.page", { page: page + 1, count })),
            step("on", t("wall.nextPage"), () => turn(1), icon("chevron")),
            rotate > 0
              ? step("pause", t(paused ? "wall.resume" : "wall.pause"), pause, icon(paused ? "play" : "pause"), paused)
              : null,
          ]),
    );
    if (hadFocus) steps.querySelector<HTMLElement>(`[data-step="${hadFocus}"]`)?.focus();
  };
  const show = (): void => {
    const room = countRoom(grid);
    const count = countPages();
    page = ((page % count) + count) % count;
    // Few tiles are drawn large.
    const columns = Number(getComputedStyle(grid).getPropertyValue("--columns")) || 1;
    grid.style.setProperty("--used", String(Math.max(Math.ceil(Math.min(order.length, room) / columns), 1)));
    const shown = order.slice(page * Math.min(room, order.length), (page + 1) * Math.min(room, order.length));
    const built = shown.flatMap((id): Tile[] => {
      const one = known.get(id);
      if (!one) return [];
      const tile = tiles.get(id) ?? makeTile(one, open);
      tiles.set(id, tile);
      return [tile];
    });
    replace(grid, ...built.map((tile) => tile.element));
    showSteps(count);
  };
  const turn = (by: number): void => {
    page += by;
    left = rotate;
    show();
  };
  const pause = (): void => {
    paused = !paused;
    showSteps(countPages());
  };
  // Who reads or works on a tile is not to lose it; a mouse left lying there does not stop the wall.
  let touched = 0;
  for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"])
    element.addEventListener(kind, () => {
      touched = Date.now();
    });
  setInterval(() => {
    const isUsed = Date.now() - touched < QUIET_MS;
    if (paused || isUsed || rotate === 0 || document.hidden || countPages() < 2) return;
    left -= 1;
    if (left <= 0) turn(1);
  }, TICK_MS);
  new ResizeObserver(show).observe(element);
  return {
    element,
    arrange: (ids, seconds) => {
      [order, rotate, left, page] = [ids, seconds, seconds, 0];
      show();
    },
    update: (changed) => {
      const added = changed.some((one) => !known.has(one.id));
      for (const one of changed) {
        known.set(one.id, one);
        tiles.get(one.id)?.update(one);
      }
      if (added) show();
    },
    retell: () => {
      for (const [id, tile] of tiles) tile.update(known.get(id)!);
      show();
    },
  };
}
