/** The button of the header: sign in, or who one is. What it opens is loaded when it is first used. */

import { onUnknown } from "../api";
import { explain, t } from "../i18n";
import { notify } from "../panels/notice";
import { iconButton } from "../panels/parts";
import { hasAccounts, isSignedIn, lastMe, readMe } from "./me";

onUnknown(async () => {
  if (!hasAccounts(await readMe())) return false;
  const dialogs = await import("./dialog");
  return dialogs.askSignIn(t("account.forWriting"));
});

async function open(): Promise<void> {
  const dialogs = await import("./dialog");
  await dialogs.openAccount();
}

/** Build the button in the words of the moment. */
export function accountButton(): HTMLElement {
  const me = lastMe();
  const signedIn = me !== null && isSignedIn(me);
  const label = signedIn ? t("account.of", { name: me.name }) : t("account.signIn");
  const button = iconButton("person", label, () => void open().catch((error: unknown) => notify(explain(error))));
  button.classList.toggle("account-known", signedIn);
  button.dataset["account"] = "";
  return button;
}
