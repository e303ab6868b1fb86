/** What leaves a stop next, on its card. */

import { ApiError, readDepartures, readFeeds } from "../api";
import { type Child, h, replace } from "../dom";
import { formatNumber, formatTime } from "../format";
import { t } from "../i18n";
import type { Departure, Feed, Item } from "../types";
import { empty, failure, loading, section } from "./parts";
import { table } from "./table";

const ROUND_S = 60;
const MOST_FEEDS = 5;

/** Say when it leaves: the time expected, and by how much it is late or early. */
function timeWords({ expected, delay, state, exact }: Departure): Child {
  if (state === "canceled" || state === "skipped") return t(`departure.${state}`);
  const time = exact || state === "live" ? formatTime(expected) : `≈ ${formatTime(expected)}`;
  if (delay === null || Math.abs(delay) < ROUND_S) return time;
  return `${time} (${delay > 0 ? "+" : "−"}${formatNumber(Math.abs(delay) / ROUND_S, 0)})`;
}

/** Return what leaves a stop by the first feed that knows it; null where none does. */
async function findDepartures(item: Item): Promise<Departure[] | null> {
  const stop = String(item.properties["gtfs_id"] ?? item.id);
  const feeds = await readFeeds();
  // Stops that came with a feed carry its name before a dot.
  const isOwn = (feed: Feed): number => Number(item.id.startsWith(`${feed.id}.`));
  for (const { id } of feeds.sort((a, b) => isOwn(b) - isOwn(a)).slice(0, MOST_FEEDS)) {
    try {
      return await readDepartures(id, stop);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
  return null;
}

/** Build the part; it stays empty for a stop of no timetable. */
export function departuresPart(item: Item): HTMLElement {
  const holder = h("div", { "aria-live": "polite" });
  const load = async (): Promise<void> => {
    replace(holder, section(t("departure.title"), loading()));
    try {
      const departures = await findDepartures(item);
      const rows = departures?.map((one): Child[] => [one.route, one.headsign, timeWords(one)]) ?? [];
      const headings = [t("departure.route"), t("departure.to"), t("departure.time")];
      const list = rows.length > 0 ? table(headings, rows) : empty(t("departure.none"));
      replace(holder, departures && section(t("departure.title"), list));
    } catch (error) {
      replace(
        holder,
        failure(error, () => void load()),
      );
    }
  };
  void load();
  return holder;
}
