/** The city's networks: the layers they are made of, what they can be asked, and how a filter on them reads. */

export const COMMODITIES = ["water", "drainage", "sewer", "lighting", "power"] as const;
export type Commodity = (typeof COMMODITIES)[number];

export const KINDS = [
  "upstream",
  "downstream",
  "isolation",
  "connected",
  "subnetwork",
  "shortest_path",
  "paths_between",
  "loops",
  "critical_links",
] as const;
export type Kind = (typeof KINDS)[number];

export interface Network {
  /** Layers of lines, then of what stands on them. */
  lines: readonly string[];
  points: readonly string[];
  /** What a trace adds up, as the server names its functions. */
  results: readonly string[];
  /** Conditions that a person may want to change a little and use. */
  examples: readonly string[];
}

const DRAINS: Network = {
  lines: ["drainage_links"],
  points: ["drainage_nodes"],
  results: ["length", "volume", "area", "population", "worst(drainage_links.condition)"],
  examples: ["link_type = 'pump'", "diameter < 0.6", "material = 'concrete'"],
};

export const NETWORKS: Record<Commodity, Network> = {
  water: {
    lines: ["water_pipes"],
    points: ["water_nodes", "water_valves", "water_pumps"],
    results: ["length", "volume", "customers", "population", "worst(water_pipes.condition)"],
    examples: ["diameter < 0.1", "material = 'pvc'", "water_valves: status = 'closed'"],
  },
  drainage: DRAINS,
  sewer: DRAINS,
  lighting: {
    lines: ["lighting_circuits"],
    points: ["lighting_cabinets", "luminaires"],
    results: ["length", "sum(luminaires.power)"],
    examples: ["laying = 'underground'"],
  },
  power: {
    lines: ["power_lines"],
    points: ["substations", "transformers"],
    results: ["length", "customers", "population"],
    examples: ["voltage_class = 'low'", "voltage_class = 'medium'"],
  },
};

/** Questions about a way between two places. */
export const needsEnd = (kind: Kind): boolean => kind === "shortest_path" || kind === "paths_between";

/** Questions that may be asked of the whole network. */
export const needsStart = (kind: Kind): boolean => !["subnetwork", "loops", "critical_links"].includes(kind);

/** What can be asked of a network: valves part only pipes of water. */
export const kindsOf = (commodity: Commodity): readonly Kind[] =>
  commodity === "water" ? KINDS : KINDS.filter((kind) => kind !== "isolation");

export const layersOf = (commodity: Commodity): readonly string[] => [
  ...NETWORKS[commodity].lines,
  ...NETWORKS[commodity].points,
];

/** Return the network that a feature of a layer takes part in, undefined for one that is in none. */
export function findCommodity(layer: string, properties: Record<string, unknown>): Commodity | undefined {
  if (DRAINS.lines.includes(layer) || DRAINS.points.includes(layer)) {
    return properties["system"] === "sanitary" ? "sewer" : "drainage";
  }
  return COMMODITIES.find((commodity) => layersOf(commodity).includes(layer));
}
