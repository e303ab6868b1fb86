/** Who sits in front of this page, as the server knows it: asked once, and again when that changes. */

import { request } from "../api";
import type { Words } from "../types";

export interface Me {
  subject: string;
  name: string;
  /** How the server knows: none, local, token, key, session. */
  via: string;
  roles: { id: string; title: Words }[];
  wards: string[];
  actions: string[];
  /** What is missing before the roles count, such as a second factor. */
  needs: string[];
  signIn: { password: boolean; openid: string | null };
  account?: string;
  signedInBy?: string;
  code?: boolean;
}

let asked: Promise<Me> | null = null;
let known: Me | null = null;
const watchers = new Set<(me: Me) => void>();

/** Return who asks; where the server cannot say, it is tried again the next time. */
export function readMe(): Promise<Me> {
  if (!asked) {
    asked = request<Me>("/auth/me");
    asked.then(
      (me) => {
        known = me;
        for (const tell of watchers) tell(me);
      },
      () => {
        asked = null;
      },
    );
  }
  return asked;
}

/** Ask anew, after somebody signed in or out. */
export function refreshMe(): Promise<Me> {
  asked = null;
  return readMe();
}

/** What was told last; null before the first answer. */
export const lastMe = (): Me | null => known;

export const isSignedIn = (me: Me | null): boolean => me?.via === "session";

/** Whether people sign in at this server, rather than being trusted by where they are. */
export const hasAccounts = (me: Me | null): boolean =>
  me !== null && me.via !== "local" && (me.signIn.password || me.signIn.openid !== null);

/** Whether a button for an action is worth showing: hidden only from who signed in and may not. */
export const may = (action: string): boolean => known === null || !isSignedIn(known) || known.actions.includes(action);

/** Call `tell` whenever it becomes known who asks. */
export function watchMe(tell: (me: Me) => void): void {
  watchers.add(tell);
  if (known) tell(known);
}
