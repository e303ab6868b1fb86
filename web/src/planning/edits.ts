/** What if: changes drawn on the map, the flood they are tried in, and running it with them and without. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { aim, stopAiming } from "../map/aim";
import { metresPerPixel } from "../map/scale";
import { editShape, type Sketching } from "../map/sketch";
import { empty, failure, section, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import type { Item } from "../types";
import { readDevices } from "./api";
import { middleOf } from "./middle";
import { changePair } from "./pair";
import { makeSketcher } from "./sketching";
import { trialForm } from "./trial-form";
import { makeTrialRun } from "./trial-run";
import { drawWorks, nearestDevice, placeDevice } from "./work-drawing";
import { changeWorks, KIND_WORDS, workList } from "./work-list";
import { DRAWN, type DrawnKind, type PickedKind, SIZES, trial, type Work, works } from "./works";

const NEAR_PIXELS = 30;

/** Metres that a pixel of the map is wide. */
const pixel = (map: MapView): number => metresPerPixel(map.getZoom(), map.getCenter().lat);

/** Build the part. */
export function editsPart(map: MapView): Part {
  const tools = h("div", { class: "work-tools" });
  const listed = h("div");
  const form = h("div");
  const sketcher = makeSketcher(map);
  const picking = h("div", { class: "picking" });
  let devices: Item[] | null = null;
  let moving: Sketching | null = null;
  const isOpen = (): boolean => getState().tab === "planning" && getState().plan === "edits";

  const add = (work: Work, words: string): void => changeWorks([...works.get(), work], words);

  const draw = (kind: DrawnKind): void => {
    endMoving();
    replace(picking);
    const words = t(kind === "pond" ? "plan.drawPolygon" : "plan.drawLine", { what: t(KIND_WORDS[kind]) });
    sketcher.start(kind === "pond" ? "Polygon" : "LineString", words, (geometry) => {
      const sizes = SIZES[kind].map(({ first }) => first);
      const places =
        geometry.type === "Polygon"
          ? geometry.coordinates[0]
          : geometry.type === "LineString"
            ? geometry.coordinates
            : null;
      if (places) add({ kind, places, sizes, id: "" }, t("plan.added", { name: t(KIND_WORDS[kind]) }));
    });
  };

  const endMoving = (): void => {
    moving?.stop();
    moving = null;
    if (isOpen()) drawWorks(map, works.get());
  };

  const move = async (work: Work): Promise<void> => {
    sketcher.stop();
    endMoving();
    const shape: GeoJSON.Geometry =
      work.kind === "pond"
        ? { type: "Polygon", coordinates: [work.places] }
        : { type: "LineString", coordinates: work.places };
    let now = work;
    replace(
      picking,
      h("p", { class: "note", role: "status" }, t("plan.movingWords")),
      textButton(
        t("plan.doneMoving"),
        () => {
          replace(picking);
          endMoving();
        },
        "button-small",
      ),
    );
    moving = await editShape(map, shape, {
      done: (geometry) => {
        const places =
          geometry.type === "Polygon"
            ? geometry.coordinates[0]
            : geometry.type === "LineString"
              ? geometry.coordinates
              : null;
        if (!places) return;
        const next = { ...now, places };
        works.set(works.get().map((one) => (one === now ? next : one)));
        now = next;
      },
    });
  };

  const take = (kind: PickedKind, id: string): void => {
    stopAiming(map);
    replace(picking);
    if (works.get().some((work) => work.id === id)) return;
    add({ kind, places: [], sizes: [], id }, t("plan.added", { name: `${t(KIND_WORDS[kind])} ${id}` }));
  };

  const pickDevice = async (kind: PickedKind): Promise<void> => {
    sketcher.stop();
    endMoving();
    try {
      devices ??= await readDevices();
    } catch (error) {
      replace(
        picking,
        failure(error, () => void pickDevice(kind)),
      );
      return;
    }
    const own = devices.filter(({ properties }) => properties["link_type"] === kind);
    for (const { id, geometry } of devices) if (geometry) placeDevice(id, middleOf(geometry));
    const choices = own.map(({ id, properties }) => ({
      value: id,
      label: String(properties["note"] ?? "") ? `${id} – ${properties["note"]}` : id,
    }));
    const box = select(
      t(KIND_WORDS[kind]),
      [{ value: "", label: t("plan.choose") }, ...choices],
      "",
      (id) => id && take(kind, id),
    );
    replace(
      picking,
      own.length === 0
        ? empty(t("plan.noDevice"))
        : h("p", { class: "note", role: "status" }, t("plan.clickDevice", { what: t(KIND_WORDS[kind]) })),
      own.length === 0 ? null : box,
    );
    if (own.length === 0) return;
    const ids = new Set(own.map(({ id }) => id));
    aim(
      map,
      ({ lngLat }) => {
        const id = nearestDevice([lngLat.lng, lngLat.lat], NEAR_PIXELS * pixel(map));
        if (id && ids.has(id)) take(kind, id);
        else void pickDevice(kind);
      },
      () => drawWorks(map, works.get()),
    );
    drawWorks(map, [...works.get(), ...own.map(({ id }): Work => ({ kind, places: [], sizes: [], id }))]);
  };

  const showTools = (): void =>
    replace(
      tools,
      ...DRAWN.map((kind) => textButton(t(KIND_WORDS[kind]), () => draw(kind), "button-small", "plus")),
      textButton(t("plan.closeGate"), () => void pickDevice("gate"), "button-small", "plus"),
      textButton(t("plan.stopPump"), () => void pickDevice("pump"), "button-small", "plus"),
    );

  const showList = (): void => {
    const list = works.get();
    replace(
      listed,
      list.length === 0 ? empty(t("plan.noWorks")) : workList(map, list, (work) => void move(work)),
      list.length > 0
        ? textButton(t("plan.removeAll"), () => changeWorks([], t("plan.removedAll")), "button-small")
        : null,
    );
    if (isOpen() && !moving) drawWorks(map, list);
  };

  const run = makeTrialRun((base, changed) => {
    changePair({
      left: { kind: "run", run: base },
      right: { kind: "run", run: changed },
      product: "flood_depth_max",
      step: 0,
    });
    if (isOpen()) setState({ plan: "compare" });
  });

  const findPlaces = async (): Promise<void> => {
    if (devices || !works.get().some(({ id }) => id)) return;
    devices = await readDevices().catch(() => null);
    for (const { id, geometry } of devices ?? []) if (geometry) placeDevice(id, middleOf(geometry));
    showList();
  };

  const showForm = (): void => {
    const start = textButton(t("plan.run"), () => run.start(trial.get(), works.get()), "button-primary", "play");
    start.disabled = works.get().length === 0;
    replace(
      form,
      trialForm(),
      start,
      works.get().length === 0 ? h("p", { class: "soft note" }, t("plan.runNeeds")) : null,
    );
  };

  const showAll = (): void => {
    showTools();
    showList();
    showForm();
  };
  works.watch(() => {
    showList();
    showForm();
  });
  watch(["lang"], showAll);
  showAll();
  const holder = h("div", { class: "form" });
  const build = (): void =>
    replace(
      holder,
      h("p", { class: "soft" }, t("plan.editsWords")),
      tools,
      sketcher.element,
      picking,
      section(t("plan.changes"), listed),
      section(t("plan.trial"), form, run.element),
    );
  watch(["lang"], build);
  build();
  return {
    element: holder,
    show: () => {
      drawWorks(map, works.get());
      void findPlaces();
    },
    hide: () => {
      sketcher.stop();
      moving?.stop();
      moving = null;
      stopAiming(map);
      replace(picking);
    },
  };
}
