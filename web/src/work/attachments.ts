/** Photographs and papers of the item that a work order is about. */

import { localPath } from "../api";
import { addressOf } from "../card/internal";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { explain, t } from "../i18n";
import { notify } from "../panels/notice";
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
  const name = file.title || file.filename;
  const picture = file.media_type.startsWith("image/") ? h("img", { alt: name }) : null;
  const link = h("a", { target: "_blank", rel: "noopener" }, picture, h("span", {}, name));
  addressOf(localPath(file.href)).then(
    (address) => {
      link.href = address;
      if (picture) picture.src = address;
    },
    (error: unknown) => notify(explain(error)),
  );
  return h(
    "li",
    { class: "file" },
    link,
    h("span", { class: "soft" }, `${formatShortDateTime(file.created)} · ${file.author}`),
  );
}
