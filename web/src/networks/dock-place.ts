/** Where the long profile lies: over the map on a wide screen, in the sheet on a phone. */

const PHONE = "(max-width: 640px)";

/** Put the drawing on the page; `sheet` holds it on a phone. */
export function placeDock(dock: HTMLElement, sheet: HTMLElement): void {
  const holder = matchMedia(PHONE).matches ? sheet : (document.getElementById("app") ?? sheet);
  holder.append(dock);
  document.documentElement.classList.add("has-profile");
}

export function takeDock(dock: HTMLElement): void {
  if (!dock.isConnected) return;
  dock.remove();
  document.documentElement.classList.remove("has-profile");
}
