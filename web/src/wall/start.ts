/** What wall and widgets begin with: words, look, the city; a failure says so and tries again. */

import { readCatalog } from "../api";
import { getCatalog, setCatalog } from "../data";
import { h, replace } from "../dom";
import { setTimezone } from "../format";
import { addWords, explain, t } from "../i18n";
import { alarmsEn } from "../i18n/alarms-en";
import { alarmsVi } from "../i18n/alarms-vi";
import { failure, loading } from "../panels/parts";
import type { Scheme } from "../state";
import { applyLook, readParameters } from "./settings";

const AGAIN_MS = 15_000;

/** Start a page; `build` makes it once the city is known. */
export function startPage(
  scheme: Scheme,
  build: (app: HTMLElement, parameters: URLSearchParams) => Promise<void>,
): void {
  addWords({ vi: alarmsVi, en: alarmsEn });
  const app = document.getElementById("app");
  if (!app) return;
  const open = async (): Promise<void> => {
    const parameters = readParameters();
    applyLook(parameters, scheme);
    replace(app, h("main", { class: "page-start" }, loading(t("app.loading"))));
    try {
      setCatalog(await readCatalog());
      setTimezone(getCatalog().city.timezone);
      await build(app, parameters);
    } catch (error) {
      console.warn("start:", error);
      // Nobody stands at a wall to press a button.
      const again = setTimeout(() => void open(), AGAIN_MS);
      const retry = (): void => {
        clearTimeout(again);
        void open();
      };
      replace(app, h("main", { class: "page-start" }, failure(new Error(explain(error)), retry)));
    }
  };
  void open();
}
