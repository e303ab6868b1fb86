/** Public transport: the feeds and their routes, and what can be reached by them from each place. */

import type { Map as MapView } from "maplibre-gl";
import { readFeeds, readItems } from "../api";
import { findVectorLayer } from "../data";
import { type Child, h, replace } from "../dom";
import { formatNumber, formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, section } from "../panels/parts";
import { longTable, table } from "../panels/table";
import type { Part } from "../panels/tools";
import { getState, setState } from "../state";
import type { Item, Run, ZoomToItem } from "../types";
import { runPart } from "./generic";
import { formatMinutes } from "./minutes";

const ROUTES = "transit_routes";
const STOPS = "stops";
const ACCESS = "transit_access";
const MOST = "500";
const KINDS = ["people", "jobs", "schools", "healthcare"] as const;
const MINUTES = ["30", "45", "60"] as const;

type Reached = Record<string, Record<string, number>>;

/** Means of what a person reaches, dry and under water. */
interface AccessSummary {
  reached: Reached;
  reached_under_water?: Reached;
  stops_lost?: number;
  trips_lost?: number;
}

function reachedTable(reached: Reached): HTMLElement {
  const kinds = KINDS.filter((kind) => reached[kind]);
  const rows = kinds.map((kind): Child[] => [
    t(`transit.${kind}`),
    ...MINUTES.map((minutes) => formatNumber(reached[kind]?.[minutes], 0)),
  ]);
  return table(["", ...MINUTES.map((minutes) => `${minutes} ${t("traffic.minutesShort")}`)], rows);
}

function tellAccess(run: Run): Child[] {
  const { reached, reached_under_water: wet, stops_lost } = (run.summary ?? {}) as unknown as Partial<AccessSummary>;
  return [
    reached ? section(t("transit.reached"), reachedTable(reached)) : null,
    wet ? section(t("transit.reachedWet"), reachedTable(wet)) : null,
    stops_lost === undefined ? null : h("p", {}, t("transit.stopsLost", { count: formatNumber(stops_lost, 0) })),
  ];
}

function routeRow(item: Item, zoomToItem: ZoomToItem): Child[] {
  const { short_name, name, headsign, headway, trip_count } = item.properties;
  const go = (): void => zoomToItem(ROUTES, item.id, item.geometry);
  return [
    h(
      "div",
      { class: "two-lines" },
      h("button", { type: "button", class: "link-button", onclick: go }, String(short_name ?? name ?? item.id)),
      h("span", { class: "soft" }, String(headsign ?? name ?? "")),
    ),
    formatNumber(typeof trip_count === "number" ? trip_count : null, 0),
    formatMinutes(typeof headway === "number" ? headway : null),
  ];
}

async function feedsPart(zoomToItem: ZoomToItem): Promise<HTMLElement> {
  const [feeds, routes] = await Promise.all([readFeeds(), readItems(ROUTES, { limit: MOST })]);
  if (feeds.length === 0) return empty(t("transit.noFeeds"));
  const lines = feeds.map(({ id, title, loaded, first_day, last_day }) =>
    h(
      "li",
      {},
      h("a", { class: "link-button", href: `/gtfs/${encodeURIComponent(id)}.zip`, download: `${id}.zip` }, title ?? id),
      h("span", { class: "soft" }, ` ${first_day ?? ""} – ${last_day ?? ""} · ${formatShortDateTime(loaded)}`),
    ),
  );
  const order = new Intl.Collator(undefined, { numeric: true });
  const nameOf = ({ properties, id }: Item): string => String(properties["short_name"] ?? properties["name"] ?? id);
  const rows = routes.features
    .sort((a, b) => order.compare(nameOf(a), nameOf(b)))
    .map((item) => routeRow(item, zoomToItem));
  return h(
    "div",
    {},
    section(t("transit.feeds"), h("ul", { class: "sources" }, ...lines)),
    section(
      say(findVectorLayer(ROUTES)?.title, t("departure.route")),
      h("p", { class: "soft" }, t("transit.stopHint")),
      longTable([t("departure.route"), t("transit.trips"), t("transit.headway")], rows),
    ),
  );
}

/** Show the routes and stops on the map. */
function showRoutes(): void {
  const wanted = [ROUTES, STOPS].filter((layer) => findVectorLayer(layer));
  setState({ layers: new Set([...getState().layers, ...wanted]) });
}

/** Build the part. */
export function transitPart(_: MapView, zoomToItem: ZoomToItem): Part {
  const feeds = h("div", { "aria-live": "polite" });
  const access = runPart({
    use: "transit",
    process: "transit-access",
    none: () => t("transit.noRuns"),
    tell: (run) => tellAccess(run),
  });
  const load = (): void => {
    if (!findVectorLayer(ROUTES)) return;
    if (feeds.childElementCount === 0) replace(feeds, loading());
    showRoutes();
    feedsPart(zoomToItem).then(
      (part) => replace(feeds, part),
      (error: unknown) => replace(feeds, failure(error, load)),
    );
  };
  const show = (): void => {
    load();
    access.show?.();
  };
  const title = say(findVectorLayer(ACCESS)?.title, t("transit.reached"));
  return { element: h("div", {}, feeds, section(title, access.element)), show };
}
