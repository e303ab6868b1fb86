/** Sharing: the link that brings everybody to the same picture, and what it restores. */

import { run } from "../data";
import { h } from "../dom";
import { formatDateTime } from "../format";
import { say, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { textButton } from "../panels/parts";
import { keptSlices } from "../slices";
import { getState } from "../state";
import { copyText } from "./copy";
import { drawing, fitsLink } from "./drawing";

/** The link is written a moment after the last change. */
const WRITTEN_MS = 300;

/** Pieces of the link that say how layers are drawn and which of their features. */
function describe(): string[] {
  const { layers, time, tab, selection, threeD } = getState();
  const shapes = drawing.get();
  const others = [...keptSlices().keys()].filter((key) => key !== "draw").length;
  return [
    t("share.camera"),
    t("share.layers", { count: layers.size }),
    run ? t("share.run", { run: say(run.title) }) : "",
    run && time ? t("share.time", { time: formatDateTime(time) }) : "",
    t("share.tab", { tab: t(`tab.${tab}`) }),
    selection ? t("share.selection", { id: selection.id }) : "",
    threeD ? t("share.threeD") : "",
    others > 0 ? t("share.others", { count: others }) : "",
    shapes.length > 0 && fitsLink(shapes) ? t("share.drawing", { count: shapes.length }) : "",
  ].filter(Boolean);
}

/** Open the dialog. */
export async function openShare(): Promise<void> {
  await new Promise((resolve) => window.setTimeout(resolve, WRITTEN_MS));
  const link = location.href;
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  openDialog(t("tool.share"), () => {
    const field = h("textarea", { class: "input share-link", rows: 4, readonly: true, "aria-label": t("share.link") });
    field.value = link;
    field.addEventListener("focus", () => field.select());
    const open = h("a", { class: "button", href: link, target: "_blank", rel: "noopener" }, t("share.open"));
    return h(
      "div",
      { class: "share" },
      field,
      h(
        "div",
        { class: "row" },
        textButton(t("share.copy"), () => void copyText(link), "button-primary", "copy"),
        open,
      ),
      h("h3", {}, t("share.restores")),
      h("ul", { class: "share-list" }, ...describe().map((words) => h("li", {}, words))),
      drawing.get().length > 0 && !fitsLink(drawing.get())
        ? h("p", { class: "field-error" }, t("draw.notInLink"))
        : null,
      isLocal ? h("p", { class: "soft" }, t("share.local")) : null,
    );
  });
}
