/** Addresses under which others read the warnings, each with a button that copies it. */

import { h } from "../dom";
import { explain, type Key, t } from "../i18n";
import { section, textButton } from "../panels/parts";

const FEEDS: readonly [Key, string][] = [
  ["warning.feedAtom", "/cap/alerts.atom"],
  ["warning.feedReal", "/cap/alerts.atom?status=Actual"],
  ["warning.feedForce", "/cap/alerts.json?in_force=true"],
];

function feedRow([label, path]: [Key, string]): HTMLElement {
  const address = new URL(path, location.href).href;
  const note = h("span", { class: "soft", role: "status" });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(address);
      note.textContent = t("network.copied");
    } catch (error) {
      note.textContent = explain(error);
    }
  };
  const button = textButton(t("warning.copy"), () => void copy(), "button-small");
  button.setAttribute("aria-label", `${t("warning.copy")}: ${t(label)}`);
  return h(
    "li",
    { class: "feed" },
    h("span", {}, t(label)),
    h("a", { href: address, target: "_blank", rel: "noopener", class: "feed-address" }, address),
    h("div", { class: "row" }, button, note),
  );
}

export const feedsPart = (): HTMLElement =>
  section(t("warning.feeds"), h("ul", { class: "plain-list" }, ...FEEDS.map((feed) => feedRow([...feed]))));
