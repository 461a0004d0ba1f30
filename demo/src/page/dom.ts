// Small helpers over the page's own elements.

import type { Section } from "../../../src/browser.js";

/** The element with an id, of a kind. Throws where the page lacks it: a fault of the program. */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

export const button = (id: string) => find(id, HTMLButtonElement);

export function text(id: string, value: string): void {
  find(id, HTMLElement).textContent = value;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  content: string | readonly Node[] = "",
  className = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.append(...(typeof content === "string" ? [content] : content));
  if (className) made.className = className;
  return made;
}

/** Fills a list of terms and their texts. */
export function fillTerms(id: string, terms: readonly (readonly [string, string])[]): void {
  find(id, HTMLElement).replaceChildren(
    ...terms.flatMap(([term, value]) => [element("dt", term), element("dd", value)]),
  );
}

export function fillSelect(select: HTMLSelectElement, options: readonly (readonly [string, string])[]): void {
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
}

/** A titled table of a report, as the command line prints it. */
export function sectionTable({ title, columns, rows, notes }: Section): HTMLElement {
  const table = element("table");
  table.append(element("caption", title));
  const head = columns.map(({ label, align }) => {
    const cell = element("th", label, align);
    cell.scope = "col";
    return cell;
  });
  const body = rows.map((row) =>
    element(
      "tr",
      row.map((cell, i) => element("td", cell, columns[i]?.align ?? "left")),
    ),
  );
  table.append(element("thead", [element("tr", head)]), element("tbody", body));
  const below = notes.map((note) => element("p", note, "hint"));
  return element("div", [table, ...below], "scroll");
}

/** Tables one after another, each in a turn of its own: a long report must not hold the page up. */
export async function appendTables(place: HTMLElement, sections: readonly Section[]): Promise<void> {
  for (const section of sections) {
    place.append(sectionTable(section));
    await turn();
  }
}

/** With its full stop, so that another sentence can follow. */
export const sentence = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`);

/** Ends this task; the browser may draw and take input before the next one. */
export const turn = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

/** Three significant digits. Thousands without Intl, whose first use alone takes some 20 ms. */
export const digits = (value: number): string =>
  value >= 1000 ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",") : String(Number(value.toPrecision(3)));

export const megabytes = (bytes: number): string => `${digits(bytes / 1e6)} MB`;
