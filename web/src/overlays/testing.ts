/** Whether an address answers: fetched as a client would, and given up once it is clear. */

export interface Answer {
  ok: boolean;
  status: number;
  milliseconds: number;
  type: string;
  /** What went wrong, in the words of the server. */
  detail: string;
}

const PATIENCE_MS = 30_000;

/** Fetch the beginning of an answer. Nothing there (204) is an answer too. */
export async function testLink(url: string): Promise<Answer> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  const begun = performance.now();
  try {
    const response = await fetch(url, { signal: stop.signal, cache: "no-store" });
    const milliseconds = Math.round(performance.now() - begun);
    const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
    let detail = "";
    if (!response.ok && type.includes("json")) detail = ((await response.json()) as { detail?: string }).detail ?? "";
    return { ok: response.ok, status: response.status, milliseconds, type, detail };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, status: 0, milliseconds: Math.round(performance.now() - begun), type: "", detail };
  } finally {
    clearTimeout(timer);
    // A stream never ends by itself, and of a file the beginning is enough.
    stop.abort();
  }
}
