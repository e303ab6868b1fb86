/** The map on the wall with the words for its flood picture; it can be loaded late and fail without the rest. */

import type { StandingAlarm } from "../alarms/api";
import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { t } from "../i18n";
import { failure, loading } from "../panels/parts";
import type { Run } from "../types";
import type { CityMap } from "./city-map";
import type { Moment } from "./flood-picture";

export interface CityPart {
  element: HTMLElement;
  start: () => Promise<void>;
  /** Make the map anew, in other colours. */
  redraw: () => Promise<void>;
  refreshFlood: () => Promise<void>;
  drawGauges: () => void;
  drawAlarms: (alarms: readonly StandingAlarm[]) => void;
  retell: () => void;
}

/** Build the part; without `layers` the map shows those of the first view. */
export function makeCityPart(
  options: { layers: readonly string[] | null; gauges: boolean; flood: boolean } = {
    layers: null,
    gauges: true,
    flood: true,
  },
): CityPart {
  const holder = h("div", { class: "city-holder" }, loading());
  const choice = h("div", { class: "city-choice", role: "group" });
  const caption = h("p", { class: "city-caption", role: "status" });
  const element = h("section", { class: "city" }, holder, h("div", { class: "city-words" }, choice, caption));
  let city: CityMap | null = null;
  let alarms: readonly StandingAlarm[] = [];
  let run: Run | null = null;
  let moment: Moment = "peak";
  let drawn = "";

  const tell = (time: string | null): void => {
    if (!run) caption.textContent = t("wall.noFlood");
    else if (time) caption.textContent = t("wall.floodAt", { time: formatShortDateTime(time) });
    else caption.textContent = t("wall.floodPeak", { time: formatShortDateTime(run.base_time ?? run.created) });
  };
  const showChoice = (): void => {
    const button = (which: Moment): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          class: "segment",
          "aria-pressed": String(moment === which),
          "data-moment": which,
          onclick: () => choose(which),
        },
        t(`wall.moment_${which}`),
      );
    choice.setAttribute("aria-label", t("wall.floodPicture"));
    replace(choice, button("now"), button("peak"));
  };
  const show = async (): Promise<void> => {
    if (!city || !options.flood) return;
    const { choosePicture } = await import("./flood-picture");
    const picture = run ? choosePicture(run, moment) : null;
    const key = picture ? `${picture.raster.id}@${picture.time}` : "";
    // A picture that is the same is not loaded again.
    if (key !== drawn) city.drawFlood(picture);
    drawn = key;
    tell(picture?.time ?? null);
  };
  const choose = (which: Moment): void => {
    moment = which;
    showChoice();
    choice.querySelector<HTMLElement>(`[data-moment="${which}"]`)?.focus();
    void show();
  };
  const refreshFlood = async (): Promise<void> => {
    if (!options.flood) return;
    try {
      const { readNewestFlood } = await import("./flood-picture");
      run = await readNewestFlood();
      await show();
    } catch (error) {
      console.warn("flood picture:", error);
    }
  };
  const start = async (): Promise<void> => {
    try {
      const { makeCityMap } = await import("./city-map");
      const box = h("div", { class: "city-map", role: "region", "aria-label": t("app.map") });
      replace(holder, box);
      city?.map.remove();
      city = null;
      drawn = "";
      city = await makeCityMap(box, options);
      city.drawAlarms(alarms);
      await refreshFlood();
    } catch (error) {
      replace(
        holder,
        failure(error, () => void start()),
      );
    }
  };
  if (options.flood) showChoice();
  return {
    element,
    start,
    redraw: start,
    refreshFlood,
    drawGauges: () => city?.drawGauges(),
    drawAlarms: (next) => {
      alarms = next;
      city?.drawAlarms(next);
    },
    retell: () => {
      if (options.flood) showChoice();
      void show();
    },
  };
}
