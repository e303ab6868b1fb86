/** A panel whose program is loaded when it is first opened. */

import { h, replace } from "../dom";
import { failure, loading } from "./parts";

/** Hold the place of a panel until it has come. */
export function loadPanel(load: () => Promise<HTMLElement>): HTMLElement {
  const holder = h("div");
  const start = (): void => {
    replace(holder, h("div", { class: "panel-body" }, loading()));
    load().then(
      (panel) => replace(holder, panel),
      (error: unknown) => replace(holder, h("div", { class: "panel-body" }, failure(error, start))),
    );
  };
  start();
  return holder;
}
