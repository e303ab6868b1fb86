/** The viewer's own icon set: 20 × 20 outlines drawn with the current colour. */

import { svg } from "./dom";

const PATHS = {
  layers: "M10 3 2.8 6.8 10 10.6l7.2-3.8L10 3ZM3 10.4l7 3.7 7-3.7M3 13.6l7 3.7 7-3.7",
  flood:
    "M10 2.6c2.4 2.8 3.9 4.9 3.9 6.7a3.9 3.9 0 0 1-7.8 0c0-1.8 1.5-3.9 3.9-6.7ZM2.5 16.6c1.9 1.5 3.4 1.5 5 0 1.6-1.5 3.4-1.5 5 0 1.6 1.5 3.1 1.5 5 0",
  sensor:
    "M10 11.2v6M7 17.2h6M10 11.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM6.3 13.2a5.2 5.2 0 0 1 0-7.4M13.7 5.8a5.2 5.2 0 0 1 0 7.4M4 15.4a8.4 8.4 0 0 1 0-11.8M16 3.6a8.4 8.4 0 0 1 0 11.8",
  scenario: "M4 5h6.5M15 5h1M4 10h2M10.5 10H16M4 15h7.5M16 15h0M12.7 3.2v3.6M8.2 8.2v3.6M13.7 13.2v3.6",
  network:
    "M4.6 6.2a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM15.4 8.4a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM9 17.4a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6ZM6.3 4.8l7.4 1.5M5.2 6.1l3.1 7.8M14.5 8.2l-4.3 6",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4",
  close: "M5 5l10 10M15 5 5 15",
  chevron: "M7 4.5 12.5 10 7 15.5",
  play: "M6.5 4v12l9.5-6-9.5-6Z",
  pause: "M7 4.5v11M13 4.5v11",
  home: "M3 9.5 10 3.5l7 6M5 8.3V16.5h3.8v-4.3h2.4v4.3H15V8.3",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  cube: "M10 2.8 16.5 6.3v7.4L10 17.2l-6.5-3.5V6.3L10 2.8ZM3.5 6.3 10 9.9l6.5-3.6M10 9.9v7.3",
  sun: "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2v1.8M10 16.2V18M2 10h1.8M16.2 10H18M4.3 4.3l1.3 1.3M14.4 14.4l1.3 1.3M15.7 4.3l-1.3 1.3M5.6 14.4l-1.3 1.3",
  moon: "M16.5 11.8A6.8 6.8 0 0 1 8.2 3.5a6.8 6.8 0 1 0 8.3 8.3Z",
  people:
    "M7.5 9.3a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2 16.5c.4-3 2.6-4.7 5.5-4.7s5.1 1.7 5.5 4.7M12.8 3.8a2.9 2.9 0 0 1 0 5.2M14.8 12.3c1.7.7 2.9 2.2 3.2 4.2",
  building: "M4.5 17V4.5L11 2.8V17M11 7.5l4.5 1.3V17M2.5 17h15M7 7h1.5M7 10h1.5M7 13h1.5",
  road: "M7.2 3 3.5 17M12.8 3l3.7 14M10 3.5v2.3M10 8.8v2.4M10 14.2v2.3",
  area: "M3.5 6.5 9 3.5l7.5 3-1 8-6 2.5-6-3.5v-7Z",
  wave: "M2.5 7c1.9 1.7 3.4 1.7 5 0 1.6-1.7 3.4-1.7 5 0 1.6 1.7 3.1 1.7 5 0M2.5 13c1.9 1.7 3.4 1.7 5 0 1.6-1.7 3.4-1.7 5 0 1.6 1.7 3.1 1.7 5 0",
  clock: "M10 17.2a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.4ZM10 6v4.3l2.8 1.9",
  download: "M10 3v9M6.3 8.7 10 12.4l3.7-3.7M3.5 15.5v1.5h13v-1.5",
  warning: "M10 3.2 17.8 16.5H2.2L10 3.2ZM10 8.2v3.8M10 14.2v.1",
  target: "M10 15.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM10 1.8v4M10 14.2v4M1.8 10h4M14.2 10h4",
  drop: "M10 2.8c2.9 3.4 4.8 6 4.8 8.4a4.8 4.8 0 0 1-9.6 0c0-2.4 1.9-5 4.8-8.4ZM7.6 11.4a2.5 2.5 0 0 0 1.9 2.3",
  bolt: "M11.2 2.8 4.8 11.4h4.4l-.6 5.8 6.6-8.8h-4.6l.6-5.6Z",
  lamp: "M10 3a4.6 4.6 0 0 1 2.6 8.4c-.5.4-.7.9-.7 1.5v.6H8.1v-.6c0-.6-.2-1.1-.7-1.5A4.6 4.6 0 0 1 10 3ZM8.3 15.6h3.4M8.9 17.4h2.2",
  antenna:
    "M10 9.4 6.6 17M10 9.4 13.4 17M7.8 14.2h4.4M10 9.4a1.4 1.4 0 1 0 0-2.8 1.4 1.4 0 0 0 0 2.8ZM6.6 10.9a4 4 0 0 1 0-5.8M13.4 5.1a4 4 0 0 1 0 5.8",
  parking: "M4.2 3.2h11.6v13.6H4.2V3.2ZM8 13.8V6.3h2.6a2.3 2.3 0 0 1 0 4.6H8",
  bin: "M4 5.6h12M8 5.4V3.6h4v1.8M5.4 5.8l.8 11.2h7.6l.8-11.2M8.4 8.6v5.6M11.6 8.6v5.6",
  leaf: "M4.2 16.4c.3-7.4 4.5-11.9 12-12.6.3 7.6-3.4 12-10.2 11.2M4.2 16.4c2-3.6 4.6-6 8-7.6",
  tree: "M10 17.4v-5M10 2.8c3 0 5 2.1 5 4.6 0 2.7-2.1 4.8-5 4.8s-5-2.1-5-4.8c0-2.5 2-4.6 5-4.6ZM7.2 17.4h5.6",
  flame: "M10.4 2.6c.5 2.7 4.4 4.7 4.4 8.9a4.8 4.8 0 0 1-9.6 0c0-1.9.9-3.3 2-4.4.3 1.3.9 2 1.7 2.4.1-2.7.3-5 1.5-6.9Z",
  pin: "M10 17.4c3.2-3.8 5-6.4 5-8.9a5 5 0 0 0-10 0c0 2.5 1.8 5.1 5 8.9ZM10 10.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z",
  sign: "M10 17.4v-6.2M10 5.4v-2M4.2 5.6h9.9l1.9 2.6-1.9 2.8H4.2V5.6Z",
  plan: "M3.4 4.4h13.2v11.2H3.4V4.4ZM3.4 9.2h6.4M9.8 4.4v11.2M9.8 12.2h6.8",
  table: "M3 4h14v12H3V4ZM3 8h14M3 12h14M8 8v8",
  bell: "M10 3a4.6 4.6 0 0 1 4.6 4.6c0 4 1.6 5.4 1.6 5.4H3.8s1.6-1.4 1.6-5.4A4.6 4.6 0 0 1 10 3ZM8.4 15.6a1.7 1.7 0 0 0 3.2 0",
  info: "M10 17.2a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.4ZM10 9.2v4.6M10 6.3v.1",
} as const;

export type IconName = keyof typeof PATHS;

const THEME_ICONS: Record<string, IconName> = {
  flood: "flood",
  sensors: "sensor",
  drainage: "wave",
  water_supply: "drop",
  power: "bolt",
  lighting: "lamp",
  telecom: "antenna",
  transport: "road",
  parking: "parking",
  waste: "bin",
  environment: "leaf",
  trees: "tree",
  fire: "flame",
  buildings: "building",
  addresses: "sign",
  places: "pin",
  planning: "plan",
  land: "area",
  admin: "people",
  networks: "network",
};

/** Return the icon of a chapter of the layer tree. */
export const themeIcon = (theme: string): IconName => THEME_ICONS[theme] ?? "layers";

/** Build an icon; it is decoration, its button carries the words. */
export function icon(name: IconName, size = 18): SVGElement {
  const path = svg("path", { d: PATHS[name] });
  return svg(
    "svg",
    { viewBox: "0 0 20 20", width: size, height: size, "aria-hidden": "true", class: `icon icon-${name}` },
    path,
  );
}
