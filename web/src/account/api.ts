/** The addresses below /auth. */

import { request } from "../api";

export interface Key {
  id: string;
  title: string;
  roles: string[];
  scopes: string[] | null;
  owner: string | null;
  device: string | null;
  thing: string | null;
  gateway: boolean;
  created: string;
  until: string | null;
  used: string | null;
  revoked: string | null;
}

export interface Session {
  id: string;
  address: string;
  agent: string;
  seen: string;
  current: boolean;
}

const send = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  request<T>(path, {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

export const signIn = (name: string, password: string, code: string): Promise<void> =>
  send("POST", "/auth/sign-in", { name, password, code });

export const signOut = (everywhere: boolean): Promise<{ next: string | null }> =>
  send("POST", `/auth/sign-out${everywhere ? "?everywhere=true" : ""}`);

export const changePassword = (old: string, fresh: string): Promise<void> =>
  send("POST", "/auth/password", { old, new: fresh });

export const beginCode = (): Promise<{ secret: string; link: string }> => send("POST", "/auth/code");

export const confirmCode = (code: string): Promise<{ recovery: string[] }> =>
  send("POST", "/auth/code/confirm", { code });

export const readKeys = async (): Promise<Key[]> => (await send<{ keys: Key[] }>("GET", "/auth/keys")).keys;

export const makeKey = (title: string, roles: string[], wards: string[], scopes: string[]): Promise<{ key: string }> =>
  send("POST", "/auth/keys", { title, roles, wards, scopes });

export const revokeKey = (id: string): Promise<void> => send("DELETE", `/auth/keys/${encodeURIComponent(id)}`);

export const readSessions = async (): Promise<Session[]> =>
  (await send<{ sessions: Session[] }>("GET", "/auth/sessions")).sessions;

export const endSession = (id: string): Promise<void> => send("DELETE", `/auth/sessions/${encodeURIComponent(id)}`);
