/** Text to the clipboard, also where the page came over plain HTTP. */

import { t } from "../i18n";
import { notify } from "../panels/notice";
import { iconButton } from "../panels/parts";

function copyOldWay(text: string): boolean {
  const holder = document.createElement("textarea");
  holder.value = text;
  holder.className = "sr-only";
  // Inside an open dialog nothing outside of it can be selected.
  const parent = document.querySelector("dialog[open]") ?? document.body;
  const focused = document.activeElement;
  parent.append(holder);
  holder.select();
  const done = document.execCommand("copy");
  holder.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

/** Copy, and say whether it was done. */
export async function copyText(text: string): Promise<void> {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    done = copyOldWay(text);
  }
  notify(t(done ? "tool.copied" : "tool.notCopied", { text: text.length > 60 ? `${text.slice(0, 60)}…` : text }));
}

/** Make the button beside what can be copied. */
export const copyButton = (label: string, text: () => string): HTMLButtonElement =>
  iconButton("copy", label, () => void copyText(text()), "icon-button-quiet");
