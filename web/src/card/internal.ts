/** What only the office reads: asked with the name and token of this browser, which are asked for where the server wants them. */

import { ApiError, request } from "../api";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { failure, loading, textButton } from "../panels/parts";
import { askWriter, readAuthor, sign, write } from "../writing";

const REFUSED: readonly number[] = [401, 403];

/** Read what the server may keep for those who write. */
export const readInternal = <T>(path: string): Promise<T> =>
  readAuthor() ? write<T>("GET", path, null) : request<T>(path);

/** Files that were fetched with a token, by their address on the server. */
const fetched = new Map<string, string>();

/** Return an address at which the browser shows a file of the office; with a token the file is fetched first. */
export async function addressOf(path: string): Promise<string> {
  const headers = sign({ headers: { accept: "*/*" } });
  if (!headers["authorization"]) return path;
  const known = fetched.get(path);
  if (known) return known;
  const response = await fetch(path, { headers });
  if (!response.ok) throw new ApiError(response.status, `${response.status} ${response.statusText}`);
  const address = URL.createObjectURL(await response.blob());
  fetched.set(path, address);
  return address;
}

/** Say that something is for the office only, and offer to say who one is. */
function locked(retry: () => void): HTMLElement {
  const enter = async (): Promise<void> => {
    if (await askWriter()) retry();
  };
  return h(
    "div",
    { class: "message" },
    h("span", {}, t("item.locked")),
    textButton(t("item.unlock"), () => void enter(), "button-small"),
  );
}

/** Fill a holder with what `build` makes of an answer; waiting, refusal and failure are said in it. */
export async function fill<T>(
  holder: HTMLElement,
  read: () => Promise<T>,
  build: (answer: T) => Node | null,
): Promise<void> {
  const again = (): void => void fill(holder, read, build);
  replace(holder, loading());
  try {
    replace(holder, build(await read()));
  } catch (error) {
    const refused = error instanceof ApiError && REFUSED.includes(error.status);
    replace(holder, refused ? locked(again) : failure(error, again));
  }
}
