/** What a run about water on roads adds up to, as the viewer reads it: lengths [m], times [s], people. */

export interface Responder {
  stations: number;
  before: ResponderFigures;
  under_water: ResponderFigures;
}

export interface ResponderFigures {
  median: number | null;
  within_8_min: number;
  within_15_min: number;
  people_not_reached: number;
}

export interface Detour {
  from: string;
  to: string;
  before: number | null;
  after: number | null;
  after_to: string | null;
}

export interface Shelter {
  id: string;
  name: string | null;
  capacity: number;
  load: number;
  flooded: boolean;
}

export interface AccessStep {
  time: string;
  cut_off: number;
  closed_length: number;
}

export interface PlaceCount {
  count: number;
  flooded: number;
  cut_off: number;
}

export interface WardRow {
  ward_code: string;
  name: string;
  people: number;
  cut_off: number;
  [times: string]: string | number | null;
}

export interface AccessSummary {
  water: { run: string | null; stage: number | null; time_shown: string | null; steps: number };
  mode: string;
  roads: {
    length: number;
    slow_length: number;
    closed_length: number;
    closed_length_peak: number;
    unknown_length: number;
    by_mode: { mode: string; closed_from_depth: number; closed_length: number }[];
  };
  people: {
    people: number;
    cut_off: number;
    cut_off_ever: number;
    person_hours: number | null;
    no_hospital: number | null;
    steps: AccessStep[];
  };
  cells: Record<string, { count: number; cut_off: number }>;
  places: Record<string, PlaceCount>;
  stops: { count: number; lost: number };
  wards: WardRow[];
  responders: Record<string, Responder>;
  detours: { pairs: number; pairs_without_a_way: number; rows: Detour[] } | null;
  evacuation: { people: number; sheltered: number; left: number; capacity: number; shelters: Shelter[] };
}
