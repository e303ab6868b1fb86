/** Floods that are asked for most at night: one press fills in the form. */

import { getCity, sensors } from "../data";
import { h } from "../dom";
import { type Key, t } from "../i18n";
import { textButton } from "./parts";

type Inputs = Readonly<Record<string, unknown>>;

interface Preset {
  title: Key;
  /** What is entered, null where this city lacks what it takes. */
  inputs: (pumps: readonly string[]) => Inputs | null;
}

/** Coefficients A, C, b, n of TCVN 7957 for Cần Thơ. */
const CAN_THO_CURVE = [9594, 0.5, 26, 0.96];
const RAIN = { storm_return_period: 20, storm_curve: CAN_THO_CURVE, storm_hours: 3 };

/** Return the third alarm level of the gauge that forecasts follow [m]. */
function findThirdLevel(): number | null {
  const gauge = sensors.find(({ id }) => id === getCity().main_gauge);
  return gauge?.properties.alarm_3 ?? null;
}

function atThirdLevel(more: Inputs): Inputs | null {
  const level = findThirdLevel();
  return level === null ? null : { stage_level: level, ramp_hours: 6, horizon_hours: 12, ...more };
}

const PRESETS: readonly Preset[] = [
  { title: "preset.tide", inputs: () => atThirdLevel({}) },
  { title: "preset.rain", inputs: () => ({ ...RAIN, horizon_hours: 12 }) },
  {
    title: "preset.pumps",
    inputs: (pumps) =>
      pumps.length > 0 ? { storm_depth: 100, storm_hours: 3, horizon_hours: 12, pumps_off: pumps } : null,
  },
  { title: "preset.both", inputs: () => atThirdLevel(RAIN) },
  { title: "preset.higher", inputs: () => ({ stage_offset: 0.3 }) },
];

/** Build the row; `fill` enters the inputs of the chosen one. */
export function presetRow(pumps: readonly string[], fill: (inputs: Inputs, title: string) => void): HTMLElement {
  const button = ({ title, inputs }: Preset): HTMLElement | null => {
    const values = inputs(pumps);
    return values && textButton(t(title), () => fill(values, t(title)), "button-small");
  };
  return h(
    "div",
    { class: "row row-wrap presets", role: "group", "aria-label": t("preset.title") },
    h("span", { class: "field-label" }, t("preset.title")),
    ...PRESETS.map(button),
  );
}
