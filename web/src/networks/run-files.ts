/** Tables and drawings that a run keeps: drawings are shown, all can be saved. */

import { localPath, readRunFiles } from "../api";
import { h } from "../dom";
import { t } from "../i18n";
import { icon } from "../icons";
import { section } from "../panels/parts";
import type { RunFile } from "../types";

const DRAWING = "image/svg+xml";

function fileRow({ name, href, type }: RunFile): HTMLElement {
  const path = localPath(href);
  const save = h("a", { class: "button button-small", href: path, download: name }, icon("download", 16), name);
  if (type !== DRAWING) return save;
  const drawing = h("img", { class: "run-drawing", src: path, alt: name, loading: "lazy" });
  return h("div", {}, h("a", { href: path, target: "_blank", rel: "noopener" }, drawing), save);
}

/** Read the list of files and build it; null where a run keeps none. */
export async function filesPart(run: string): Promise<HTMLElement | null> {
  const files = await readRunFiles(run);
  if (files.length === 0) return null;
  return section(t("results.files"), h("div", { class: "row run-files" }, ...files.map(fileRow)));
}
