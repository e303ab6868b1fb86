/** The inputs of a long form by what they are about, so that a person finds what to change. */

import { type Key, t } from "../i18n";

interface Group {
  title: Key;
  /** Whether it is unfolded at first: what most people ask. */
  open: boolean;
  names: readonly string[];
}

/** A form with no more inputs than this is short enough as it is. */
export const SHORT_FORM = 10;

const GROUPS: readonly Group[] = [
  { title: "group.cases", open: true, names: ["events", "measures", "climates", "show", "damage_from"] },
  {
    title: "group.members",
    open: true,
    names: ["members", "pump_failure", "stage_spread", "rain_spread", "rain_factors", "past_hours", "seed"],
  },
  {
    title: "group.quick",
    open: true,
    names: [
      "horizon_hours",
      "stage_offset",
      "stage_level",
      "storm_depth",
      "storm_hours",
      "pumps_off",
      "gates_open",
      "gates_closed",
      "breaches",
      "cell_size",
    ],
  },
  {
    title: "group.time",
    open: false,
    names: ["base_time", "output_minutes", "engine", "subgrid_factor"],
  },
  {
    title: "group.stage",
    open: false,
    names: ["ramp_hours", "sea_level_rise", "gauge", "usual_level", "river_below"],
  },
  {
    title: "group.rain",
    open: false,
    names: [
      "storm_shape",
      "storm_return_period",
      "storm_curve",
      "recorded_rain",
      "rain_depths",
      "rain_step_minutes",
      "rain_factor",
    ],
  },
  {
    title: "group.works",
    open: false,
    names: ["sewer", "gate_operations", "pump_operations"],
  },
];

const REST: Key = "group.ground";

export interface Placed<T> {
  title: string;
  open: boolean;
  fields: T[];
}

/** Return the fields by group, those that no group names in the last. */
export function groupFields<T extends { name: string }>(fields: readonly T[]): Placed<T>[] {
  const left = new Map(fields.map((field) => [field.name, field]));
  const take = (name: string): T[] => {
    const field = left.get(name);
    left.delete(name);
    return field ? [field] : [];
  };
  const placed = GROUPS.map(({ title, open, names }) => ({ title: t(title), open, fields: names.flatMap(take) }));
  const rest = { title: t(REST), open: false, fields: [...left.values()] };
  return [...placed, rest].filter((group) => group.fields.length > 0);
}
