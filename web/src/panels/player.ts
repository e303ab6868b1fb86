/** The time bar: slider over the run's series, play and pause, speed, the now mark, city time. */

import type { Map as MapView } from "maplibre-gl";
import { onData, run, shownRaster } from "../data";
import { h, replace } from "../dom";
import { formatDay, formatTime } from "../format";
import { t } from "../i18n";
import { icon } from "../icons";
import { drawFlood, preloadFlood } from "../map/flood";
import { getState, setState, watch } from "../state";
import { iconButton, select } from "./parts";

const MARK_WIDTH = 84;
const SPEEDS = [1, 2, 4, 8] as const;

let times: string[] = [];
let playing = false;
let speed = 2;
let timer = 0;

/** Return the index of the moment nearest to `now`; the first when now lies outside the series. */
export function nearestIndex(series: readonly string[], now: number): number {
  const first = Date.parse(series[0] ?? "");
  const last = Date.parse(series.at(-1) ?? "");
  if (Number.isNaN(first) || now < first || now > last) return 0;
  let best = 0;
  series.forEach((moment, index) => {
    if (Math.abs(Date.parse(moment) - now) < Math.abs(Date.parse(series[best] ?? "") - now)) best = index;
  });
  return best;
}

const currentIndex = (): number => Math.max(0, times.indexOf(getState().time ?? ""));

/** Part of the bar, 0…1, at which now lies, or null outside. */
function nowShare(): number | null {
  const [first, last] = [Date.parse(times[0] ?? ""), Date.parse(times.at(-1) ?? "")];
  const now = Date.now();
  return now >= first && now <= last && last > first ? (now - first) / (last - first) : null;
}

function dayMarks(width: number): HTMLElement[] {
  const days = new Map<string, number>();
  times.forEach((moment, index) => {
    const day = formatDay(moment);
    if (!days.has(day)) days.set(day, index);
  });
  const last = Math.max(times.length - 1, 1);
  const room = (MARK_WIDTH / Math.max(width, MARK_WIDTH)) * last;
  const starts = [...days].filter(([, index], order, all) => {
    const next = all[order + 1]?.[1] ?? last;
    return next - index >= room;
  });
  return starts.map(([day, index]) =>
    h("span", { class: "day-mark", style: `left:${((100 * index) / last).toFixed(2)}%` }, day),
  );
}

/** Make the bar; it hides itself where there is no series to step through. */
export function makePlayer(map: MapView): HTMLElement {
  const bar = h("div", { class: "player", role: "group", hidden: true });
  const clock = h("output", { class: "player-clock" });
  const slider = h("input", {
    type: "range",
    min: 0,
    step: 1,
    class: "player-slider",
    oninput: (event) => {
      stop();
      setState({ time: times[Number((event.target as HTMLInputElement).value)] ?? null });
    },
  });
  const strip = h("div", { class: "player-strip" });
  const playButton = iconButton("play", "", () => (playing ? stop() : start()), "player-play");

  const showClock = (): void => {
    const moment = getState().time;
    const index = currentIndex();
    slider.value = String(index);
    slider.style.setProperty("--done", `${(100 * index) / Math.max(times.length - 1, 1)}%`);
    slider.setAttribute("aria-valuetext", `${formatTime(moment)} ${formatDay(moment)}`);
    replace(clock, h("strong", {}, formatTime(moment)), h("span", {}, formatDay(moment)));
  };

  const showStrip = async (): Promise<void> => {
    const [shown, moments] = [run, times];
    if (!shown?.stage_forecast || moments.length === 0) {
      replace(strip);
      return;
    }
    const { playerStrip } = await import("./player-strip");
    if (run === shown && times === moments) replace(strip, playerStrip(moments, shown));
  };

  const showPlay = (): void => {
    const label = t(playing ? "time.pause" : "time.play");
    playButton.setAttribute("aria-label", label);
    playButton.title = label;
    replace(playButton, icon(playing ? "pause" : "play"));
  };

  const step = async (): Promise<void> => {
    const started = performance.now();
    const index = (currentIndex() + 1) % times.length;
    setState({ time: times[index] ?? null });
    await drawFlood(map);
    const next = times[(index + 1) % times.length];
    if (next) void preloadFlood(map, next);
    const spent = performance.now() - started;
    if (playing) timer = window.setTimeout(() => void step(), Math.max(60, 1000 / speed - spent));
  };

  function start(): void {
    if (playing || times.length < 2) return;
    playing = true;
    showPlay();
    void step();
  }

  function stop(): void {
    playing = false;
    clearTimeout(timer);
    showPlay();
  }

  const build = (): void => {
    bar.setAttribute("aria-label", t("time.slider"));
    slider.setAttribute("aria-label", t("time.slider"));
    slider.max = String(Math.max(times.length - 1, 0));
    const share = nowShare();
    const speeds = SPEEDS.map((value) => ({ value: String(value), label: `${value}×` }));
    // Buttons and clock take about 250 px of the bar; the rest is the track.
    const marks = [
      ...dayMarks(bar.clientWidth - 250),
      share === null
        ? null
        : h("span", { class: "now-mark", style: `left:${(100 * share).toFixed(2)}%` }, t("time.now")),
    ];
    replace(
      bar,
      playButton,
      clock,
      h(
        "div",
        { class: "player-track" },
        strip,
        slider,
        h("div", { class: "player-marks", "aria-hidden": "true" }, ...marks),
      ),
      share === null
        ? null
        : iconButton("clock", t("time.goNow"), () => {
            stop();
            setState({ time: times[nearestIndex(times, Date.now())] ?? null });
          }),
      select(t("time.speed"), speeds, String(speed), (value) => {
        speed = Number(value);
      }),
    );
    showPlay();
    showClock();
    void showStrip();
  };

  const refresh = (): void => {
    times = shownRaster()?.times ?? [];
    if (times.length === 0) stop();
    const { time } = getState();
    if (times.length > 0 && !times.includes(time ?? ""))
      setState({ time: times[nearestIndex(times, Date.now())] ?? null });
    bar.hidden = times.length === 0;
    document.documentElement.classList.toggle("has-player", times.length > 0);
    build();
    if (run) void drawFlood(map);
  };

  new ResizeObserver(build).observe(bar);
  watch(["product"], refresh);
  watch(["lang"], build);
  watch(["time"], () => {
    showClock();
    if (!playing) void drawFlood(map);
  });
  onData("run", refresh);
  refresh();
  return bar;
}
