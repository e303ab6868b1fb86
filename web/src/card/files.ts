/** Photographs and papers of an item: seen, added, taken away. */

import { h, replace } from "../dom";
import { formatDateTime, formatNumber } from "../format";
import { explain, t } from "../i18n";
import { icon } from "../icons";
import { confirmAction } from "../panels/dialog";
import { notify } from "../panels/notice";
import { empty, iconButton, loading } from "../panels/parts";
import type { Selection } from "../state";
import { write } from "../writing";
import { addressOf, fill, readInternal } from "./internal";

const TAKEN: readonly string[] = ["image/jpeg", "image/png", "image/webp", "application/pdf"];
const MB = 1e6;

interface Attachment {
  id: number;
  title: string;
  filename: string;
  media_type: string;
  bytes: number;
  author: string;
  created: string;
}

const formatSize = (bytes: number): string =>
  bytes >= MB ? `${formatNumber(bytes / MB, 1)} MB` : `${formatNumber(Math.max(bytes / 1e3, 1), 0)} kB`;

async function remove(file: Attachment, again: () => void): Promise<void> {
  if (!(await confirmAction(file.title || file.filename, t("item.removeAsk"), t("item.remove")))) return;
  try {
    await write("DELETE", `/api/attachments/${file.id}`, null);
    again();
  } catch (error) {
    notify(explain(error));
  }
}

function fileItem(file: Attachment, again: () => void): HTMLElement {
  const name = file.title || file.filename;
  const isPicture = file.media_type.startsWith("image/");
  const picture = isPicture ? h("img", { alt: name }) : h("span", { class: "file-paper" }, icon("table", 22), "PDF");
  const link = h("a", { target: "_blank", rel: "noopener", class: "file-open" }, picture, h("span", {}, name));
  addressOf(`/api/attachments/${file.id}`).then(
    (address) => {
      link.href = address;
      if (isPicture) picture.setAttribute("src", address);
    },
    (error: unknown) => notify(explain(error)),
  );
  const by = t("item.fileBy", {
    author: file.author,
    time: formatDateTime(file.created),
    size: formatSize(file.bytes),
  });
  return h(
    "li",
    { class: "file" },
    link,
    h("span", { class: "soft" }, by),
    iconButton(
      "close",
      t("item.removeFile", { name }),
      () => void remove(file, again),
      "icon-button-quiet file-remove",
    ),
  );
}

/** Build the fields that add a file. */
function adder(path: string, again: () => void): HTMLElement {
  const said = h("div", { role: "status" });
  const title = h("input", {
    class: "input",
    type: "text",
    maxlength: 200,
    "aria-label": t("item.fileTitle"),
    placeholder: t("item.fileTitle"),
  });
  const send = async (file: File): Promise<void> => {
    if (!TAKEN.includes(file.type)) {
      replace(said, h("p", { class: "field-error" }, t("item.badFile", { name: file.name })));
      return;
    }
    replace(said, loading(t("item.sending", { name: file.name })));
    const words = title.value.trim();
    const address = words ? `${path}?${new URLSearchParams({ title: words })}` : path;
    const named = `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`;
    try {
      await write("POST", address, file, { headers: { "content-type": file.type, "content-disposition": named } });
      notify(t("item.sent", { name: file.name }));
      again();
    } catch (error) {
      replace(said, h("p", { class: "field-error", role: "alert" }, explain(error)));
    }
  };
  const picker = h("input", {
    type: "file",
    class: "visually-hidden",
    accept: TAKEN.join(),
    onchange: () => {
      const file = picker.files?.[0];
      if (file) void send(file);
    },
  });
  const button = h("label", { class: "button button-small file-picker" }, picker, icon("plus", 16), t("item.addFile"));
  return h("div", { class: "file-adder" }, title, button, said);
}

/** Fill the section. */
export function fillFiles(holder: HTMLElement, { layer, id }: Selection): void {
  const path = `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}/attachments`;
  const show = (): void =>
    void fill(
      holder,
      () => readInternal<{ attachments: Attachment[] }>(path),
      ({ attachments }) =>
        h(
          "div",
          {},
          attachments.length > 0
            ? h("ul", { class: "files" }, ...attachments.map((file) => fileItem(file, show)))
            : empty(t("item.noFiles")),
          adder(path, show),
        ),
    );
  show();
}
