/** The long profile beside the map: the drawing, what lies under the pointer, the moment, a file of it. */

import { h, replace } from "../dom";
import { formatFixed, formatHours, formatVolume } from "../format";
import { t } from "../i18n";
import { iconButton, swatch, textButton } from "../panels/parts";
import { openMenu } from "../table/popup";
import { drawProfile, type LongProfile, makeScale, profileKey, type Scale } from "./profile-chart";
import { saveDrawing, savePicture, saveStations } from "./profile-files";

const HEIGHT = 250;
const NARROWEST = 320;

export interface DockAsks {
  /** The moment was moved to so many hours after the start; null asks for the highest water only. */
  moment: (hours: number) => void;
  /** A node was pointed at, or none. */
  point: (index: number | null) => void;
  close: () => void;
}

/** Tell what is at a node. */
function describeStation({ stations, isDry }: LongProfile, index: number): HTMLElement {
  const level = (value: number | null | undefined): string => (value == null ? "–" : `${formatFixed(value, 2)} m`);
  const rows: [string, string][] = [
    [t("profile.ground"), level(stations.rim[index])],
    [t("profile.bed"), level(stations.invert[index])],
    ...(isDry
      ? []
      : ([
          [t("profile.highest"), level(stations.max_head[index])],
          [t("profile.moment"), level(stations.head[index])],
        ] satisfies [string, string][])),
    [t("profile.distance"), `${formatFixed(stations.distance[index], 0)} m`],
  ];
  const surcharged = stations.surcharge_time[index] ?? 0;
  if (surcharged > 0) rows.push([t("profile.surcharged"), formatHours(surcharged / 3600)]);
  if (stations.flooded[index]) rows.push([t("profile.flooded"), formatVolume(stations.flooding_volume[index])]);
  return h(
    "div",
    {},
    h("strong", {}, stations.id[index]!),
    h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  );
}

/** Make the dock. `show` draws a profile; the slider runs over `seconds` after the start. */
export function makeDock(asks: DockAsks): {
  element: HTMLElement;
  show: (profile: LongProfile, seconds: readonly number[]) => void;
} {
  const canvas = h("div", { class: "profile-canvas", tabindex: 0 });
  const tip = h("div", { class: "profile-tip", role: "status", hidden: true });
  const clock = h("output", { class: "profile-clock" });
  const key = h("ul", { class: "profile-key" });
  const slider = h("input", { type: "range", class: "player-slider", step: "any", min: 0 });
  const time = h("div", { class: "profile-time" }, slider, clock);
  const head = h("div", { class: "profile-head" });
  const element = h(
    "section",
    { class: "profile-dock" },
    head,
    h("div", { class: "profile-holder" }, canvas, tip),
    time,
    key,
  );
  let profile: LongProfile | null = null;
  let scale: Scale | null = null;
  let pointed: number | null = null;

  const draw = (): void => {
    if (!profile || !element.isConnected) return;
    const width = Math.max(canvas.clientWidth, NARROWEST);
    scale = makeScale(profile, width, HEIGHT);
    replace(canvas, drawProfile(profile, width, HEIGHT));
  };
  const point = (index: number | null): void => {
    pointed = index;
    tip.hidden = index === null;
    asks.point(index);
    if (index === null || !profile || !scale) return;
    replace(tip, describeStation(profile, index));
    const x = scale.x(profile.stations.distance[index]!);
    tip.style.left = `${Math.min(Math.max(x - 85, 4), Math.max(scale.width - 180, 4))}px`;
  };
  const save = (event: Event): void => {
    const drawing = canvas.querySelector("svg");
    if (!drawing || !profile) return;
    const shown = profile;
    const name = `profile-${shown.stations.id[0]}-${shown.stations.id.at(-1)}`;
    openMenu(event.currentTarget as Element, t("profile.save"), [
      { label: t("profile.png"), run: () => void savePicture(`${name}.png`, drawing) },
      { label: t("profile.svg"), run: () => saveDrawing(`${name}.svg`, drawing) },
      { label: t("profile.csv"), run: () => saveStations(`${name}.csv`, shown) },
    ]);
  };
  const show = (next: LongProfile, seconds: readonly number[]): void => {
    profile = next;
    time.hidden = next.isDry === true;
    const last = (seconds.at(-1) ?? 0) / 3600;
    slider.max = String(last);
    if (next.at === null && document.activeElement !== slider) slider.value = "0";
    slider.setAttribute("aria-label", t("profile.time"));
    clock.textContent = next.at === null ? t("profile.onlyHighest") : formatHours(next.at / 3600, 2);
    const [from, to] = [next.stations.id[0], next.stations.id.at(-1)];
    replace(
      head,
      h("h3", {}, `${from} – ${to}`),
      textButton(t("profile.save"), (event) => save(event), "button-small", "download"),
      iconButton("close", t("app.close"), asks.close, "icon-button-quiet"),
    );
    replace(key, ...profileKey(next).map(([color, words]) => h("li", {}, swatch(color, "line"), words)));
    canvas.setAttribute("aria-label", t("profile.keys"));
    draw();
    if (pointed !== null) point(Math.min(pointed, next.stations.id.length - 1));
  };

  slider.addEventListener("input", () => asks.moment(Number(slider.value)));
  canvas.addEventListener("pointermove", (event) => {
    if (!profile || !scale) return;
    const x = event.clientX - canvas.getBoundingClientRect().left;
    const gaps = profile.stations.distance.map((distance) => Math.abs(scale!.x(distance) - x));
    point(gaps.indexOf(Math.min(...gaps)));
  });
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !profile) return;
    event.preventDefault();
    point(Math.min(Math.max((pointed ?? (step > 0 ? -1 : 1)) + step, 0), profile.stations.id.length - 1));
  });
  new ResizeObserver(draw).observe(canvas);
  return { element, show };
}
