/** Who holds a parcel: shown to who may, once the purpose is chosen and its ground is given. Never printed. */

import { request } from "../api";
import { h, replace } from "../dom";
import { formatNumber } from "../format";
import { say, t } from "../i18n";
import { empty, failure, loading, section } from "../panels/parts";
import { table } from "../panels/table";
import type { Words } from "../types";
import { sign } from "../writing";

interface Coded {
  code: string;
  title: Words;
}

interface Purposes {
  allowed: boolean;
  purposes: Coded[];
  kinds: Coded[];
}

interface Owner {
  name: string;
  kind: string;
  identity: string | null;
  phone: string | null;
  address: string | null;
  rights: { share: number; basis: string; since: string | null }[];
}

const PERCENT = 100;
const SHORTEST_GROUND = 5;
const LONGEST_GROUND = 200;

const ask = <T>(path: string, headers: Record<string, string> = {}): Promise<T> =>
  request<T>(path, { headers: sign({ headers }), cache: "no-store" });

function ownersTable(owners: Owner[], kinds: Coded[]): HTMLElement {
  if (owners.length === 0) return empty(t("plan.noOwners"));
  const kind = (code: string): string => {
    const found = kinds.find((one) => one.code === code);
    return found ? say(found.title) : code;
  };
  return table(
    [t("plan.ownerName"), t("plan.share"), t("plan.ownerIdentity"), t("plan.ownerContact"), t("plan.ownerBasis")],
    owners.map(({ name, kind: code, identity, phone, address, rights: [right] }) => [
      `${name} (${kind(code)})`,
      right ? `${formatNumber(right.share * PERCENT, 1)} %` : "–",
      identity ?? "–",
      [address, phone].filter(Boolean).join("; ") || "–",
      [right?.basis, right?.since].filter(Boolean).join("; ") || "–",
    ]),
  );
}

/** Build the part of a parcel; it stays empty for who may not see owners. */
export function ownersPart(parcel: string): HTMLElement {
  const part = h("div");
  const fill = ({ purposes, kinds }: Purposes): void => {
    const answer = h("div", { "aria-live": "polite" });
    const form: HTMLFormElement = h(
      "form",
      {
        class: "form",
        onsubmit: (event: Event) => {
          event.preventDefault();
          const words = new FormData(form);
          // In headers: no log of addresses keeps them.
          const why = {
            "Twin-Purpose": String(words.get("purpose")),
            "Twin-Ground": encodeURIComponent(String(words.get("ground")).trim()),
          };
          const show = async (): Promise<void> => {
            replace(answer, loading());
            try {
              const path = `/api/personal/parcels/${encodeURIComponent(parcel)}/owners`;
              replace(answer, ownersTable((await ask<{ owners: Owner[] }>(path, why)).owners, kinds));
            } catch (error) {
              replace(
                answer,
                failure(error, () => void show()),
              );
            }
          };
          void show();
        },
      },
      h("p", { class: "soft note" }, t("plan.ownersNote")),
      h(
        "label",
        { class: "field" },
        h("span", { class: "field-label" }, t("plan.ownerPurpose")),
        h(
          "select",
          { class: "select", name: "purpose", required: true },
          ...purposes.map(({ code, title }) => h("option", { value: code }, say(title))),
        ),
      ),
      h(
        "label",
        { class: "field" },
        h("span", { class: "field-label" }, t("plan.ownerGround")),
        h("input", {
          class: "input",
          name: "ground",
          required: true,
          autocomplete: "off",
          minlength: SHORTEST_GROUND,
          maxlength: LONGEST_GROUND,
        }),
      ),
      h("button", { type: "submit", class: "button button-small" }, t("plan.showOwners")),
    );
    const whole = section(t("plan.owners"), form, answer);
    whole.classList.add("owners");
    replace(part, whole);
  };
  void ask<Purposes>("/api/personal/purposes")
    .then((known) => {
      if (known.allowed) fill({ ...known, purposes: known.purposes.filter(({ code }) => code !== "search") });
    })
    // Who cannot be told apart sees none.
    .catch(() => undefined);
  return part;
}
