/** A window of a tool beside the map: one at a time, it leaves the map free to be used. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { iconButton } from "../panels/parts";
import { setState, watch } from "../state";

const PHONE = "(max-width: 640px)";

export interface WindowParts {
  name: string;
  title: () => string;
  /** The content, built anew when the language changes. */
  build: () => HTMLElement;
  closed: () => void;
}

export interface ToolWindow {
  name: string;
  close: () => void;
  refresh: () => void;
}

let shown: ToolWindow | null = null;

/** Open the window of a tool in place of the one that is open. */
export function openWindow({ name, title, build, closed }: WindowParts): ToolWindow {
  shown?.close();
  // On a phone window and panel would leave no map between them.
  if (matchMedia(PHONE).matches) setState({ panelOpen: false });
  const before = document.activeElement;
  const element = h("aside", { class: `tool-window tool-${name}`, tabindex: -1 });
  const close = (): void => {
    if (shown !== self) return;
    shown = null;
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    closed();
    if (hadFocus && before instanceof HTMLElement && before.isConnected) before.focus();
  };
  const refresh = (): void => {
    element.setAttribute("aria-label", title());
    const head = h(
      "header",
      { class: "tool-head" },
      h("h2", {}, title()),
      iconButton("close", t("app.close"), close, "icon-button-quiet"),
    );
    replace(element, head, h("div", { class: "tool-body" }, build()));
  };
  const self: ToolWindow = { name, close, refresh };
  shown = self;
  refresh();
  document.getElementById("app")?.append(element);
  element.focus({ preventScroll: true });
  return self;
}

watch(["lang"], () => shown?.refresh());
