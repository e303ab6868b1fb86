/** Small panes beside a button: they close on Escape and on a click elsewhere, and give the focus back. */

import { h, replace } from "../dom";

const GAP = 4;

/** Where a pane opens: at an element, or at a point of the page. */
export type Anchor = Element | { x: number; y: number };

function place(pane: HTMLElement, anchor: Anchor): void {
  const box = anchor instanceof Element ? anchor.getBoundingClientRect() : new DOMRect(anchor.x, anchor.y, 0, 0);
  const { offsetWidth: width, offsetHeight: height } = pane;
  const below = innerHeight - box.bottom - GAP;
  const top = height <= below || below >= box.top ? box.bottom + GAP : box.top - GAP - height;
  pane.style.left = `${Math.max(GAP, Math.min(box.left, innerWidth - width - GAP))}px`;
  pane.style.top = `${Math.max(GAP, Math.min(top, innerHeight - height - GAP))}px`;
}

/** Open a pane called `label`; `build` gets what closes it. Returns what closes it. */
export function openPopup(
  anchor: Anchor,
  label: string,
  build: (close: () => void) => HTMLElement,
  closed?: () => void,
): () => void {
  const before = document.activeElement;
  const pane = h("div", { class: "popup", popover: "auto", role: "dialog", "aria-label": label, tabindex: -1 });
  const close = (): void => pane.hidePopover();
  replace(pane, build(close));
  pane.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    const hadFocus = pane.contains(document.activeElement) || document.activeElement === document.body;
    pane.remove();
    if (hadFocus && before instanceof HTMLElement) before.focus();
    closed?.();
  });
  // What closes the pane does not close the card behind it.
  pane.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(pane);
  pane.showPopover();
  place(pane, anchor);
  // What is still read when the pane opens may make it larger.
  new ResizeObserver(() => pane.isConnected && place(pane, anchor)).observe(pane);
  (pane.querySelector<HTMLElement>("[autofocus], button, input, select") ?? pane).focus();
  return close;
}

export interface Command {
  label: string;
  run: () => void;
  /** Address of a file that the command saves. */
  href?: string;
  download?: string;
  disabled?: boolean;
}

/** Open a menu; the arrow keys move in it. */
export function openMenu(anchor: Anchor, label: string, commands: readonly Command[]): void {
  openPopup(anchor, label, (close) => {
    const entry = ({ label: words, run, href, download, disabled }: Command): HTMLElement => {
      const onclick = (): void => {
        close();
        run();
      };
      return href
        ? h(
            "a",
            { role: "menuitem", class: "popup-command", href, download: download ?? true, onclick, tabindex: -1 },
            words,
          )
        : h(
            "button",
            { type: "button", role: "menuitem", class: "popup-command", onclick, disabled, tabindex: -1 },
            words,
          );
    };
    const menu = h("div", { class: "popup-menu", role: "menu", "aria-label": label }, ...commands.map(entry));
    menu.addEventListener("keydown", (event) => {
      const entries = [...menu.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
      const at = entries.indexOf(document.activeElement as HTMLElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      entries.at(to % entries.length)?.focus();
    });
    return menu;
  });
}
