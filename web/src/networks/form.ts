/** The question as a form: the network, what it is asked, the places, and what is not to be passed. */

import type { Map as MapView } from "maplibre-gl";
import { findVectorLayer, onData } from "../data";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { isAiming, stopAiming } from "../map/aim";
import { type Choice, select, textButton } from "../panels/parts";
import { getState, setState, watch } from "../state";
import { ask, changeQuestion } from "./asking";
import {
  COMMODITIES,
  type Commodity,
  type Kind,
  kindsOf,
  layersOf,
  NETWORKS,
  needsEnd,
  needsStart,
} from "./commodities";
import { makePlaces } from "./place-field";
import { FIRST_QUESTION, isComplete, type Question } from "./question";

/** Layers that were shown for a network's sake; they go when another network is chosen. */
const lent = new Set<string>();

const isThere = (layer: string): boolean => (findVectorLayer(layer)?.count ?? 0) > 0;

/** The networks that the city has lines of. */
export const findNetworks = (): Commodity[] =>
  COMMODITIES.filter((commodity) => NETWORKS[commodity].lines.some(isThere));

/** Show the layers of a network. */
export function showNetwork(commodity: Commodity): void {
  const wanted = layersOf(commodity).filter(isThere);
  const layers = new Set(getState().layers);
  for (const layer of lent) if (!wanted.includes(layer)) layers.delete(layer);
  lent.clear();
  for (const layer of wanted.filter((one) => !layers.has(one))) {
    lent.add(layer);
    layers.add(layer);
  }
  setState({ layers });
}

/** Choose another network: places and conditions of the old one mean nothing there. */
function changeCommodity(commodity: Commodity): void {
  const { kind } = getState().question;
  const kept: Kind = kindsOf(commodity).includes(kind) ? kind : FIRST_QUESTION.kind;
  setState({ question: { ...FIRST_QUESTION, commodity, kind: kept } });
  showNetwork(commodity);
}

function conditionField(name: "barriers" | "filter", examples: readonly string[]): HTMLElement {
  const list = `network-${name}-examples`;
  const box = h("input", {
    class: "input",
    name,
    list,
    autocomplete: "off",
    spellcheck: false,
    placeholder: examples[0] ?? "",
    maxlength: 2000,
    onchange: () => changeQuestion({ [name]: box.value.trim() }),
  });
  box.value = getState().question[name];
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, t(`network.${name}`)),
    box,
    h("datalist", { id: list }, ...examples.map((value) => h("option", { value }))),
    h("span", { class: "soft" }, t("network.example", { examples: examples.join("  ·  ") })),
  );
}

function makeConditions(): { element: HTMLElement; update: () => void } {
  const element = h("details", { class: "more" });
  let shown = "";
  const update = (): void => {
    const { commodity, kind, barriers, filter, throughClosed } = getState().question;
    element.hidden = kind === "isolation";
    const key = [commodity, barriers, filter, throughClosed, getState().lang].join("|");
    if (key === shown) return;
    shown = key;
    if (barriers || filter || throughClosed) element.open = true;
    const { examples } = NETWORKS[commodity];
    const box = h("input", {
      type: "checkbox",
      name: "through-closed",
      onchange: () => changeQuestion({ throughClosed: box.checked }),
    });
    box.checked = throughClosed;
    replace(
      element,
      h("summary", {}, t("network.conditions")),
      h(
        "div",
        { class: "form" },
        conditionField("barriers", examples),
        conditionField("filter", examples),
        h("label", { class: "option" }, box, h("span", {}, t("network.throughClosed"))),
      ),
    );
  };
  return { element, update };
}

/** Build the form. */
export function networkForm(map: MapView): HTMLElement {
  const head = h("div", { class: "network-head" });
  const starts = makePlaces(map, "starts");
  const ends = makePlaces(map, "ends");
  const conditions = makeConditions();
  const buttons = h("div", { class: "row" });
  let choices = "";

  const updateHead = (): void => {
    const { commodity, kind } = getState().question;
    const key = `${commodity}|${kind}|${getState().lang}`;
    if (key === choices) return;
    choices = key;
    const known = findNetworks();
    const networks: Choice[] = COMMODITIES.filter((value) => known.includes(value) || value === commodity).map(
      (value) => ({ value, label: t(`commodity.${value}`) }),
    );
    const kinds: Choice[] = kindsOf(commodity).map((value) => ({ value, label: t(`trace.${value}`) }));
    const field = (label: string, box: HTMLElement): HTMLElement =>
      h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);
    const focused = (document.activeElement as HTMLElement | null)?.getAttribute("name");
    const networkBox = select(t("network.commodity"), networks, commodity, (value) =>
      changeCommodity(value as Commodity),
    );
    const kindBox = select(t("network.kind"), kinds, kind, (value) =>
      changeQuestion({ kind: value as Kind, ends: [] }),
    );
    networkBox.name = "commodity";
    kindBox.name = "kind";
    replace(head, field(t("network.commodity"), networkBox), field(t("network.kind"), kindBox));
    if (focused) head.querySelector<HTMLElement>(`[name="${focused}"]`)?.focus();
    replace(
      buttons,
      textButton(t("network.ask"), () => (isComplete(getState().question) ? void ask() : invite()), "button-primary"),
      textButton(t("network.clear"), () => clear(), ""),
    );
  };
  const clear = (): void => {
    const { commodity, kind } = getState().question;
    // What needs no start would be asked of the whole network at once.
    setState({ question: { ...FIRST_QUESTION, commodity, ...(needsStart(kind) ? { kind } : {}) } });
  };
  const update = (): void => {
    updateHead();
    starts.update();
    ends.update();
    conditions.update();
  };
  /** What is missing is asked for at once. */
  const invite = (): void => {
    const { tab, panelOpen, tool, question } = getState();
    if (tab !== "networks" || !panelOpen || tool !== "trace") {
      if (isAiming()) stopAiming(map);
      return;
    }
    if (needsStart(question.kind) && question.starts.length === 0) starts.start();
    else if (needsEnd(question.kind) && question.ends.length === 0) ends.start();
  };
  update();
  watch(["question", "lang"], update);
  watch(["question", "tab", "tool", "panelOpen"], invite);
  onData("network", update);
  // A link asks what it says; who opens the panel finds a network that the city has.
  const { commodity: first, starts: asked } = getState().question;
  const [present] = findNetworks();
  if (present && asked.length === 0 && !findNetworks().includes(first)) changeCommodity(present);
  else showNetwork(first);
  invite();
  return h("div", { class: "form network-form" }, head, starts.element, ends.element, conditions.element, buttons);
}

/** Ask about a feature from its card. */
export function askAbout(commodity: Commodity, kind: Kind, word: string): void {
  const question: Question = { ...FIRST_QUESTION, commodity, kind, starts: [word] };
  showNetwork(commodity);
  setState({ tab: "networks", tool: "trace", panelOpen: true, question });
}
