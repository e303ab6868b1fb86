/** The words of the HTTP contract, as the viewer reads them. */

export interface Words {
  vi: string;
  en: string;
}

export interface LegendEntry {
  value?: string | number;
  color: string;
  label: Words;
  shape?: "fill" | "line" | "circle";
}

export interface Source {
  id: string;
  title: Words | string;
  licence: string;
  attribution: string;
  synthetic: boolean;
  /** When it was last loaded; null for what is edited by hand. */
  loaded: string | null;
}

export interface Property {
  name: string;
  title: Words;
  type: "string" | "integer" | "number" | "boolean" | "date" | "datetime";
  unit?: string | null;
  symbol?: string | null;
  codes?: { value: string; title: Words }[];
}

interface LayerBase {
  id: string;
  title: Words;
  description: Words;
  visible: boolean;
  rank: number;
  legend: LegendEntry[];
  access: string;
  synthetic: boolean;
  sources: Source[];
}

export interface VectorLayer extends LayerBase {
  kind: "vector";
  geometry: "Point" | "LineString" | "MultiPolygon";
  min_zoom: number;
  count: number;
  /** Property whose values give the colours of the legend. */
  by: string | null;
  bounds: [number, number, number, number] | null;
  /** When somebody last edited it; loads and runs are no edits. */
  edited: string | null;
  properties: Property[];
}

export interface RasterLayer extends LayerBase {
  kind: "raster";
  series: boolean;
  symbol: string;
  raster_id: string | null;
  per_run: boolean;
}

export type Layer = VectorLayer | RasterLayer;

export interface Theme {
  id: string;
  title: Words;
  layers: Layer[];
}

export interface City {
  id: string;
  title: Words;
  bounds: [number, number, number, number];
  crs: string;
  timezone: string;
  synthetic: boolean;
  attribution: string;
  main_gauge: string | null;
}

export interface Catalog {
  city: City;
  themes: Theme[];
  /** Formats in which a layer can be taken as a file, as endings of names. */
  files: string[];
}

export interface Datastream {
  id: string;
  observed_property: string;
  unit: string;
  title: Words;
  result: number | null;
  phenomenon_time: string | null;
  quality: number | null;
}

/** A changed reading, as it is told live. */
export interface Reading {
  id: string;
  sensor_id: string;
  result: number | null;
  phenomenon_time: string;
  quality: number;
}

export interface SensorProperties {
  name: string;
  kind: string;
  alarm_1?: number | null;
  alarm_2?: number | null;
  alarm_3?: number | null;
  datastreams: Datastream[];
}

export interface Sensor {
  id: string;
  geometry: GeoJSON.Point;
  properties: SensorProperties;
}

export interface Observations {
  times: string[];
  results: (number | null)[];
  qualities: (number | null)[];
}

export interface StageForecast {
  run_id?: string;
  datastream_id?: string;
  issue_time: string;
  times: string[];
  stage: number[];
  lower: number[];
  upper: number[];
  tide: number[];
}

export interface InputSchema {
  type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  title?: string;
  title_i18n?: Words;
  description?: string;
  description_i18n?: Words;
  properties?: Record<string, InputSchema>;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  enum?: (string | number)[];
  format?: string;
  items?: InputSchema;
  anyOf?: InputSchema[];
  "x-unit"?: string;
  /** Collection and filter, such as `drainage_links?link_type=pump`, whose items can be chosen. */
  "x-items"?: string;
  "x-enum-titles"?: Record<string, Words>;
}

export interface ProcessInput {
  title: string;
  title_i18n?: Words;
  description?: string;
  description_i18n?: Words;
  schema: InputSchema;
  minOccurs?: number;
}

export interface ProcessSummary {
  id: string;
  title: string;
  title_i18n?: Words;
  description?: string;
  description_i18n?: Words;
}

export interface Process extends ProcessSummary {
  inputs: Record<string, ProcessInput>;
  outputs: Record<string, unknown>;
}

/** One output of a process that answered at once: by value, or as a link. */
export interface Result {
  value?: unknown;
  href?: string;
}

export type JobStatus = "accepted" | "running" | "successful" | "failed" | "dismissed";

export interface Job {
  jobID: string;
  processID: string;
  status: JobStatus;
  progress?: number | null;
  message?: string | null;
  created?: string | null;
  started?: string | null;
  finished?: string | null;
  updated?: string | null;
}

export interface RunShort {
  id: string;
  process: string;
  status: string;
  title: Words;
  created: string;
  finished?: string | null;
  base_time?: string | null;
  horizon_hours?: number | null;
  synthetic?: boolean;
  inputs?: Record<string, unknown>;
}

export interface RunRaster {
  id: string;
  layer: string;
  times?: string[] | null;
  bounds: [number, number, number, number];
  tiles: string;
}

export interface Affected {
  asset_layer: string;
  depth_class: string;
  count: number;
  length: number | null;
  people: number | null;
}

export interface WardImpact {
  ward_code: string;
  ward_name: string | null;
  buildings: number;
  people: number;
  road_length: number;
  lights: number;
  cabinets: number;
  pumps: number;
  depth_max: number | null;
  flooded_area?: number;
  closed_road_length?: number;
  places?: number;
  first_hours?: number | null;
  damage?: number | null;
}

/** Roads closed to cars; hours are null where the run does not know them. */
export interface ClosedRoads {
  count: number;
  length: number;
  mean_hours: number | null;
  longest_hours: number | null;
}

export interface HazardImpact {
  hazard_class: string;
  area: number;
  people: number;
  buildings: number;
  road_length: number;
}

export interface PlaceImpact {
  category: string;
  count: number;
  depth_max: number;
  first_hours: number | null;
}

/** Ground of a class, and the same times its damage factor [m²]; money where the city gives values. */
export interface DamageRow {
  damage_class: string;
  count: number;
  area: number;
  damaged_area: number;
  factor: number;
  damage: number | null;
}

export interface Damage {
  classes: DamageRow[];
  total: number | null;
  assumed_use?: number;
  roads_without_width?: number;
  sources?: string[];
}

export interface Manhole {
  node: string;
  volume_out: number;
  volume_in: number;
  head_above_ground: number;
  first_hours: number | null;
}

/** Volumes that passed between surface, sewers and open water [m³]. */
export interface SewerAccount {
  surface_to_sewer: number;
  sewer_to_surface: number;
  outfalls_out: number;
  outfalls_back: number;
  stored: number;
  flooded_manholes: number;
  swmm_continuity_error?: number;
  manholes?: Manhole[];
}

/** The counts that floods are compared by. */
export interface FloodFigures {
  flooded_area: number;
  people: number;
  buildings: number;
  road_length: number;
  closed_road_length: number;
  depth_max: number;
}

export interface EnsembleMember extends FloodFigures {
  member: number;
  stage_quantile: number;
  rain_factor: number | null;
  stopped_pumps: string[];
  peak_stage: number;
}

/** Whom a flood touches in a ward; lengths and depth [m]. */
export interface WardCounts {
  people: number;
  buildings: number;
  road_length: number;
  closed_road_length: number;
  places: number;
  hospitals: number;
  schools: number;
  cabinets: number;
  pumps: number;
  depth_max: number;
  depth_class: string | null;
}

/** `hours`: share of members with water in each hour of the run; `last` is null where it stays beyond its end. */
export interface WardOutlook {
  ward_code: string;
  ward_name: string;
  probability: number;
  first: string | null;
  first_early: string | null;
  first_late: string | null;
  last: string | null;
  hours: number[];
  likely: WardCounts;
  possible: WardCounts;
}

export interface Ensemble {
  expected: FloodFigures;
  exceeded: (FloodFigures & { probability: number })[];
  members: EnsembleMember[];
  /** Absent in records made before wards were counted. */
  wards?: WardOutlook[];
}

export interface CaseKey {
  event: string;
  climate: string;
  measure: string;
}

export interface ComparedCase extends CaseKey, FloodFigures {
  return_period: number | null;
  damage: number | null;
  damaged_area: number;
  saved_share: Record<string, number | null>;
}

export interface Comparison {
  damage_in: "money" | "m2";
  cases: ComparedCase[];
  annual_damage: { climate: string; measure: string; damage: number; saved: number }[];
  map: { before: CaseKey; after: CaseKey; wetted_area: number; dried_area: number };
}

export interface RunSummary {
  affected: Affected[];
  by_ward: WardImpact[];
  flooded_area: number;
  people: number;
  buildings: number;
  road_length: number;
  closed_road_length: number;
  peak_stage: number | null;
  peak_time: string | null;
  people_by_depth: { depth_class: string; people: number }[];
  by_hazard: HazardImpact[];
  closed_roads: ClosedRoads;
  places: PlaceImpact[];
  damage: Damage;
  sewer: SewerAccount;
  ensemble: Ensemble;
  comparison: Comparison;
  difference: Difference;
}

/** Ground that only one of two floods puts under water [m²], and the largest changes of depth [m]. */
export interface Difference {
  before: string;
  after: string;
  wetted_area: number;
  dried_area: number;
  largest_rise: number;
  largest_fall: number;
}

/** Water that went through pumps, gates, culverts, weirs [m³], there and back, by id. */
export type Structures = Record<string, { forward: number; backward: number }>;

export interface Run extends RunShort {
  inputs: Record<string, unknown>;
  message?: string | null;
  rasters: RunRaster[];
  summary: Partial<RunSummary> | null;
  stage_forecast?: StageForecast | null;
  balance?: { relative_error?: number } | null;
  provenance?: { parameters?: { structures?: Structures } } | null;
  error?: string | null;
}

/** Nodes along a long profile, a column each: distances and elevations [m], times [s], volumes [m³]. */
export interface ProfileStations {
  id: string[];
  kind: string[];
  distance: number[];
  invert: number[];
  rim: (number | null)[];
  max_head: number[];
  head: (number | null)[];
  surcharge_time: number[];
  flooding_volume: number[];
  flooded: boolean[];
}

/** Links along a long profile, a column each; a device has no crown. */
export interface ProfileReaches {
  id: string[];
  kind: string[];
  start: number[];
  end: number[];
  start_bed: number[];
  end_bed: number[];
  start_crown: (number | null)[];
  end_crown: (number | null)[];
  start_max_head: number[];
  end_max_head: number[];
  start_head: (number | null)[];
  end_head: (number | null)[];
  max_flow: number[];
  full: boolean[];
}

export interface Profile {
  length: number;
  at: number | null;
  flooded: string[];
  full: string[];
  stations: ProfileStations;
  reaches: ProfileReaches;
}

export interface PointValues {
  times: string[] | null;
  values: (number | null)[];
  unit: string;
  symbol: string;
}

export interface Link {
  rel: string;
  href: string;
}

/** A feature, or several of one layer with the same words, that a search found; `marks` are begin and end of matches. */
export interface Hit {
  collection: string;
  collection_title: Words;
  theme: string;
  id: string;
  title: string;
  marks: [number, number][];
  bbox: [number, number, number, number];
  count: number;
}

export interface Item {
  id: string;
  type: "Feature";
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown>;
}

export interface ItemPage {
  features: Item[];
  links: Link[];
  numberMatched?: number;
  numberReturned?: number;
}

/** An alarm of the twin, as far as the viewer reads it. */
export interface Alarm {
  id: number;
  title: Words;
  state: string;
  state_title: Words;
  raised: string | null;
  cleared: string | null;
  value: number | null;
  position: [number, number] | null;
}

/** A table or drawing that a run keeps; its size [byte]. */
export interface RunFile {
  name: string;
  size: number;
  href: string;
  type: string;
}

/** A public transport feed of the city. */
export interface Feed {
  id: string;
  title: string | null;
  loaded: string;
  first_day: string | null;
  last_day: string | null;
  counts: Record<string, number>;
}

/** A vehicle that leaves a stop; a delay [s] is null where nothing is told live. */
export interface Departure {
  trip_id: string;
  route: string;
  headsign: string;
  scheduled: string;
  expected: string;
  delay: number | null;
  state: "scheduled" | "live" | "canceled" | "skipped";
  exact: boolean;
}

/** Bring an item on the screen. */
export type ZoomToItem = (layer: string, id: string, geometry: GeoJSON.Geometry | null) => void;
