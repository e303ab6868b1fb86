/** Items of a collection, a page at a time, forward along the server's links and back the way one came. */

import { readItems, readPage } from "../api";
import { h, replace } from "../dom";
import { t } from "../i18n";
import type { ItemPage } from "../types";
import { empty, failure, loading, textButton } from "./parts";

export const nextLink = (page: ItemPage): string | undefined => page.links?.find((link) => link.rel === "next")?.href;

/** Make the holder; `open` shows the first page of a question, `build` makes a page that is not empty. */
export function makePager(
  build: (page: ItemPage) => HTMLElement,
  none: string,
): { element: HTMLElement; open: (layer: string, query: Record<string, string>) => void } {
  const element = h("div");
  let trail: (string | null)[] = [];
  let first = (): Promise<ItemPage> => Promise.resolve({ features: [], links: [] });
  let asked = 0;

  const show = async (): Promise<void> => {
    const ticket = ++asked;
    const href = trail.at(-1);
    replace(element, loading());
    try {
      const page = await (href ? readPage(href) : first());
      if (ticket !== asked) return;
      const next = nextLink(page);
      const back = textButton(t("impact.previous"), () => move(() => trail.pop()), "button-small");
      const forward = textButton(t("impact.next"), () => move(() => trail.push(next ?? null)), "button-small");
      back.disabled = trail.length < 2;
      forward.disabled = !next;
      const steps = h(
        "div",
        { class: "pager" },
        back,
        h("span", {}, t("impact.page", { page: trail.length })),
        forward,
      );
      replace(element, page.features.length === 0 ? empty(none) : build(page), next || trail.length > 1 ? steps : null);
    } catch (error) {
      if (ticket !== asked) return;
      replace(
        element,
        failure(error, () => void show()),
      );
    }
  };
  const move = (change: () => void): void => {
    change();
    void show();
  };
  const open = (layer: string, query: Record<string, string>): void => {
    first = () => readItems(layer, query);
    trail = [null];
    void show();
  };
  return { element, open };
}
