/** The account's dialogs: signing in, and once signed in who one is, password, second factor, keys, sessions. */

import "../styles/account.css";
import { h, replace } from "../dom";
import { addWords, say, t } from "../i18n";
import { accountEn } from "../i18n/account-en";
import { accountVi } from "../i18n/account-vi";
import { openDialog } from "../panels/dialog";
import { notify } from "../panels/notice";
import { textButton } from "../panels/parts";
import { changePassword, signIn, signOut } from "./api";
import { makeCodePart } from "./code";
import { makeField, makeForm } from "./fields";
import { makeKeysPart } from "./keys";
import { isSignedIn, type Me, readMe, refreshMe } from "./me";
import { makeSessionsPart } from "./sessions";

addWords({ vi: accountVi, en: accountEn });

const SHORTEST_PASSWORD = 12;

/** Open what fits: the form to sign in, or the account. */
export async function openAccount(): Promise<void> {
  const me = await readMe();
  if (isSignedIn(me)) openOwn(me);
  // What one may see is another city now: the page begins anew, as its address says.
  else if ((await askSignIn()) && !(await readMe()).needs.includes("code")) location.reload();
}

/** Ask somebody to sign in, with `why` if given; true once it is done, false where the dialog was closed. */
export async function askSignIn(why?: string): Promise<boolean> {
  const me = await readMe();
  return new Promise((resolve) => {
    let done = false;
    openDialog(
      t("account.signIn"),
      (close) => {
        const finish = (): void => {
          done = true;
          close();
        };
        return h("div", { class: "account" }, why ? h("p", {}, why) : null, ...signInParts(me, finish));
      },
      () => resolve(done),
    );
  });
}

function signInParts(me: Me, finish: () => void): HTMLElement[] {
  const { password, openid } = me.signIn;
  const parts: HTMLElement[] = [];
  if (openid) {
    const next = encodeURIComponent(location.pathname + location.search + location.hash);
    parts.push(
      h(
        "a",
        { class: "button button-primary account-openid", href: `/auth/oidc/sign-in?next=${next}` },
        t("account.openid", { name: openid }),
      ),
    );
  }
  if (password) parts.push(passwordForm(finish));
  if (parts.length === 0) parts.push(h("p", {}, t("account.none")));
  return parts;
}

function passwordForm(finish: () => void): HTMLElement {
  const name = makeField(t("account.name"), "username", { autocomplete: "username", required: true, maxlength: 100 });
  const secret = makeField(t("account.password"), "password", {
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const code = makeField(
    t("account.code"),
    "code",
    { autocomplete: "one-time-code", maxlength: 20 },
    t("account.codeHint"),
  );
  return makeForm(t("account.signIn"), [name.element, secret.element, code.element], async () => {
    await signIn(name.input.value, secret.input.value, code.input.value);
    const me = await refreshMe();
    finish();
    notify(t("account.welcome", { name: me.name }));
    if (me.needs.includes("code")) openOwn(me);
  });
}

function openOwn(me: Me): void {
  const build = (): HTMLElement => {
    const roles = me.roles.map((role) => say(role.title)).join(", ");
    const leave = async (everywhere: boolean): Promise<void> => {
      const { next } = await signOut(everywhere);
      if (next) location.assign(next);
      else location.reload();
    };
    const part = h("div", { class: "account-part" });
    const show = (build: () => HTMLElement) => () => replace(part, build());
    const wants = me.needs.includes("code");
    if (wants) replace(part, makeCodePart(true));
    return h(
      "div",
      { class: "account" },
      h(
        "dl",
        { class: "account-facts" },
        h("dt", {}, t("account.name")),
        h("dd", {}, me.account ?? me.subject),
        h("dt", {}, t("account.roles")),
        h("dd", {}, roles),
        h("dt", {}, t("account.wards")),
        h("dd", {}, me.wards.join(", ") || t("account.wholeCity")),
      ),
      h(
        "div",
        { class: "row account-actions" },
        me.signedInBy === "password" ? textButton(t("account.newPassword"), show(passwordPart), "button-small") : null,
        me.signedInBy === "password" && !me.code && !wants
          ? textButton(
              t("account.setUpCode"),
              show(() => makeCodePart(false)),
              "button-small",
            )
          : null,
        wants
          ? null
          : textButton(
              t("account.keys"),
              show(() => makeKeysPart(me)),
              "button-small",
            ),
        textButton(t("account.sessions"), show(makeSessionsPart), "button-small"),
      ),
      part,
      h(
        "div",
        { class: "dialog-actions" },
        textButton(t("account.signOutAll"), () => void leave(true)),
        textButton(t("account.signOut"), () => void leave(false)),
      ),
    );
  };
  const again = async (): Promise<void> => {
    if (me.needs.includes("code") && !(await readMe()).needs.includes("code")) location.reload();
  };
  openDialog(me.name, build, () => void again());
}

function passwordPart(): HTMLElement {
  const old = makeField(t("account.oldPassword"), "old", {
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const fresh = makeField(
    t("account.freshPassword"),
    "new",
    { type: "password", autocomplete: "new-password", required: true, minlength: SHORTEST_PASSWORD },
    t("account.passwordHint"),
  );
  const form = makeForm(t("account.newPassword"), [old.element, fresh.element], async () => {
    await changePassword(old.input.value, fresh.input.value);
    form.reset();
    notify(t("account.passwordDone"));
  });
  return form;
}
