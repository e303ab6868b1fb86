/** A button that opens a list of things to do. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { type IconName, icon } from "../icons";
import { iconButton } from "../panels/parts";

export interface MenuEntry {
  icon: IconName;
  label: () => string;
  run: () => void;
}

const ID = "tool-menu";

/** Make the menu; `button` builds its button anew, in the words of the moment. */
export function makeMenu(entries: readonly MenuEntry[]): { button: () => HTMLElement } {
  const list = h("div", { class: "tool-menu", id: ID, role: "menu", hidden: true });
  let opener: HTMLElement | null = null;

  const close = (giveFocus: boolean): void => {
    list.hidden = true;
    opener?.setAttribute("aria-expanded", "false");
    if (giveFocus) opener?.focus();
  };
  const open = (): void => {
    list.setAttribute("aria-label", t("tool.menu"));
    replace(
      list,
      ...entries.map((entry) =>
        h(
          "button",
          {
            type: "button",
            role: "menuitem",
            tabindex: -1,
            onclick: () => {
              close(true);
              entry.run();
            },
          },
          icon(entry.icon),
          entry.label(),
        ),
      ),
    );
    list.hidden = false;
    opener?.setAttribute("aria-expanded", "true");
    (list.firstElementChild as HTMLElement).focus();
  };
  const step = (by: number): void => {
    const items = [...list.children] as HTMLElement[];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + by + items.length) % items.length]?.focus();
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Escape: () => close(true),
    Tab: () => close(true),
  };
  list.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  list.addEventListener("focusout", (event) => {
    if (!list.contains(event.relatedTarget as Node | null) && event.relatedTarget !== opener) close(false);
  });
  const button = (): HTMLElement => {
    opener = iconButton("menu", t("tool.menu"), () => (list.hidden ? open() : close(true)), "phone-only");
    opener.setAttribute("aria-haspopup", "menu");
    opener.setAttribute("aria-expanded", "false");
    opener.setAttribute("aria-controls", ID);
    return h("span", { class: "menu-holder" }, opener, list);
  };
  return { button };
}
