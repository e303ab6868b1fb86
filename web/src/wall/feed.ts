/** The line to the server: indicators and alarms as they change; asked for now and then while the line is down. */

import { type Indicator, readIndicators } from "./indicator";

export type Line = "live" | "polling" | "lost";

export interface Listening {
  /** Indicators that changed. */
  indicators: (changed: Indicator[]) => void;
  /** An alarm took a step. */
  alarm: () => void;
  line: (line: Line) => void;
}

const CHECK_MS = 5_000;
const POLL_MS = 15_000;
/** The server says something every fifteen seconds. */
const SILENCE_MS = 40_000;
const AGAIN_MS = 10_000;

/** Follow indicators, all or those of `ids`, for as long as the page lives. */
export function followIndicators(told: Listening, ids: readonly string[] = []): void {
  const query = ids.length > 0 ? `?ids=${ids.map(encodeURIComponent).join(",")}` : "";
  let source: EventSource | null = null;
  let heard = Date.now();
  let opened = 0;
  let polled = 0;
  let line: Line | null = null;

  const say = (next: Line): void => {
    if (next === line) return;
    line = next;
    told.line(next);
  };
  const hear = (): void => {
    heard = Date.now();
    say("live");
  };
  const open = (): void => {
    source?.close();
    opened = Date.now();
    source = new EventSource(`/indicators/events${query}`);
    source.addEventListener("indicators", (event) => {
      hear();
      told.indicators((JSON.parse(event.data) as { indicators: Indicator[] }).indicators);
    });
    source.addEventListener("beat", hear);
    source.addEventListener("alarm", () => {
      hear();
      told.alarm();
    });
    source.addEventListener("error", () => {
      heard = 0;
      void poll();
    });
  };
  const poll = async (): Promise<void> => {
    if (Date.now() - polled < POLL_MS) return;
    polled = Date.now();
    try {
      told.indicators(await readIndicators(query));
      told.alarm();
      if (Date.now() - heard > SILENCE_MS) say("polling");
    } catch {
      say("lost");
    }
  };
  open();
  setInterval(() => {
    if (Date.now() - heard < SILENCE_MS) return;
    void poll();
    // The browser takes a broken line up again by itself; one that was refused or fell silent it does not.
    const idle = source?.readyState !== EventSource.CONNECTING;
    if (idle && Date.now() - opened > AGAIN_MS) open();
  }, CHECK_MS);
}
