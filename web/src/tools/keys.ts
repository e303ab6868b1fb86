/** Help for the keyboard: which key does what, and whether keys of one character work. */

import { h } from "../dom";
import { type Key, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { areKeysOn, setKeysOn } from "./shortcuts";

const KEYS: readonly [title: Key, rows: readonly [keys: string, words: Key][]][] = [
  [
    "keys.page",
    [
      ["/", "keys.search"],
      ["?", "keys.help"],
      ["Tab", "keys.tab"],
      ["Esc", "keys.escape"],
      ["← → ↑ ↓", "keys.rail"],
    ],
  ],
  [
    "keys.map",
    [
      ["← → ↑ ↓", "keys.pan"],
      ["+ −", "keys.zoom"],
      ["Shift + ← →", "keys.rotate"],
      ["Shift + ↑ ↓", "keys.tilt"],
    ],
  ],
  [
    "keys.sketch",
    [
      ["Enter", "keys.finish"],
      ["Ctrl + Z", "keys.undo"],
      ["Esc", "keys.stop"],
    ],
  ],
];

/** Open the dialog. */
export function openKeys(): void {
  openDialog(t("tool.keys"), () => {
    const box = h("input", {
      type: "checkbox",
      onchange: (event) => setKeysOn((event.target as HTMLInputElement).checked),
    });
    box.checked = areKeysOn();
    return h(
      "div",
      { class: "keys" },
      ...KEYS.map(([title, rows]) =>
        h(
          "section",
          {},
          h("h3", {}, t(title)),
          h(
            "dl",
            {},
            ...rows.map(([keys, words]) => h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, t(words)))),
          ),
        ),
      ),
      h("label", { class: "check" }, box, t("keys.on")),
      h("p", { class: "soft" }, t("keys.without")),
    );
  });
}
