/** Where the account is signed in. */

import { h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { t } from "../i18n";
import { failure, loading, textButton } from "../panels/parts";
import { endSession, readSessions, type Session } from "./api";

/** Make the list; each session but this one can be ended. */
export function makeSessionsPart(): HTMLElement {
  const list = h("ul", { class: "account-list" });
  const part = h("section", { "aria-label": t("account.sessions") }, list);
  const show = async (): Promise<void> => {
    replace(part, loading());
    try {
      const rows = await readSessions();
      replace(list, ...rows.map((one) => row(one, show)));
      replace(part, list);
    } catch (error) {
      replace(
        part,
        failure(error, () => void show()),
      );
    }
  };
  void show();
  return part;
}

function row(session: Session, again: () => Promise<void>): HTMLElement {
  const end = async (): Promise<void> => {
    await endSession(session.id);
    await again();
  };
  const seen = t("account.seen", { time: formatShortDateTime(new Date(session.seen)) });
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("strong", {}, session.current ? t("account.here") : session.address),
      h("span", { class: "soft" }, session.agent.slice(0, 80)),
      h("span", { class: "soft" }, seen),
    ),
    session.current ? null : textButton(t("account.end"), () => void end(), "button-small"),
  );
}
