/** The dialog in which somebody chooses what the wall shows. */

import { h, replace } from "../dom";
import { say, t } from "../i18n";
import { openDialog } from "../panels/dialog";
import { iconButton, select, textButton } from "../panels/parts";
import { getState, type Lang, type Scheme, setState } from "../state";
import type { Indicator } from "./indicator";
import type { Settings } from "./settings";

const ROTATIONS = [0, 10, 20, 30, 60, 120];

/** Open the dialog; `apply` is told every change at once. */
export function chooseTiles(
  indicators: readonly Indicator[],
  read: () => Settings,
  apply: (settings: Settings) => void,
): void {
  openDialog(t("wall.chooseTitle"), (close) => {
    const list = h("ol", { class: "choose-list" });
    const said = h("p", { class: "soft", role: "status" });
    const move = (id: string, by: number): void => {
      const { tiles, rotate } = read();
      const next = [...tiles];
      const at = next.indexOf(id);
      next.splice(at, 1);
      next.splice(at + by, 0, id);
      apply({ tiles: next, rotate });
      show();
      list.querySelector<HTMLElement>(`[data-move="${id}/${by}"]`)?.focus();
    };
    const toggle = (id: string, shown: boolean): void => {
      const { tiles, rotate } = read();
      // The last one stays: a wall without tiles says nothing.
      if (!shown && tiles.length === 1) said.textContent = t("wall.atLeastOne");
      else apply({ tiles: shown ? [...tiles, id] : tiles.filter((one) => one !== id), rotate });
      show();
      list.querySelector<HTMLElement>(`input[name="${id}"]`)?.focus();
    };
    const show = (): void => {
      const { tiles } = read();
      const order = [...tiles, ...indicators.map((one) => one.id).filter((id) => !tiles.includes(id))];
      replace(
        list,
        ...order.flatMap((id): HTMLElement[] => {
          const one = indicators.find((each) => each.id === id);
          if (!one) return [];
          const at = tiles.indexOf(id);
          const step = (by: number, name: "up" | "down", label: string): HTMLButtonElement => {
            const button = iconButton(name, `${label}: ${say(one.title)}`, () => move(id, by), "icon-button-quiet");
            button.dataset["move"] = `${id}/${by}`;
            button.disabled = at + by < 0 || at + by >= tiles.length;
            return button;
          };
          return [
            h(
              "li",
              {},
              h(
                "label",
                { class: "choose-tile" },
                h("input", {
                  type: "checkbox",
                  name: id,
                  checked: at >= 0,
                  onchange: (event) => toggle(id, (event.target as HTMLInputElement).checked),
                }),
                say(one.title),
              ),
              ...(at >= 0 ? [step(-1, "up", t("wall.earlier")), step(1, "down", t("wall.later"))] : []),
            ),
          ];
        }),
      );
    };
    show();
    const rotation = select(
      t("wall.rotate"),
      ROTATIONS.map((seconds) => ({
        value: String(seconds),
        label: seconds === 0 ? t("wall.byHand") : t("wall.seconds", { seconds }),
      })),
      String(read().rotate),
      (value) => apply({ ...read(), rotate: Number(value) }),
    );
    const language = select(
      t("wall.language"),
      [
        { value: "vi", label: "Tiếng Việt" },
        { value: "en", label: "English" },
      ],
      getState().lang,
      (lang) => setState({ lang: lang as Lang }),
    );
    const colours = select(
      t("wall.colours"),
      [
        { value: "dark", label: t("wall.dark") },
        { value: "light", label: t("wall.light") },
      ],
      getState().scheme,
      (scheme) => setState({ scheme: scheme as Scheme }),
    );
    const copy = async (): Promise<void> => {
      await navigator.clipboard.writeText(location.href);
      said.textContent = t("wall.copied");
    };
    const labelled = (label: string, box: HTMLElement): HTMLElement =>
      h("label", { class: "field" }, h("span", { class: "field-label" }, label), box);
    return h(
      "div",
      { class: "choose" },
      h(
        "div",
        { class: "choose-row" },
        labelled(t("wall.rotate"), rotation),
        labelled(t("wall.language"), language),
        labelled(t("wall.colours"), colours),
      ),
      h("p", { class: "soft" }, t("wall.chooseHint")),
      list,
      said,
      h(
        "div",
        { class: "dialog-actions" },
        textButton(t("wall.copyLink"), () => void copy(), "", "link"),
        textButton(t("app.close"), close, "button-primary"),
      ),
    );
  });
}
