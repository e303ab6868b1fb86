/** Recording a look at an item: its grade, who looked, what was seen, and whether a repair is wanted. */

import type { Map as MapView } from "maplibre-gl";
import { h, replace } from "../dom";
import { writeCityTime } from "../format";
import { t } from "../i18n";
import { notify } from "../panels/notice";
import { failure, loading, select } from "../panels/parts";
import { type Due, sendInspection } from "./api";
import { tellWritten } from "./changed";
import { formFrame } from "./form-frame";
import { openOrder } from "./open";

const METHODS = ["visual", "cctv", "survey", "acoustic", "sensor"] as const;
const GRADES = ["1", "2", "3", "4", "5"] as const;

const field = (label: string, box: HTMLElement): HTMLElement =>
  h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);

/** Build the form; `done` is called once the look is recorded. */
export function inspectionForm(map: MapView, { collection, feature }: Due, done: () => void): HTMLElement {
  const said = h("div", { "aria-live": "polite" });
  let grade = "1";
  let method: string = "visual";
  const inspected = h("input", { class: "input", type: "date", value: writeCityTime(new Date()).slice(0, 10) });
  const inspector = h("input", { class: "input", name: "inspector", maxlength: 100, autocomplete: "off" });
  const remarks = h("textarea", { class: "input", name: "remarks", rows: 2, maxlength: 5000 });
  const wantsOrder = h("input", { type: "checkbox" });
  const send = async (): Promise<void> => {
    if (!inspector.value.trim()) {
      replace(said, h("p", { class: "field-error" }, t("work.inspectorNeeded")));
      inspector.focus();
      return;
    }
    replace(said, loading(t("work.saving")));
    try {
      const answer = await sendInspection(
        { collection, feature },
        {
          inspected: inspected.value,
          inspector: inspector.value.trim(),
          method,
          grade: Number(grade),
          remarks: remarks.value.trim(),
          open_work_order: wantsOrder.checked,
        },
      );
      await tellWritten(map, [collection]);
      const order = answer.work_order;
      notify(
        t("work.inspected", { id: feature }),
        order ? { label: t("work.openOrder", { id: order.id }), run: () => openOrder(order.id) } : undefined,
      );
      done();
    } catch (error) {
      replace(said, failure(error));
    }
  };
  return formFrame(
    send,
    "inspection",
    h(
      "div",
      { class: "two-fields" },
      field(t("work.day"), inspected),
      field(
        t("work.method"),
        select(
          t("work.method"),
          METHODS.map((value) => ({ value, label: t(`work.method_${value}`) })),
          method,
          (next) => {
            method = next;
          },
        ),
      ),
    ),
    field(
      t("work.grade"),
      select(
        t("work.grade"),
        GRADES.map((value) => ({ value, label: t(`work.grade_${value}`) })),
        grade,
        (next) => {
          grade = next;
        },
      ),
    ),
    field(`${t("work.inspector")} *`, inspector),
    field(t("work.remarks"), remarks),
    h("label", { class: "option" }, wantsOrder, h("span", {}, t("work.wantsOrder"))),
    said,
    h("button", { type: "submit", class: "button button-small button-primary" }, t("work.record_look")),
  );
}
