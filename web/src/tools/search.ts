/** The search box of the header: a combobox over layers, things of the city, addresses and coordinates. */

import type { Map as MapView } from "maplibre-gl";
import { type Child, h, replace } from "../dom";
import { explain, t } from "../i18n";
import { icon } from "../icons";
import { watch } from "../state";
import { type Finding, findInCity, findLayers, type Group } from "./findings";

const WAIT_MS = 220;
const SHORTEST = 2;
const LONGEST = 120;
const GROUPS: readonly Group[] = ["coordinates", "layers", "city", "addresses"];
const LIST = "seek-list";

export interface SearchBox {
  element: HTMLElement;
  focus: () => void;
}

/** Build the box; `chosen` is told after something was chosen. */
export function makeSearch(map: MapView, chosen: () => void): SearchBox {
  let findings: Finding[] = [];
  let active = -1;
  let asked = "";
  let timer = 0;
  let request: AbortController | null = null;

  const list = h("div", { class: "seek-list", id: LIST, role: "listbox", hidden: true });
  const said = h("span", { class: "sr-only", role: "status" });
  const field = h("input", {
    type: "text",
    class: "seek-field",
    id: "seek",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: LONGEST,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": LIST,
    "aria-keyshortcuts": "/",
  });

  const setOpen = (open: boolean): void => {
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    if (!open) activate(-1);
  };
  const activate = (index: number): void => {
    active = index;
    const options = [...list.querySelectorAll<HTMLElement>("[role=option]")];
    for (const [place, option] of options.entries()) option.setAttribute("aria-selected", String(place === index));
    const option = options[index];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };
  const choose = (finding: Finding | undefined): void => {
    if (!finding) return;
    setOpen(false);
    finding.run();
    chosen();
  };
  const row = (finding: Finding, index: number): HTMLElement =>
    h(
      "div",
      {
        class: "seek-option",
        role: "option",
        id: `seek-option-${index}`,
        "aria-selected": "false",
        // The field keeps the focus, so that the list stays open until the click is over.
        onmousedown: (event) => event.preventDefault(),
        onclick: () => choose(finding),
      },
      icon(finding.icon, 16),
      h("span", { class: "seek-words" }, finding.title, h("span", { class: "seek-hint" }, finding.hint)),
    );
  const draw = (state: "asking" | "done", failed?: unknown): void => {
    findings = GROUPS.flatMap((group) => findings.filter((finding) => finding.group === group));
    const groups = GROUPS.map((group): Child => {
      const rows = findings.flatMap((finding, index) => (finding.group === group ? [row(finding, index)] : []));
      if (rows.length === 0) return null;
      const label = h("div", { class: "seek-group", id: `seek-${group}`, role: "presentation" }, t(`seek.${group}`));
      return h("div", { role: "group", "aria-labelledby": `seek-${group}` }, label, ...rows);
    });
    const words =
      failed !== undefined
        ? t("seek.failed", { reason: explain(failed) })
        : state === "asking"
          ? t("seek.asking")
          : findings.length === 0
            ? t("seek.none", { text: asked })
            : "";
    replace(list, ...groups, words ? h("div", { class: "seek-message", role: "presentation" }, words) : null);
    said.textContent = state === "done" ? words || t("seek.count", { count: findings.length }) : "";
    activate(-1);
    setOpen(true);
  };
  const load = async (): Promise<void> => {
    request = new AbortController();
    const { signal } = request;
    try {
      const found = await findInCity(map, asked, signal);
      if (signal.aborted) return;
      findings = [...findLayers(asked), ...found];
      draw("done");
    } catch (error) {
      if (!signal.aborted) draw("done", error);
    }
  };
  const ask = (): void => {
    asked = field.value.trim();
    clearTimeout(timer);
    request?.abort();
    if (asked.length < SHORTEST) {
      findings = [];
      setOpen(false);
      return;
    }
    findings = findLayers(asked);
    draw("asking");
    timer = window.setTimeout(() => void load(), WAIT_MS);
  };
  const move = (step: number): void => {
    if (list.hidden) {
      if (asked.length >= SHORTEST) setOpen(true);
      return;
    }
    if (findings.length > 0)
      activate((active + step + findings.length + (active < 0 && step < 0 ? 1 : 0)) % findings.length);
  };
  const clear = (): void => {
    field.value = "";
    ask();
  };
  /** Escape closes the list first, then empties the field, then leaves it. */
  const leave = (): void => {
    if (!list.hidden) setOpen(false);
    else if (field.value) clear();
    else field.blur();
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => choose(findings[active] ?? findings[0]),
    Escape: leave,
  };
  field.addEventListener("input", ask);
  field.addEventListener("focus", () => {
    if (asked.length >= SHORTEST) setOpen(true);
  });
  field.addEventListener("blur", () => setOpen(false));
  field.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    // Escape here is not Escape for the card or a drawing.
    event.stopPropagation();
    act();
  });
  const label = (): void => {
    field.placeholder = t("seek.placeholder");
    field.setAttribute("aria-label", t("seek.label"));
    list.setAttribute("aria-label", t("seek.label"));
  };
  label();
  watch(["lang"], label);
  const focus = (): void => {
    field.focus();
    field.select();
  };
  const slash = h("kbd", { class: "seek-key", "aria-hidden": "true" }, "/");
  return { element: h("div", { class: "seek", role: "search" }, icon("search", 16), field, slash, list, said), focus };
}
