// A report is a list of sections: titled tables whose cells are text already. Table, Markdown and HTML print the same
// sections; only their dress differs.

export interface Column {
  readonly label: string;
  /** Numbers stand right, names left. */
  readonly align: "left" | "right";
  /** The column is left out when every row has this text. */
  readonly hideWhen?: string;
}

export interface Section {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** Plain sentences under the table. */
  readonly notes: readonly string[];
}

export function left(label: string, hideWhen?: string): Column {
  return hideWhen === undefined ? { label, align: "left" } : { label, align: "left", hideWhen };
}

export function right(label: string, hideWhen?: string): Column {
  return hideWhen === undefined ? { label, align: "right" } : { label, align: "right", hideWhen };
}

/** The section without the columns that only repeat their default. */
export function withoutDefaults(section: Section): Section {
  const kept = section.columns.flatMap(({ hideWhen }, index) =>
    hideWhen !== undefined && section.rows.every((row) => row[index] === hideWhen) ? [] : [index],
  );
  return {
    ...section,
    columns: kept.map((index) => section.columns[index] as Column),
    rows: section.rows.map((row) => kept.map((index) => row[index] as string)),
  };
}
