/** Keys of one character: "/" goes to the search, "?" lists the keys. They can be turned off. */

const STORED = "twin.keys";

export const areKeysOn = (): boolean => localStorage.getItem(STORED) !== "off";

export function setKeysOn(on: boolean): void {
  if (on) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, "off");
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Call what belongs to a key, unless somebody types, or a dialog is open. */
export function listenToKeys(run: Record<string, () => void>): void {
  document.addEventListener("keydown", (event) => {
    const act = run[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || !areKeysOn()) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  });
}
