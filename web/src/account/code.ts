/** Setting up one-time codes: the secret, a code that proves it, and recovery codes to keep. */

import { h, replace } from "../dom";
import { t } from "../i18n";
import { loading } from "../panels/parts";
import { copyButton } from "../tools/copy";
import { beginCode, confirmCode } from "./api";
import { explainAccount, makeField, makeForm } from "./fields";
import { refreshMe } from "./me";

/** Make the part; `needed` says that nothing else can be done before. */
export function makeCodePart(needed: boolean): HTMLElement {
  const part = h("section", { "aria-label": t("account.setUpCode") });
  const begin = async (): Promise<void> => {
    const { secret, link } = await beginCode();
    const code = makeField(t("account.code"), "confirm", {
      autocomplete: "one-time-code",
      inputmode: "numeric",
      required: true,
      maxlength: 10,
    });
    const spaced = secret.match(/.{1,4}/g)?.join(" ") ?? secret;
    replace(
      part,
      needed ? h("p", {}, t("account.codeNeeded")) : null,
      h("p", {}, t("account.codeHow")),
      h(
        "p",
        { class: "account-secret" },
        h("code", {}, spaced),
        copyButton(t("account.copySecret"), () => secret),
      ),
      h("p", {}, h("a", { href: link }, t("account.codeLink"))),
      makeForm(t("account.confirm"), [code.element], async () => {
        const { recovery } = await confirmCode(code.input.value);
        await refreshMe();
        replace(
          part,
          h("p", {}, t("account.recovery")),
          h("ul", { class: "account-recovery" }, ...recovery.map((one) => h("li", {}, h("code", {}, one)))),
          copyButton(t("account.copyRecovery"), () => recovery.join("\n")),
        );
      }),
    );
  };
  replace(part, loading());
  begin().catch((error: unknown) => {
    part.textContent = explainAccount(error);
  });
  return part;
}
