/** What a wall shows: kept in the address, so that a kiosk can be started with it. */

import { type Lang, type Scheme, setState } from "../state";

export interface Settings {
  /** Ids of the indicators, in their order. */
  tiles: readonly string[];
  /** Seconds a page of tiles stays; 0 while pages are turned by hand. */
  rotate: number;
}

/** What a duty officer looks at first; the rest follows on later pages. */
const FIRST = (
  "gauges_over_alarm flooded_area_now flooded_area_forecast people_affected pumps_running rain " +
  "traffic_incidents congestion lamps_failed full_bins free_parking air_pm25 water_oxygen sensors_fresh"
).split(" ");
const ROTATE_S = 20;
const LONGEST_S = 600;

/** Read the parameters of a page: those behind # go before those behind ?. */
export function readParameters(): URLSearchParams {
  const given = new URLSearchParams(location.search);
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) given.set(key, value);
  return given;
}

/** Take language and colours from the parameters; the page is dark unless `light` is asked for. */
export function applyLook(parameters: URLSearchParams, otherwise: Scheme): void {
  const lang: Lang = parameters.get("lang") === "en" ? "en" : "vi";
  const asked = parameters.get("scheme");
  const scheme: Scheme = asked === "light" || asked === "dark" ? asked : otherwise;
  setState({ lang, scheme });
  document.documentElement.lang = lang;
  document.documentElement.dataset["scheme"] = scheme;
}

/** Read the choice of tiles; what the server does not know is left out. */
export function readSettings(parameters: URLSearchParams, known: readonly string[]): Settings {
  const asked = (parameters.get("tiles") ?? "").split(",").filter((id) => known.includes(id));
  const rotate = Number(parameters.get("rotate") ?? ROTATE_S);
  return {
    tiles: asked.length > 0 ? [...new Set(asked)] : FIRST.filter((id) => known.includes(id)),
    rotate: Number.isFinite(rotate) ? Math.min(Math.max(Math.round(rotate), 0), LONGEST_S) : ROTATE_S,
  };
}

/** Write the choice into the address. */
export function writeSettings({ tiles, rotate }: Settings, lang: Lang, scheme: Scheme): void {
  const words = [`tiles=${tiles.join(",")}`, `rotate=${rotate}`, `lang=${lang}`, `scheme=${scheme}`];
  history.replaceState(null, "", `${location.pathname}${location.search}#${words.join("&")}`);
}
