/** Photographs and papers of the item that a work order is about. */

import { localPath } from "../api";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { t } from "../i18n";
import { empty, failure, loading, section } from "../panels/parts";
import { type Attachment, attach, type Order, type OrderItem, readAttachments } from "./api";

const TYPES = "image/jpeg,image/png,image/webp,application/pdf";

/** Build the part; new files are named after the order. */
export function attachmentsPart(item: OrderItem, order: Order): HTMLElement {
  const list = h("div", { "aria-live": "polite" });
  const show = async (): Promise<void> => {
    replace(list, loading());
    try {
      const files = await readAttachments(item);
      replace(list, files.length === 0 ? empty(t("work.noFiles")) : h("ul", { class: "files" }, ...files.map(fileRow)));
    } catch (error) {
      replace(
        list,
        failure(error, () => void show()),
      );
    }
  };
  const send = async (file: File): Promise<void> => {
    replace(list, loading(t("work.sendingFile")));
    try {
      await attach(item, file, `#${order.id} ${order.title}`.slice(0, 200));
      await show();
    } catch (error) {
      replace(
        list,
        failure(error, () => void send(file)),
      );
    }
  };
  const box = h("input", {
    type: "file",
    accept: TYPES,
    class: "input",
    "aria-label": t("work.addFile"),
    onchange: () => {
      const file = box.files?.[0];
      if (file) void send(file);
      box.value = "";
    },
  });
  void show();
  return section(t("work.files"), list, box);
}

function fileRow(file: Attachment): HTMLElement {
  const path = localPath(file.href);
  const isPicture = file.media_type.startsWith("image/");
  return h(
    "li",
    { class: "file" },
    h(
      "a",
      { href: path, target: "_blank", rel: "noopener" },
      isPicture ? h("img", { src: path, alt: file.title || file.filename, loading: "lazy" }) : null,
      h("span", {}, file.title || file.filename),
    ),
    h("span", { class: "soft" }, `${formatShortDateTime(file.created)} · ${file.author}`),
  );
}
