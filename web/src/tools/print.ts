/** Printing: what is on the sheet is chosen beside a preview; the browser prints it or makes a PDF of it. */

import type { Map as MapView } from "maplibre-gl";
import { getCity } from "../data";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { failure, loading, select, textButton } from "../panels/parts";
import { getState } from "../state";
import { layForPrint, makeMapSheet, type Paper, type SheetOptions, splitLegend } from "./print-sheet";

const SCALES = [500, 1000, 2000, 5000, 10_000, 25_000, 50_000, 100_000];
const RESOLUTIONS = [96, 150, 200, 300];
const WAIT_MS = 350;

function field(label: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), control);
}

function textField(name: string, label: string, value: string, take: (text: string) => void): HTMLElement {
  const input = h("input", { class: "input", name, value, maxlength: 120, autocomplete: "off" });
  input.addEventListener("input", () => take(input.value));
  return field(label, input);
}

function choice<T extends string | number>(
  label: string,
  values: readonly T[],
  value: T,
  words: (value: T) => string,
  take: (value: T) => void,
): HTMLElement {
  const choices = values.map((one) => ({ value: String(one), label: words(one) }));
  const box = select(label, choices, String(value), (text) =>
    take(values.find((one) => String(one) === text) ?? value),
  );
  return field(label, box);
}

/** Open the dialog. */
export function openPrint(map: MapView): void {
  const options: SheetOptions = {
    title: say(getCity().title),
    subtitle: "",
    paper: "a4",
    landscape: true,
    dpi: 150,
    scale: null,
  };
  const preview = h("div", { class: "print-preview", tabindex: 0, role: "region", "aria-label": t("sheet.preview") });
  const print = textButton(t("sheet.print"), () => window.print(), "button-primary", "print");
  let request = new AbortController();
  let timer = 0;
  let takeAway = (): void => undefined;
  let url = "";

  const clear = (): void => {
    takeAway();
    takeAway = () => undefined;
    if (url) URL.revokeObjectURL(url);
    url = "";
  };
  const showPreview = (sheets: readonly HTMLElement[]): void => {
    const copies = sheets.map((sheet) => sheet.cloneNode(true) as HTMLElement);
    const frames = copies.map((copy) => h("div", { class: "print-frame" }, copy));
    replace(preview, ...frames);
    for (const frame of frames) {
      const sheet = frame.firstElementChild as HTMLElement;
      const fit = (preview.clientWidth - 24) / sheet.offsetWidth;
      frame.style.width = `${sheet.offsetWidth * fit}px`;
      frame.style.height = `${sheet.offsetHeight * fit}px`;
      sheet.style.transform = `scale(${fit})`;
    }
  };
  const load = async (): Promise<void> => {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    print.disabled = true;
    replace(preview, loading(t("sheet.drawing")));
    try {
      const sheet = await makeMapSheet(map, { ...options }, signal);
      if (signal.aborted) return;
      clear();
      url = sheet.querySelector<HTMLImageElement>(".sheet-picture")?.src ?? "";
      // Laid out where it can be measured, unseen.
      preview.append(sheet);
      const sheets = splitLegend(sheet);
      takeAway = layForPrint(sheets);
      showPreview(sheets);
      print.disabled = false;
    } catch (error) {
      if (!signal.aborted)
        replace(
          preview,
          failure(error, () => void load()),
        );
    }
  };
  const change = (changed: Partial<SheetOptions>): void => {
    Object.assign(options, changed);
    clearTimeout(timer);
    timer = window.setTimeout(() => void load(), WAIT_MS);
  };
  /** New words need no new picture. */
  const changeWords = (changed: Partial<SheetOptions>): void => {
    Object.assign(options, changed);
    for (const root of document.querySelectorAll(".print-root, .print-preview")) {
      const title = root.querySelector(".sheet-title");
      const subtitle = root.querySelector(".sheet-subtitle");
      if (title) title.textContent = options.title;
      if (subtitle) subtitle.textContent = options.subtitle;
    }
  };
  const build = (): HTMLElement =>
    h(
      "div",
      { class: "print-dialog" },
      h(
        "div",
        { class: "print-form" },
        textField("title", t("sheet.title"), options.title, (title) => changeWords({ title })),
        textField("subtitle", t("sheet.subtitle"), "", (subtitle) => changeWords({ subtitle })),
        choice<Paper>(
          t("sheet.paper"),
          ["a4", "a3"],
          "a4",
          (one) => one.toUpperCase(),
          (paper) => change({ paper }),
        ),
        choice<string>(
          t("sheet.orientation"),
          ["landscape", "portrait"],
          "landscape",
          (one) => t(one === "landscape" ? "sheet.landscape" : "sheet.portrait"),
          (one) => change({ landscape: one === "landscape" }),
        ),
        choice<number>(
          t("sheet.scaleField"),
          [0, ...SCALES],
          0,
          (one) => (one === 0 ? t("sheet.likeScreen") : `1:${formatNumber(one, 0)}`),
          (one) => change({ scale: one || null }),
        ),
        choice<number>(
          t("sheet.resolution"),
          RESOLUTIONS,
          options.dpi,
          (one) => t("sheet.dpi", { dpi: one }),
          (dpi) => change({ dpi }),
        ),
        print,
        h("p", { class: "soft" }, t("sheet.hint")),
        getState().scheme === "dark" ? h("p", { class: "soft" }, t("sheet.dark")) : null,
      ),
      preview,
    );
  const dialog = openDialog(t("tool.sheet"), build, () => {
    request.abort();
    clearTimeout(timer);
    clear();
  });
  dialog.classList.add("dialog-print");
  void load();
}
