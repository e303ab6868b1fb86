/** The own keys for programs: list, make, revoke; a new one is shown once. */

import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { say, t } from "../i18n";
import { confirmAction } from "../panels/dialog";
import { empty, failure, loading, textButton } from "../panels/parts";
import { copyButton } from "../tools/copy";
import { type Key, makeKey, readKeys, revokeKey } from "./api";
import { makeField, makeForm } from "./fields";
import type { Me } from "./me";

const SCOPES = ["read", "write"] as const;

/** Make the part of the account's keys. */
export function makeKeysPart(me: Me): HTMLElement {
  const list = h("div", {});
  const fresh = h("div", { role: "status" });
  const show = async (): Promise<void> => {
    replace(list, loading());
    try {
      const keys = await readKeys();
      replace(
        list,
        keys.length > 0
          ? h("ul", { class: "account-list" }, ...keys.map((key) => row(key, show)))
          : empty(t("account.noKeys")),
      );
    } catch (error) {
      replace(
        list,
        failure(error, () => void show()),
      );
    }
  };
  void show();
  return h(
    "section",
    { "aria-label": t("account.keys") },
    list,
    fresh,
    newKey(me, async (key) => {
      replace(
        fresh,
        h("p", {}, t("account.keyOnce")),
        h(
          "p",
          { class: "account-secret" },
          h("code", {}, key),
          copyButton(t("account.copyKey"), () => key),
        ),
      );
      await show();
    }),
  );
}

function row(key: Key, again: () => Promise<void>): HTMLElement {
  const used = key.used ? formatShortDateTime(new Date(key.used)) : t("account.never");
  const bound = key.device ?? key.thing ?? (key.owner ? key.owner : "");
  const revoke = async (): Promise<void> => {
    if (!(await confirmAction(t("account.revoke"), t("account.revokeAsk", { title: key.title }), t("account.revoke"))))
      return;
    await revokeKey(key.id);
    await again();
  };
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("strong", {}, key.title),
      h("span", { class: "soft" }, [key.id, bound, key.roles.join(", ")].filter(Boolean).join(" · ")),
      h("span", { class: "soft" }, key.revoked ? t("account.revoked") : t("account.used", { used })),
    ),
    key.revoked ? null : textButton(t("account.revoke"), () => void revoke(), "button-small"),
  );
}

function newKey(me: Me, made: (key: string) => Promise<void>): HTMLElement {
  const title = makeField(t("account.keyTitle"), "title", { required: true, maxlength: 100 });
  const role = h(
    "select",
    { class: "select", name: "role" },
    ...me.roles.map((one) => h("option", { value: one.id }, say(one.title))),
  );
  const scope = h(
    "select",
    { class: "select", name: "scope" },
    ...SCOPES.map((one) => h("option", { value: one }, t(`account.scope_${one}`))),
  );
  const labelled = (label: string, child: HTMLElement): HTMLElement =>
    h("label", { class: "field" }, h("span", { class: "field-label" }, label), child);
  const form = makeForm(
    t("account.makeKey"),
    [title.element, labelled(t("account.role"), role), labelled(t("account.scope"), scope)],
    async () => {
      const { key } = await makeKey(title.input.value, [role.value], me.wards, [scope.value]);
      form.reset();
      await made(key);
    },
  );
  return form;
}
