/** The dialog that makes a widget: choose, look at it, copy the lines for a page of one's own. */

import "../styles/overlays.css";
import { refreshSensors, sensors } from "../data";
import { h, replace } from "../dom";
import { type Key, say, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { type Choice, failure, loading, select, textButton } from "../panels/parts";
import { getState, type Lang, type Scheme } from "../state";
import { copyText } from "../tools/copy";
import { type Indicator, readIndicators } from "../wall/indicator";
import { KINDS, SIZES, type WidgetChoice, type WidgetKind, writeWidget } from "./kinds";

const LEAST = 160;
const MOST = 2000;

/** Write a value for an attribute of HTML. */
const quote = (text: string): string => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

function build(indicators: readonly Indicator[]): HTMLElement {
  const { lang, scheme, layers } = getState();
  const gauges = sensors.filter((sensor) => sensor.properties.kind === "stage");
  const choice: WidgetChoice = {
    kind: "indicator",
    id: indicators[0]?.id ?? "",
    layers: [...layers],
    flood: true,
    lang,
    scheme,
  };
  let [width, height] = SIZES.indicator;
  const fields = h("div", { class: "widget-fields" });
  const code = h("textarea", { class: "input", rows: 4, readonly: true, "aria-label": t("widget.code") });
  const hint = h("p", { class: "soft" }, t("widget.mapHint"));
  const frame = h("iframe", { class: "widget-preview", title: t("widget.preview") });

  const title = (): string => {
    if (choice.kind === "indicator") return say(indicators.find((one) => one.id === choice.id)?.title, choice.id);
    if (choice.kind === "gauge") return gauges.find((one) => one.id === choice.id)?.properties.name ?? choice.id;
    return t(`widget.kind_${choice.kind}` as Key);
  };
  const tell = (): void => {
    const address = new URL(writeWidget(choice), location.href).href;
    code.value = `<iframe src="${quote(address)}" title="${quote(title())}" width="${width}" height="${height}" style="border:0" loading="lazy"></iframe>`;
    frame.width = String(width);
    frame.height = String(height);
    if (frame.src !== address) frame.src = address;
  };
  const labelled = (label: string, child: HTMLElement): HTMLElement =>
    h("label", { class: "field" }, h("span", { class: "field-label" }, label), child);
  const pick = (
    name: string,
    label: string,
    choices: Choice[],
    value: string,
    take: (value: string) => void,
  ): HTMLElement => {
    const box = select(label, choices, value, (next) => {
      take(next);
      show(name);
    });
    box.name = name;
    return labelled(label, box);
  };
  const size = (name: string, label: string, value: number, take: (value: number) => void): HTMLElement =>
    labelled(
      label,
      h("input", {
        type: "number",
        class: "input",
        name,
        min: LEAST,
        max: MOST,
        step: 10,
        value,
        onchange: (event) => {
          const given = Number((event.target as HTMLInputElement).value);
          take(Math.min(Math.max(Number.isFinite(given) ? given : LEAST, LEAST), MOST));
          show(name);
        },
      }),
    );
  const takeKind = (kind: string): void => {
    choice.kind = kind as WidgetKind;
    [width, height] = SIZES[choice.kind];
    if (choice.kind === "indicator") choice.id = indicators[0]?.id ?? "";
    if (choice.kind === "gauge") choice.id = gauges[0]?.id ?? "";
  };
  const show = (focus: string | null): void => {
    const { kind } = choice;
    hint.hidden = kind !== "map";
    replace(
      fields,
      pick(
        "widget-kind",
        t("widget.kind"),
        KINDS.map((value) => ({ value, label: t(`widget.kind_${value}` as Key) })),
        kind,
        takeKind,
      ),
      kind === "indicator"
        ? pick(
            "widget-id",
            t("widget.kind_indicator"),
            indicators.map((one) => ({ value: one.id, label: say(one.title) })),
            choice.id,
            (id) => {
              choice.id = id;
            },
          )
        : null,
      kind === "gauge"
        ? pick(
            "widget-id",
            t("widget.kind_gauge"),
            gauges.map((one) => ({ value: one.id, label: one.properties.name })),
            choice.id,
            (id) => {
              choice.id = id;
            },
          )
        : null,
      kind === "map"
        ? pick(
            "widget-flood",
            t("wall.floodPicture"),
            [
              { value: "yes", label: t("card.yes") },
              { value: "no", label: t("card.no") },
            ],
            choice.flood ? "yes" : "no",
            (value) => {
              choice.flood = value === "yes";
            },
          )
        : null,
      pick(
        "widget-lang",
        t("wall.language"),
        [
          { value: "vi", label: "Tiếng Việt" },
          { value: "en", label: "English" },
        ],
        choice.lang,
        (value) => {
          choice.lang = value as Lang;
        },
      ),
      pick(
        "widget-scheme",
        t("wall.colours"),
        [
          { value: "light", label: t("wall.light") },
          { value: "dark", label: t("wall.dark") },
        ],
        choice.scheme,
        (value) => {
          choice.scheme = value as Scheme;
        },
      ),
      size("widget-width", t("widget.width"), width, (value) => {
        width = value;
      }),
      size("widget-height", t("widget.height"), height, (value) => {
        height = value;
      }),
    );
    if (focus) fields.querySelector<HTMLElement>(`[name="${focus}"]`)?.focus();
    tell();
  };
  show(null);
  return h(
    "div",
    { class: "widget-builder" },
    fields,
    hint,
    h("div", { class: "widget-frame" }, frame),
    code,
    h("p", { class: "soft" }, t("widget.hosts")),
    h(
      "div",
      { class: "dialog-actions" },
      textButton(t("widget.copy"), () => void copyText(code.value), "button-primary", "copy"),
    ),
  );
}

/** Open the dialog. */
export function openWidgetBuilder(): void {
  openDialog(t("widget.title"), () => {
    const holder = h("div", {}, loading());
    const load = async (): Promise<void> => {
      try {
        const [indicators] = await Promise.all([readIndicators(), sensors.length === 0 ? refreshSensors() : null]);
        replace(holder, build(indicators));
      } catch (error) {
        replace(
          holder,
          failure(error, () => void load()),
        );
      }
    };
    void load();
    return holder;
  });
}
