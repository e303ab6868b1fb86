/** Two maps over one another with a handle between them, or beside one another. */

import type { Map as MapView } from "maplibre-gl";
import { h } from "../dom";
import { t } from "../i18n";
import { changePair, type Look, pair } from "./pair";
import { makeSecondMap, type Scene, type SecondMap } from "./second-map";

const STEP = 2;
const BIG_STEP = 10;

export interface Swipe {
  draw: (scene: Scene, titles: readonly [string, string]) => void;
  remove: () => void;
}

const clamp = (value: number): number => Math.min(Math.max(value, 0), 100);

/** Make the handle; it tells where it is put, 0–100 % from the left. */
function makeHandle(holder: HTMLElement, move: (share: number, last: boolean) => void): HTMLElement {
  const handle = h(
    "div",
    {
      class: "swipe-handle",
      role: "slider",
      tabindex: 0,
      "aria-label": t("plan.handle"),
      "aria-orientation": "horizontal",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    h("span", { class: "swipe-grip", "aria-hidden": "true" }, "⟨ ⟩"),
  );
  const shareAt = (x: number): number => {
    const { left, width } = holder.getBoundingClientRect();
    return clamp(((x - left) / width) * 100);
  };
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener("pointermove", (event) => {
    if (handle.hasPointerCapture(event.pointerId)) move(shareAt(event.clientX), false);
  });
  handle.addEventListener("pointerup", (event) => move(shareAt(event.clientX), true));
  handle.addEventListener("keydown", (event) => {
    const share = pair.get().share;
    const keys: Record<string, number> = {
      ArrowLeft: share - STEP,
      ArrowDown: share - STEP,
      ArrowRight: share + STEP,
      ArrowUp: share + STEP,
      PageDown: share - BIG_STEP,
      PageUp: share + BIG_STEP,
      Home: 0,
      End: 100,
    };
    const next = keys[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(clamp(next), true);
  });
  return handle;
}

/** Put a second map over the first. */
export function makeSwipe(first: MapView, scene: Scene): Swipe {
  const second: SecondMap = makeSecondMap(first, scene);
  const main = first.getContainer();
  const left = h("div", { class: "swipe-title swipe-title-left" });
  const right = h("div", { class: "swipe-title swipe-title-right" });
  const place = (share: number): void => {
    const look = pair.get().look;
    second.element.style.setProperty("--share", `${share}%`);
    overlay.style.setProperty("--share", `${share}%`);
    handle.setAttribute("aria-valuenow", String(Math.round(share)));
    handle.setAttribute("aria-valuetext", t("plan.handleAt", { share: Math.round(share) }));
    handle.hidden = look !== "swipe";
  };
  const handle = makeHandle(second.element, (share, last) => {
    place(share);
    if (last) changePair({ share: Math.round(share) });
  });
  const overlay = h("div", { class: "swipe" }, left, right, handle);
  main.parentElement?.append(overlay);
  let shown: Look | null = null;

  const arrange = (): void => {
    const { look, share } = pair.get();
    if (look !== shown) {
      shown = look;
      document.documentElement.classList.toggle("compare-beside", look === "beside");
      document.documentElement.classList.toggle("compare-swipe", look === "swipe");
      second.element.hidden = look === "list";
      overlay.hidden = look === "list";
      first.resize();
      second.map.resize();
    }
    place(share);
  };
  arrange();
  const draw: Swipe["draw"] = (next, [leftTitle, rightTitle]) => {
    left.textContent = leftTitle;
    right.textContent = rightTitle;
    arrange();
    second.draw(next);
  };
  return {
    draw,
    remove: () => {
      document.documentElement.classList.remove("compare-beside", "compare-swipe");
      overlay.remove();
      second.remove();
      first.resize();
    },
  };
}
