/** The frame of a form whose fields say themselves what is wrong: it sends in place of the browser. */

import { type Child, h } from "../dom";

/** Build a form that calls `send` when it is submitted; `kind` is a further class. */
export const formFrame = (send: () => Promise<void>, kind: string, ...children: Child[]): HTMLFormElement =>
  h(
    "form",
    {
      class: `form ${kind}`.trimEnd(),
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        void send();
      },
    },
    ...children,
  );
