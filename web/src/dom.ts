/** Small builders of DOM nodes; the whole user interface is made of them. */

export type Child = Node | string | number | null | undefined | false;

type Listener = (event: Event) => void;
type Attribute = string | number | boolean | null | undefined | Listener;

/** Build an element: `on…` attributes are listeners, true sets a bare attribute, false and null leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else write(element, name, value === true ? "" : String(value));
  }
  append(element, ...children);
  return element;
}

/** Write an attribute; a style by its declarations: the page's policy takes no attribute of that name. */
function write(element: HTMLElement | SVGElement, name: string, value: string): void {
  if (name === "style") element.style.cssText = value;
  else element.setAttribute(name, value);
}

export function append(element: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "number" ? String(child) : child);
  }
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, ...children);
}

/** Strip diacritics and case, so that "song hau" finds "Sông Hậu" and "duong" finds "Đường". */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
}

/** Build an element of a drawing. */
export function svg(tag: string, attributes: Record<string, string | number>, ...children: Child[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) write(element, name, String(value));
  append(element, ...children);
  return element;
}
