/** What leaves a stop next, on its card. */

import { ApiError, readDepartures } from "../api";
import { type Child, h, replace } from "../dom";
import { formatNumber, formatTime } from "../format";
import { t } from "../i18n";
import type { Departure, Item } from "../types";
import { empty, failure, loading, section } from "./parts";
import { table } from "./table";

const ROUND_S = 60;

/** Say when it leaves: the time expected, and by how much it is late or early. */
function timeWords({ expected, delay, state, exact }: Departure): Child {
  if (state === "canceled" || state === "skipped") return t(`departure.${state}`);
  const time = exact || state === "live" ? formatTime(expected) : `≈ ${formatTime(expected)}`;
  if (delay === null || Math.abs(delay) < ROUND_S) return time;
  return `${time} (${delay > 0 ? "+" : "−"}${formatNumber(Math.abs(delay) / ROUND_S, 0)})`;
}

/** Build the part; null for a stop of no timetable. Ids of such stops carry the feed before a dot. */
export function departuresPart(item: Item): HTMLElement | null {
  const stop = item.properties["gtfs_id"];
  const [feed] = item.id.split(".", 1);
  if (typeof stop !== "string" || !feed) return null;
  const holder = h("div", { "aria-live": "polite" }, loading());
  const load = async (): Promise<void> => {
    try {
      const departures = await readDepartures(feed, stop);
      const rows = departures.map((one): Child[] => [one.route, one.headsign, timeWords(one)]);
      const headings = [t("departure.route"), t("departure.to"), t("departure.time")];
      replace(holder, rows.length > 0 ? table(headings, rows) : empty(t("departure.none")));
    } catch (error) {
      // A stop that no feed in force has: there is nothing to tell of it.
      const isUnknown = error instanceof ApiError && error.status === 404;
      replace(holder, isUnknown ? empty(t("departure.none")) : failure(error, () => void load()));
    }
  };
  void load();
  return section(t("departure.title"), holder);
}
