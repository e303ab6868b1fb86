/** The dock that holds the table: below the map, as high as somebody wants it; on a phone over the whole page. */

import { h } from "../dom";
import { t } from "../i18n";
import { tables } from "./view";

const LEAST = 160;
const USUAL = 320;
const STEP = 40;
const HEADER = 52;
/** A map that is lower has no room for the time slider. */
const LOW = 380;
const PHONE = "(max-width: 640px)";

const room = (): number => Math.max(innerHeight - HEADER, LEAST);
const bounded = (height: number): number => Math.round(Math.min(Math.max(height, LEAST), room()));

/** Make the dock around `content`. `show` puts it on the page or takes it away. */
export function makeFrame(content: HTMLElement): {
  element: HTMLElement;
  show: (open: boolean) => void;
  isFull: () => boolean;
  toggleFull: () => void;
  /** Leave the map some room on a phone, where the table covers it. */
  showMap: () => void;
} {
  const grip = h("div", {
    class: "dock-grip",
    role: "separator",
    "aria-orientation": "horizontal",
    "aria-controls": "table-dock",
    tabindex: 0,
  });
  const element = h("section", { class: "dock", id: "table-dock" }, grip, content);
  let height = bounded(tables.get().height || USUAL);
  let before = USUAL;

  const apply = (): void => {
    document.documentElement.style.setProperty("--dock", `${height}px`);
    document.documentElement.classList.toggle("table-high", element.isConnected && room() - height < LOW);
    grip.setAttribute("aria-label", t("table.height"));
    grip.setAttribute("aria-valuemin", String(LEAST));
    grip.setAttribute("aria-valuemax", String(room()));
    grip.setAttribute("aria-valuenow", String(height));
    element.setAttribute("aria-label", t("table.title"));
  };
  const put = (next: number): void => {
    height = bounded(next);
    apply();
  };
  const keep = (): void => {
    const { height: told } = tables.get();
    const next = height === USUAL ? 0 : height;
    if (told !== next) tables.set({ ...tables.get(), height: next });
  };
  const isPhone = (): boolean => matchMedia(PHONE).matches;
  const isFull = (): boolean => (isPhone() ? !element.classList.contains("dock-half") : height >= room());
  const toggleFull = (): void => {
    if (isPhone()) {
      element.classList.toggle("dock-half");
      return;
    }
    if (!isFull()) before = height;
    put(isFull() ? before : room());
    keep();
  };
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    const [from, was] = [event.clientY, height];
    const move = (next: PointerEvent): void => put(was + from - next.clientY);
    grip.addEventListener("pointermove", move);
    grip.addEventListener(
      "pointerup",
      () => {
        grip.removeEventListener("pointermove", move);
        keep();
      },
      { once: true },
    );
  });
  grip.addEventListener("dblclick", toggleFull);
  grip.addEventListener("keydown", (event) => {
    const to = { ArrowUp: height + STEP, ArrowDown: height - STEP, Home: LEAST, End: room() }[event.key];
    if (event.key === "Enter") toggleFull();
    else if (to === undefined) return;
    else {
      put(to);
      keep();
    }
    event.preventDefault();
  });
  addEventListener("resize", () => put(height));
  const show = (open: boolean): void => {
    document.documentElement.classList.toggle("has-table", open);
    if (open && !element.isConnected) document.getElementById("app")?.append(element);
    if (!open) element.remove();
    apply();
  };
  const showMap = (): void => {
    if (isPhone()) element.classList.add("dock-half");
  };
  return { element, show, isFull, toggleFull, showMap };
}
