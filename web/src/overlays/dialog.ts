/** The dialog of overlay links: for each protocol the address, what it is for, how it is added, whether it answers. */

import "../styles/overlays.css";
import { getCatalog, isPerRun } from "../data";
import { fold, h, replace } from "../dom";
import { addWords, type Key, say, t } from "../i18n";
import { alarmsEn } from "../i18n/alarms-en";
import { alarmsVi } from "../i18n/alarms-vi";
import { openDialog } from "../panels/dialog";
import { empty, textButton } from "../panels/parts";
import { copyButton } from "../tools/copy";
import { listLinks, type OverlayLink } from "./links";
import { testLink } from "./testing";

addWords({ vi: alarmsVi, en: alarmsEn });

function row(link: OverlayLink): { element: HTMLElement; test: () => Promise<void> } {
  const said = h("span", { class: "overlay-said", role: "status" });
  const what = t(`overlay.what_${link.id}` as Key);
  const name = `${link.name} – ${what}`;
  const test = async (): Promise<void> => {
    said.className = "overlay-said";
    said.textContent = t("overlay.testing");
    const { ok, status, milliseconds, type, detail } = await testLink(link.test ?? link.url);
    said.classList.add(ok ? "overlay-good" : "overlay-bad");
    said.textContent = ok
      ? t("overlay.works", { milliseconds, type: type || String(status) })
      : t("overlay.fails", { status: status || "", detail });
  };
  const button = textButton(t("overlay.test"), () => void test(), "button-small");
  button.setAttribute("aria-label", t("overlay.testOne", { name: link.name }));
  const field = h("input", { class: "input overlay-url", readonly: true, value: link.url, "aria-label": name });
  field.addEventListener("focus", () => field.select());
  const element = h(
    "li",
    { class: "overlay-row", "data-overlay": link.id },
    h("h3", {}, link.name, h("span", {}, what)),
    h(
      "div",
      { class: "overlay-line" },
      field,
      copyButton(t("overlay.copy", { name: link.name }), () => link.url),
      button,
    ),
    h("p", { class: "soft" }, t(`overlay.how_${link.id}` as Key)),
    said,
  );
  return { element, test };
}

function chooser(chosen: string | null, change: (layer: string | null) => void): HTMLSelectElement {
  const groups = getCatalog().themes.flatMap((theme): HTMLElement[] => {
    const layers = theme.layers.filter((layer) => !isPerRun(layer));
    if (layers.length === 0) return [];
    return [
      h(
        "optgroup",
        { label: say(theme.title) },
        ...layers.map((layer) => h("option", { value: layer.id, selected: layer.id === chosen }, say(layer.title))),
      ),
    ];
  });
  const box = h(
    "select",
    { class: "select", name: "overlay-layer", onchange: () => change(box.value || null) },
    h("option", { value: "", selected: chosen === null }, t("overlay.city")),
    ...groups,
  );
  return box;
}

/** Open the dialog, for one layer or for the whole city. */
export function openOverlayLinks(layer: string | null = null): void {
  openDialog(t("overlay.title"), (close) => {
    const list = h("ul", { class: "overlay-list" });
    const words = h("input", { type: "search", class: "input", name: "overlay-words", autocomplete: "off" });
    let chosen = layer;
    let rows: ReturnType<typeof row>[] = [];
    const show = (): void => {
      const wanted = fold(words.value.trim());
      const links = listLinks(chosen).filter((link) =>
        fold(`${link.name} ${t(`overlay.what_${link.id}` as Key)} ${t(`overlay.how_${link.id}` as Key)}`).includes(
          wanted,
        ),
      );
      rows = links.map(row);
      replace(list, ...(rows.length > 0 ? rows.map((one) => one.element) : [h("li", {}, empty(t("overlay.none")))]));
    };
    const testAll = async (): Promise<void> => {
      for (const one of rows) await one.test();
    };
    const makeWidget = async (): Promise<void> => {
      const { openWidgetBuilder } = await import("../widget/builder");
      close();
      openWidgetBuilder();
    };
    words.addEventListener("input", show);
    show();
    const labelled = (label: string, child: HTMLElement): HTMLElement =>
      h("label", { class: "field" }, h("span", { class: "field-label" }, label), child);
    return h(
      "div",
      { class: "overlays" },
      h("p", {}, t("overlay.intro")),
      h(
        "div",
        { class: "overlay-fields" },
        labelled(
          t("overlay.of"),
          chooser(chosen, (next) => {
            chosen = next;
            show();
          }),
        ),
        labelled(t("overlay.find"), words),
      ),
      h(
        "div",
        { class: "row" },
        textButton(t("overlay.testAll"), () => void testAll(), "button-small", "check"),
        textButton(t("widget.title"), () => void makeWidget(), "button-small", "plan"),
        h("a", { class: "button button-small", href: "./wall.html", target: "_blank" }, t("wall.subtitle")),
      ),
      list,
    );
  });
}
