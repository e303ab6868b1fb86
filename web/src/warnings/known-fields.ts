/** What is known of the water: the gauge, measured or forecast, how high, when, and how long the message holds. */

import { toIso } from "../api";
import { sensors } from "../data";
import { h } from "../dom";
import { t } from "../i18n";
import { select, textButton } from "../panels/parts";
import type { Warning } from "./api";
import { type Field, makeField, makeGroup, momentBox, numberBox, radioRow, setMoment } from "./fields";
import { knowsGauge, readGauge } from "./starting";

const HOUR_MS = 3600e3;
const QUICK_HOURS = [3, 6, 12, 24] as const;

export interface KnownFields {
  elements: HTMLElement[];
  /** The fields by the member of the warning that they hold. */
  fields: Readonly<Record<string, Field>>;
  /** Take the limit of another level over. */
  takeLevel: () => void;
}

/** Build the fields; `warning` is changed in place, `told` hears of it. */
export function makeKnownFields(warning: Warning, told: () => void): KnownFields {
  const below = h("p", { class: "note caution", role: "status" }, t("warning.below"));
  /** What is measured and does not reach the level is told with the fields; it may still be right. */
  const checkStage = (): void => {
    const { probability, stage: height, threshold: limit } = warning;
    below.hidden = !(probability === null && height !== null && limit !== null && height < limit);
  };
  const change = (): void => {
    checkStage();
    told();
  };
  const stage = numberBox(warning.stage, "0.01", (value) => {
    warning.stage = value;
    change();
  });
  const threshold = numberBox(warning.threshold, "0.01", (value) => {
    warning.threshold = value;
    change();
  });
  const at = momentBox(warning.at, (value) => {
    warning.at = value;
    change();
  });
  const onset = momentBox(warning.onset, (value) => {
    warning.onset = value;
    change();
  });
  const expires = momentBox(warning.expires, (value) => {
    if (value) warning.expires = value;
    change();
  });
  const takeGauge = (reading: boolean): void => {
    readGauge(warning, reading);
    stage.value = warning.stage === null ? "" : String(warning.stage);
    threshold.value = warning.threshold === null ? "" : String(warning.threshold);
    setMoment(at, warning.at);
  };
  const gauges = sensors
    .filter(({ properties }) => properties.kind === "stage")
    .map(({ id, properties }) => ({ value: id, label: properties.name }))
    .sort((a, b) => a.label.localeCompare(b.label, "vi"));
  if (!knowsGauge(warning))
    gauges.unshift({ value: warning.station.id, label: warning.station.name || warning.station.id });
  const gauge = select(t("warning.station"), gauges, warning.station.id, (id) => {
    warning.station = { id, name: gauges.find(({ value }) => value === id)?.label ?? id };
    takeGauge(true);
    change();
  });
  const share = numberBox(warning.probability === null ? null : Math.round(warning.probability * 100), "1", (value) => {
    warning.probability = value === null ? 0 : Math.min(Math.max(value / 100, 0), 1);
    change();
  });
  share.min = "0";
  share.max = "100";
  const shareField = makeField(t("warning.probability"), share);
  const onsetField = makeField(t("warning.onset"), onset);
  const showForecast = (): void => {
    shareField.element.hidden = warning.probability === null;
    onsetField.element.hidden = warning.probability === null;
  };
  const known = makeGroup(
    t("warning.known"),
    ...radioRow<string>(
      "warning-known",
      [
        { value: "measured", label: t("warning.measured") },
        { value: "forecast", label: t("warning.forecast") },
      ],
      warning.probability === null ? "measured" : "forecast",
      (value) => {
        warning.probability = value === "forecast" ? Number(share.value || 50) / 100 : null;
        if (value === "forecast" && share.value === "") share.value = "50";
        if (value === "measured") warning.onset = null;
        setMoment(onset, warning.onset);
        showForecast();
        change();
      },
    ),
  );
  showForecast();
  const quick = h(
    "div",
    { class: "row row-wrap" },
    ...QUICK_HOURS.map((hours) =>
      textButton(
        t("warning.inHours", { hours }),
        () => {
          warning.expires = toIso(new Date(Date.now() + hours * HOUR_MS));
          setMoment(expires, warning.expires);
          change();
        },
        "button-small",
      ),
    ),
  );
  const expiresField = makeField(t("warning.expires"), expires, t("scenario.localTime"));
  expiresField.element.append(quick);
  checkStage();
  const fields = {
    station: makeField(t("warning.station"), gauge),
    stage: makeField(t("warning.stage"), stage),
    threshold: makeField(t("warning.threshold"), threshold),
    at: makeField(t("warning.at"), at),
    probability: shareField,
    onset: onsetField,
    expires: expiresField,
  };
  return {
    elements: [
      fields.station.element,
      known.element,
      h("div", { class: "field-pair" }, fields.stage.element, fields.threshold.element),
      below,
      fields.at.element,
      shareField.element,
      onsetField.element,
      expiresField.element,
    ],
    fields,
    takeLevel: () => {
      takeGauge(false);
      checkStage();
    },
  };
}
