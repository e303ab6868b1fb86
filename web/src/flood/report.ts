/** The situation report: what is in it is chosen here, looked at in a preview, printed by the browser. */

import "../styles/report.css";
import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { formatNumber, parseCityTime, writeCityTime } from "../format";
import { t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { failure, loading, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, type Lang, setState, watch } from "../state";
import { layForPrint } from "../tools/print-sheet";
import { readAuthor } from "../writing";
import { type ReportData, readReport, sumCounts } from "./report-data";
import { drawMaps, type MapOfRun } from "./report-maps";
import { layReport, type ReportWords, SECTIONS, type Section } from "./report-paper";
import { sayGauge, saySituation } from "./situation";
import { countWet, sayTouched } from "./ward-list";
import { countWorks } from "./works-now";

const PERIOD_HOURS = 24;

/** Write the situation in sentences, a line each, for a person to go over. */
export function writeSituation({ gauges, gauge, wards, inForce }: ReportData): string {
  const { pumps, running } = countWorks();
  const wet = wards ? countWet(wards.wards) : 0;
  const lines = [
    ...(gauges.length > 0 ? saySituation(gauges) : [t("desk.noGauges")]),
    gauge ? sayGauge(gauge) : null,
    wards && wards.wards.length > 0
      ? wet === 0
        ? t("ward.allDry", { count: formatNumber(wards.wards.length, 0) })
        : t("report.wardsSaid", {
            wet: formatNumber(wet, 0),
            count: formatNumber(wards.wards.length, 0),
            likely: sayTouched(sumCounts(wards, "likely")),
          })
      : null,
    pumps > 0 ? t("report.pumpsSaid", { running: formatNumber(running, 0), pumps: formatNumber(pumps, 0) }) : null,
    inForce.length > 0 ? t("report.warningsSaid", { count: formatNumber(inForce.length, 0) }) : t("report.noWarnings"),
  ];
  return lines.filter((line) => line !== null).join("\n");
}

function field(label: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), control);
}

/** Show the report as it will be printed; while the dialog is open the browser prints it and not the page. */
function openPreview(paper: HTMLElement, maps: readonly MapOfRun[]): void {
  const takeAway = layForPrint([paper]);
  const dialog = openDialog(
    t("report.preview"),
    () =>
      h(
        "div",
        { class: "report-dialog" },
        h("p", { class: "soft note" }, t("report.previewHint")),
        h(
          "div",
          { class: "report-preview", tabindex: 0, role: "region", "aria-label": t("report.preview") },
          paper.cloneNode(true) as HTMLElement,
        ),
        h(
          "div",
          { class: "dialog-actions" },
          textButton(t("report.print"), () => window.print(), "button-primary", "print"),
        ),
      ),
    () => {
      takeAway();
      for (const { url } of maps) URL.revokeObjectURL(url);
    },
  );
  dialog.classList.add("dialog-wide");
}

/** Build the part. */
export function reportPart(map: MapView): Part {
  const title = h("input", { class: "input", name: "report-title", maxlength: 160 });
  const author = h("input", { class: "input", name: "report-author", maxlength: 120, autocomplete: "name" });
  const from = h("input", { class: "input", type: "datetime-local", name: "report-from" });
  const to = h("input", { class: "input", type: "datetime-local", name: "report-to" });
  const situation = h("textarea", {
    class: "input report-situation",
    name: "report-situation",
    rows: 9,
    maxlength: 6000,
  });
  const progress = h("div", { role: "status" });
  const element = h("div", {});
  let sections = new Set<Section>(SECTIONS);
  let mark: "" | "real" | "exercise" = "";
  let data: ReportData | null = null;
  let written = "";
  let shown = false;
  let request = new AbortController();

  const fill = (): void => {
    if (!data) return;
    const text = writeSituation(data);
    // What a person wrote is not written over.
    if (situation.value === written) situation.value = text;
    written = text;
  };

  const load = async (): Promise<void> => {
    replace(progress, loading(t("report.reading")));
    try {
      data = await readReport();
      fill();
      replace(progress);
    } catch (error) {
      replace(
        progress,
        failure(error, () => void load()),
      );
    }
  };

  const preview = async (): Promise<void> => {
    if (mark === "") {
      replace(progress, h("p", { class: "field-error", role: "alert" }, t("report.chooseMark")));
      element.querySelector<HTMLElement>("[name=report-mark]")?.focus();
      return;
    }
    request.abort();
    request = new AbortController();
    replace(progress, loading(t("report.drawing")));
    try {
      const read = await readReport();
      data = read;
      const words: ReportWords = {
        title: title.value.trim() || t("report.title"),
        author: author.value.trim(),
        from: parseCityTime(from.value) ?? new Date(Date.now() - PERIOD_HOURS * 3600e3),
        to: parseCityTime(to.value) ?? new Date(),
        exercise: mark === "exercise",
        situation: situation.value.trim() || writeSituation(read),
        sections,
      };
      const maps = sections.has("maps") && read.wards ? await drawMaps(map, read.wards.run, request.signal) : [];
      replace(progress);
      openPreview(layReport(words, read, maps), maps);
    } catch (error) {
      if (request.signal.aborted) return;
      replace(
        progress,
        failure(error, () => void preview()),
      );
    }
  };

  const sectionBox = (section: Section): HTMLElement =>
    h(
      "label",
      {},
      h("input", {
        type: "checkbox",
        name: "report-section",
        value: section,
        checked: sections.has(section),
        onchange: (event) => {
          sections = new Set(sections);
          if ((event.target as HTMLInputElement).checked) sections.add(section);
          else sections.delete(section);
        },
      }),
      h("span", {}, t(`report.section_${section}`)),
    );

  const markBox = (value: "real" | "exercise"): HTMLElement =>
    h(
      "label",
      {},
      h("input", {
        type: "radio",
        name: "report-mark",
        value,
        checked: mark === value,
        onchange: () => {
          mark = value;
          replace(progress);
        },
      }),
      h("span", {}, t(value === "real" ? "report.real" : "report.exercise")),
    );

  const build = (): void => {
    if (!title.value) title.value = t("report.title");
    if (!author.value) author.value = readAuthor();
    if (!to.value) {
      to.value = writeCityTime(new Date());
      from.value = writeCityTime(new Date(Date.now() - PERIOD_HOURS * 3600e3));
    }
    const langs = [
      { value: "vi", label: "Tiếng Việt" },
      { value: "en", label: "English" },
    ];
    replace(
      element,
      h("p", { class: "soft" }, t("report.explain")),
      h(
        "form",
        {
          class: "form",
          onsubmit: (event) => {
            event.preventDefault();
            void preview();
          },
        },
        field(t("report.titleField"), title),
        field(t("report.author"), author),
        h("div", { class: "report-period" }, field(t("report.from"), from), field(t("report.to"), to)),
        h("fieldset", { class: "report-set" }, h("legend", {}, t("report.mark")), markBox("exercise"), markBox("real")),
        field(
          t("report.language"),
          select(t("report.language"), langs, getState().lang, (lang) => setState({ lang: lang as Lang })),
        ),
        field(t("report.situationField"), situation),
        textButton(
          t("report.rewrite"),
          () => {
            situation.value = written;
            void load();
          },
          "button-small",
        ),
        h("fieldset", { class: "report-set" }, h("legend", {}, t("report.sections")), ...SECTIONS.map(sectionBox)),
        h("button", { type: "submit", class: "button button-primary" }, t("report.openPreview")),
        progress,
      ),
    );
  };

  watch(["lang"], (state) => {
    if (!shown || state.tab !== "flood") return;
    // A title nobody changed follows the language.
    title.value = "";
    build();
    fill();
  });
  return {
    element,
    show: () => {
      shown = true;
      build();
      void load();
    },
    hide: () => {
      shown = false;
      request.abort();
    },
  };
}
