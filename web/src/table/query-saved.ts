/** The queries that the server keeps: open, save, rename, take away, hand on as a link or as a feed. */

import { ApiError } from "../api";
import { findVectorLayer } from "../data";
import { fold, h, replace } from "../dom";
import { formatShortDateTime } from "../format";
import { explain, say, t } from "../i18n";
import { confirmAction, openDialog } from "../panels/dialog";
import { notify } from "../panels/notice";
import { empty, failure, loading, textButton } from "../panels/parts";
import type { Words } from "../types";
import { openMenu } from "./popup";
import {
  changeQuery,
  createQuery,
  deleteQuery,
  listQueries,
  putQuery,
  type Query,
  query,
  type SavedQuery,
} from "./query";

const LONGEST_ID = 60;

/** Return the name that stands in the address of a query: small letters, digits and hyphens. */
function slugOf(title: string): string {
  const slug = fold(title).replaceAll(/[^a-z0-9]+/g, "-");
  return slug.slice(0, LONGEST_ID).replaceAll(/^-+|-+$/g, "") || "query";
}

/** Return the link that opens a kept query. */
function linkOf(id: string): string {
  const hash = new URLSearchParams({ tab: "inventory", job: "query", query: JSON.stringify({ saved: id }) });
  return `${location.origin}${location.pathname}#${hash}`;
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(t("query.copied"));
  } catch {
    notify(text);
  }
}

/** Ask for the title; `save` may fail, and the dialog then says why. */
function askTitle(heading: string, title: Words, save: (title: Words) => Promise<void>): void {
  openDialog(heading, (close) => {
    const problem = h("p", { class: "field-error", role: "alert" });
    const field = (name: "vi" | "en", label: string): HTMLElement =>
      h(
        "label",
        { class: "field" },
        h("span", { class: "field-label" }, label),
        h("input", {
          name,
          class: "input",
          value: title[name],
          maxlength: 200,
          required: name === "vi",
          autocomplete: "off",
        }),
      );
    const form = h(
      "form",
      {
        class: "form",
        onsubmit: (event) => {
          event.preventDefault();
          const words = new FormData(form);
          const vi = String(words.get("vi")).trim();
          if (!vi) return;
          save({ vi, en: String(words.get("en")).trim() || vi }).then(close, (error: unknown) => {
            problem.textContent = explain(error);
          });
        },
      },
      field("vi", t("query.titleVi")),
      field("en", t("query.titleEn")),
      problem,
      h(
        "div",
        { class: "dialog-actions" },
        textButton(t("app.cancel"), close),
        h("button", { type: "submit", class: "button button-primary" }, t("query.save")),
      ),
    );
    return form;
  });
}

/** Build the list of kept queries; `show` reads it. */
export function savedQueries(): { element: HTMLElement; show: () => void; save: () => void; update: () => void } {
  const element = h("div", { "aria-live": "polite" });
  let list: SavedQuery[] = [];

  const open = ({ id, collection, filter }: SavedQuery): void =>
    changeQuery({ layer: collection, filter: filter ?? "", saved: id });
  const rename = (saved: SavedQuery): void =>
    askTitle(t("query.rename"), saved.title, async (title) => {
      await putQuery(saved.id, title, saved.collection, saved.filter ?? "");
      show();
    });
  const remove = async (saved: SavedQuery): Promise<void> => {
    const title = say(saved.title);
    if (!(await confirmAction(t("query.delete"), t("query.deleteWords", { title }), t("query.delete")))) return;
    try {
      await deleteQuery(saved.id);
      if (query.get().saved === saved.id) changeQuery({ saved: null });
      show();
      const again = async (): Promise<void> => {
        await createQuery(saved.id, saved.title, saved.collection, saved.filter ?? "");
        show();
      };
      const run = (): void => void again().catch((error: unknown) => notify(explain(error)));
      notify(t("query.deleted", { title }), { label: t("query.undo"), run });
    } catch (error) {
      notify(explain(error));
    }
  };
  const menu = (saved: SavedQuery, anchor: Element): void =>
    openMenu(anchor, say(saved.title), [
      { label: t("query.copyLink"), run: () => void copy(linkOf(saved.id)) },
      {
        label: t("query.copyFeed"),
        run: () => void copy(`${location.origin}/api/queries/${encodeURIComponent(saved.id)}/items`),
      },
      { label: t("query.rename"), run: () => rename(saved) },
      { label: t("query.delete"), run: () => void remove(saved) },
    ]);
  const line = (saved: SavedQuery): HTMLElement => {
    const more = h(
      "button",
      {
        type: "button",
        class: "grid-more",
        "aria-haspopup": "menu",
        "aria-label": t("query.more", { title: say(saved.title) }),
        onclick: (event) => menu(saved, event.currentTarget as Element),
      },
      "⋯",
    );
    return h(
      "li",
      { class: "query-saved" },
      h(
        "button",
        {
          type: "button",
          class: "query-open",
          "aria-pressed": String(query.get().saved === saved.id),
          onclick: () => open(saved),
        },
        h("span", {}, say(saved.title)),
        h(
          "span",
          { class: "soft" },
          [
            say(findVectorLayer(saved.collection)?.title, saved.collection),
            saved.author,
            formatShortDateTime(saved.changed),
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
      more,
    );
  };
  const update = (): void => {
    if (list.length === 0) replace(element, empty(t("query.noneSaved")));
    else replace(element, h("ul", { class: "query-list" }, ...list.map(line)));
  };
  const show = (): void => {
    if (list.length === 0) replace(element, loading());
    listQueries().then(
      (found) => {
        list = found;
        update();
      },
      (error: unknown) => replace(element, failure(error, show)),
    );
  };
  /** Keep the query: in place of the one it came from, or under a new name. */
  const save = (): void => {
    const { layer, filter, saved } = query.get();
    const known = list.find(({ id }) => id === saved);
    const keep = async (title: Words): Promise<void> => {
      const isSame = known && title.vi === known.title.vi;
      const { id } = isSame ? await putQuery(known.id, title, layer, filter) : await createNew(title, layer, filter);
      changeQuery({ saved: id });
      notify(t("query.kept", { title: say(title) }), { label: t("query.copyLink"), run: () => void copy(linkOf(id)) });
      show();
    };
    askTitle(t("query.saveTitle"), known?.title ?? { vi: "", en: "" }, keep);
  };
  return { element, show, save, update };
}

/** Keep a query under a name that is free. */
async function createNew(title: Words, layer: string, filter: Query["filter"]): Promise<SavedQuery> {
  const slug = slugOf(title.vi);
  for (let count = 1; ; count++) {
    try {
      return await createQuery(count > 1 ? `${slug}-${count}` : slug, title, layer, filter);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || count > 9) throw error;
    }
  }
}
