// What a task that wrote datasets says of the lines that it rejected: read from its output, whatever stage it was. Pure.

/** What was read into one dataset. */
export interface Rejections {
  read: number | null;
  rejected: number;
  byKind: [string, number][];
  /** The file that holds the rejected lines. */
  file: string | null;
  duplicates: number | null;
}

const KINDS: Record<string, string> = {
  bad_header: "the movie of a header is no number",
  no_movie: "a row above every header",
  under_bad_header: "a row below a header that could not be read",
  field_count: "not three fields",
  bad_id: "the user is no number",
  bad_rating: "no number of whole or half stars",
  rating_out_of_range: "stars outside the range",
  impossible_date: "no such day",
};

/** A kind of rejection in words. */
export function kind(name: string): string {
  return KINDS[name] ?? name.replaceAll("_", " ");
}

/** The part of `output` that is about the dataset at `path`, at most two levels down, if it counts rejected lines. */
export function rejections(output: unknown, path: string): Rejections | null {
  const of = find(output, path, 2);
  if (!of) return null;
  const number = (name: string) => (typeof of[name] === "number" ? (of[name] as number) : null);
  const byKind = typeof of.rejected_by_kind === "object" && of.rejected_by_kind !== null ? Object.entries(of.rejected_by_kind as Record<string, unknown>) : [];
  return {
    read: number("read"),
    rejected: number("rejected") ?? 0,
    byKind: byKind.flatMap(([name, count]): [string, number][] => (typeof count === "number" ? [[name, count]] : [])).sort((a, b) => b[1] - a[1]),
    file: typeof of.rejects_file === "string" ? of.rejects_file : null,
    duplicates: number("duplicates"),
  };
}

function find(value: unknown, path: string, depth: number): Record<string, unknown> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const fields = value as Record<string, unknown>;
  if (typeof fields.rejected === "number" && (fields.path === path || fields.path === undefined)) return fields;
  if (depth === 0) return null;
  for (const inner of Object.values(fields)) {
    const found = find(inner, path, depth - 1);
    if (found) return found;
  }
  return null;
}
