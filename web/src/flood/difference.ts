/** The difference of two floods: the choice, the map, the tables, what is newly flooded and what is freed. */

import { readRun } from "../api";
import { findRasterLayer, onData, refreshRuns, run, runs, runsError } from "../data";
import { h, replace } from "../dom";
import { formatArea, formatFixed } from "../format";
import { say, t } from "../i18n";
import { makeStarter } from "../networks/job";
import { legendList } from "../panels/layers";
import { empty, failure, figure, loading, section, select, textButton } from "../panels/parts";
import type { Part } from "../panels/tools";
import { getState, setState, watch } from "../state";
import type { Run, ZoomToItem } from "../types";
import { DIFFERENCE, differ, findDifference, listFloods, nameRun } from "./differ";
import { changedLists } from "./difference-lists";
import { cityTable, wardsTable } from "./difference-tables";

const CHANGE = "flood_depth_change";

/** Choose what most people want to compare: the flood that is shown against the one before it. */
function chooseFirst(): void {
  const floods = listFloods();
  const { before, after } = differ.get();
  if (floods.length < 2 || (before && after)) return;
  const shown = floods.find(({ id }) => id === getState().runId) ?? floods[0];
  const other =
    floods.find(({ id, process }) => id !== shown?.id && process.includes("forecast")) ??
    floods.find(({ id }) => id !== shown?.id);
  differ.set({ before: other?.id ?? null, after: shown?.id ?? null });
}

/** Say how much ground the map gains and loses. */
function mapFigures(shown: Run): HTMLElement | null {
  const told = shown.summary?.difference;
  if (!told) return null;
  return h(
    "div",
    { class: "figures" },
    figure("flood", t("difference.wetted"), formatArea(told.wetted_area)),
    figure("area", t("difference.dried"), formatArea(told.dried_area)),
    figure("wave", t("difference.rise"), `+${formatFixed(Math.max(told.largest_rise, 0), 2)} m`),
    figure("wave", t("difference.fall"), `−${formatFixed(Math.max(-told.largest_fall, 0), 2)} m`),
  );
}

/** Build the part. */
export function differencePart(zoomToItem: ZoomToItem): Part {
  const chooser = h("div", { class: "form" });
  const map = h("div", { "aria-live": "polite" });
  const tables = h("div", { "aria-live": "polite" });
  let isOpen = false;
  let read = "";
  let drawn: string | null = null;

  const starter = makeStarter(
    DIFFERENCE,
    () => t("difference.draw"),
    () => ({ ...differ.get() }),
    async () => {
      await refreshRuns();
      showMap();
    },
  );
  const side = (name: "before" | "after"): HTMLElement => {
    const chosen = differ.get();
    const choices = listFloods().map((one) => ({ value: one.id, label: nameRun(one) }));
    const value = chosen[name];
    if (value && !choices.some((one) => one.value === value)) choices.unshift({ value, label: value });
    const box = select(t(`difference.${name}`), choices, value ?? "", (id) =>
      differ.set({ ...differ.get(), [name]: id }),
    );
    box.name = `difference-${name}`;
    return h("label", { class: "field" }, h("span", { class: "field-label" }, t(`difference.${name}`)), box);
  };
  const showChooser = (): void => {
    if (runsError) {
      replace(
        chooser,
        failure(runsError, () => void refreshRuns()),
      );
      return;
    }
    if (runs === null) {
      replace(chooser, loading());
      return;
    }
    if (listFloods().length < 2) {
      const go = (): void => setState({ tab: "scenario" });
      replace(
        chooser,
        empty(h("p", {}, t("difference.needTwo")), textButton(t("flood.openScenario"), go, "button-primary")),
      );
      return;
    }
    const swap = (): void => differ.set({ before: differ.get().after, after: differ.get().before });
    replace(chooser, side("before"), side("after"), textButton(t("difference.swap"), swap, "button-small"));
  };
  /** Bring the map of the difference on the screen once it is there. */
  const showMap = (): void => {
    const { before, after } = differ.get();
    if (!before || !after) {
      replace(map);
      return;
    }
    if (before === after) {
      replace(map, h("p", { class: "field-error" }, t("difference.same")));
      return;
    }
    const found = findDifference(differ.get());
    const layer = findRasterLayer(CHANGE);
    if (!found) {
      starter.update();
      replace(map, section(t("difference.map"), h("p", { class: "soft" }, t("difference.drawHint")), starter.element));
      return;
    }
    if (isOpen && drawn !== found.id) {
      drawn = found.id;
      setState({ runId: found.id, product: CHANGE, time: null });
    }
    const shown = run?.id === found.id ? run : null;
    const hidden = getState().runId !== found.id;
    const again = (): void => {
      drawn = null;
      showMap();
    };
    replace(
      map,
      section(
        t("difference.map"),
        shown ? mapFigures(shown) : null,
        hidden ? textButton(t("difference.showMap"), again, "button-small") : null,
        layer ? h("p", { class: "soft" }, t("difference.legend")) : null,
        layer ? legendList(layer) : null,
      ),
    );
  };
  const showTables = async (): Promise<void> => {
    const { before, after } = differ.get();
    const key = JSON.stringify([before, after, getState().lang]);
    if (!before || !after || before === after) {
      read = "";
      replace(tables);
      return;
    }
    if (key === read) return;
    read = key;
    replace(tables, loading());
    try {
      const [old, now] = await Promise.all([readRun(before), readRun(after)]);
      if (key !== read) return;
      replace(
        tables,
        section(
          t("difference.city"),
          h(
            "p",
            { class: "soft" },
            `${t("difference.before")}: ${say(old.title)} · ${t("difference.after")}: ${say(now.title)}`,
          ),
          cityTable(old, now),
        ),
        section(t("difference.wards"), wardsTable(old, now)),
        section(t("difference.lists"), changedLists(old, now, zoomToItem)),
      );
    } catch (error) {
      if (key !== read) return;
      const again = (): void => {
        read = "";
        void showTables();
      };
      replace(tables, failure(error, again));
    }
  };
  const update = (): void => {
    if (!isOpen) return;
    chooseFirst();
    showChooser();
    showMap();
    void showTables();
  };
  onData("runs", update);
  onData("run", () => {
    if (isOpen) showMap();
  });
  differ.watch(update);
  watch(["lang"], update);
  return {
    element: h("div", {}, chooser, map, tables),
    show: () => {
      isOpen = true;
      drawn = null;
      update();
    },
    hide: () => {
      isOpen = false;
      // Other desks are about a flood, not about a difference.
      const { after } = differ.get();
      if (drawn && getState().runId === drawn && after) setState({ runId: after, product: "flood_depth", time: null });
    },
  };
}
