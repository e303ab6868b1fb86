/** Writing to the server: who, why, against which version. */

import { hasAccounts, isSignedIn, lastMe, readMe, refreshMe } from "./account/me";
import { ApiError, request } from "./api";
import { h } from "./dom";
import { t } from "./i18n";
import { openDialog } from "./panels/dialog";
import { textButton } from "./panels/parts";

const AUTHOR_KEY = "twin.author";
const TOKEN_KEY = "twin.token";
const FORBIDDEN = 403;
const UNAUTHORISED: readonly number[] = [401, FORBIDDEN];

export interface Writing {
  reason?: string;
  /** Version that was read; the server refuses with 412 where another was written since. */
  etag?: string;
  headers?: Record<string, string>;
}

/** The name under which this browser writes: who signed in, else the name that was given; empty without either. */
export function readAuthor(): string {
  const me = lastMe();
  return (me && isSignedIn(me) ? me.name : localStorage.getItem(AUTHOR_KEY)) ?? "";
}

function field(label: string, name: string, type: string, value: string, hint: string | null): HTMLElement {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    h("input", { type, name, value, class: "input", autocomplete: "off", required: name === "author", maxlength: 200 }),
    hint ? h("span", { class: "soft note" }, hint) : null,
  );
}

/** Ask to sign in where there are accounts, else for a name and perhaps a token; false where the person gave up. */
export async function askWriter(refused: string | null = null): Promise<boolean> {
  const me = await readMe().catch(() => null);
  if (!hasAccounts(me)) return askName(refused);
  const { askSignIn } = await import("./account/dialog");
  return askSignIn(t("account.forWriting"));
}

function askName(refused: string | null): Promise<boolean> {
  return new Promise((resolve) => {
    let given = false;
    openDialog(
      t("writer.title"),
      (close) => {
        const form = h(
          "form",
          {
            class: "form",
            onsubmit: (event) => {
              event.preventDefault();
              const words = new FormData(form);
              localStorage.setItem(AUTHOR_KEY, String(words.get("author")).trim());
              // The token ends with the browser's tab.
              const token = String(words.get("token")).trim();
              if (token) sessionStorage.setItem(TOKEN_KEY, token);
              else sessionStorage.removeItem(TOKEN_KEY);
              given = true;
              close();
            },
          },
          refused
            ? h("p", { class: "field-error", role: "alert" }, refused)
            : h("p", { class: "soft" }, t("writer.why")),
          field(t("writer.name"), "author", "text", readAuthor(), null),
          field(t("writer.token"), "token", "password", sessionStorage.getItem(TOKEN_KEY) ?? "", t("writer.tokenHint")),
          h(
            "div",
            { class: "dialog-actions" },
            textButton(t("app.cancel"), close),
            h("button", { type: "submit", class: "button button-primary" }, t("writer.go")),
          ),
        );
        return form;
      },
      () => resolve(given),
    );
  });
}

/** Return the headers that say who writes; a session says it by its cookie. */
export function sign({ reason, etag, headers }: Writing): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return {
    accept: "application/json",
    "Twin-Author": encodeURIComponent(readAuthor()),
    ...(reason ? { "Twin-Reason": encodeURIComponent(reason) } : {}),
    ...(etag ? { "If-Match": etag } : {}),
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...headers,
  };
}

/** Thrown where the person did not want to say who writes. */
export class NotWritten extends Error {
  constructor() {
    super(t("writer.stopped"));
  }
}

/**
 * Send a change. A plain object is sent as JSON, a Blob or File as it is. Throws {@link ApiError} as reading does, and
 * {@link NotWritten} where the person gave no name.
 */
export async function write<T>(method: string, path: string, body: unknown, writing: Writing = {}): Promise<T> {
  const me = await readMe().catch(() => null);
  if (!readAuthor() && !(await askWriter())) throw new NotWritten();
  const plain = body instanceof Blob || body === null || body === undefined;
  const type: Record<string, string> = plain ? {} : { "content-type": "application/json" };
  for (;;) {
    const init: RequestInit = { method, headers: { ...type, ...sign(writing) } };
    if (body !== null && body !== undefined) init.body = plain ? (body as Blob) : JSON.stringify(body);
    try {
      return await request<T>(path, init);
    } catch (error) {
      if (!(error instanceof ApiError) || !UNAUTHORISED.includes(error.status)) throw error;
      // Who is known and may not do it is not asked again who it is.
      if (hasAccounts(me) && error.status === FORBIDDEN && isSignedIn(await refreshMe())) throw error;
      if (!(await askWriter(error.message))) throw error;
    }
  }
}
