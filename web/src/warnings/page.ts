/** Which page of the desk of warnings is open; it lives in the link. */

import { makeSlice } from "../slices";

export type Page =
  | { at: "list" }
  | { at: "new" }
  | { at: "draft"; draft: number }
  | { at: "alert"; identifier: string }
  | { at: "update"; identifier: string };

const LIST: Page = { at: "list" };

function readPage(text: string | null): Page {
  if (text === "new") return { at: "new" };
  const [at, ...rest] = (text ?? "").split(":");
  const name = rest.join(":");
  if (at === "draft" && /^\d{1,15}$/.test(name)) return { at, draft: Number(name) };
  return (at === "alert" || at === "update") && name ? { at, identifier: name } : LIST;
}

function writePage(page: Page): string | null {
  if (page.at === "list") return null;
  if (page.at === "new") return "new";
  return page.at === "draft" ? `draft:${page.draft}` : `${page.at}:${page.identifier}`;
}

export const page = makeSlice<Page>("warning", readPage, writePage);
