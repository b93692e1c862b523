// What the pages about models compute: names, the order of versions, marks of a trend, differences of two versions. Pure.

import type { Mark } from "../../charts/model";
import type { ModelVersion, Promotion } from "../../api/models";

/** `version_20250301_031500_001` as `2025-03-01 03:15:00 (1)`; another name as it is. */
export function versionName(version: string): string {
  const parts = /^version_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)(?:_0*(\d+))?$/.exec(version);
  if (!parts) return version;
  const [, year, month, day, hour, minute, second, again] = parts;
  return `${year}-${month}-${day} ${hour}:${minute}:${second}${again ? ` (${again})` : ""}`;
}

/** Names for an axis, as short as they can be while neighbours differ: `03-01`, `03-01 03:15`, or `03:15:00`. */
export function axisNames(versions: string[]): string[] {
  const whole = versions.map(versionName);
  const differ = (names: string[]) => names.every((name, place) => name !== names[place - 1]);
  const [days, minutes] = [whole.map((name) => name.slice(5, 10)), whole.map((name) => name.slice(5, 16))];
  const short = differ(days) ? days : differ(minutes) ? minutes : whole.map((name) => name.slice(11, 19));
  return versions.map((version, place) => (whole[place] === version ? version.slice(-11) : (short[place] ?? version)));
}

/** Oldest first: by when they were published, then by name. */
export function byAge(versions: ModelVersion[]): ModelVersion[] {
  return versions.toSorted((a, b) => (a.created_at ?? "").localeCompare(b.created_at ?? "") || a.version.localeCompare(b.version));
}

/** What was decided for `versions` (in their order on the axis), the oldest decision first. */
export function promotionMarks(versions: ModelVersion[], decisions: Promotion[]): Mark[] {
  const place = new Map(versions.map((one, index) => [one.version, index]));
  return decisions
    .filter((one) => one.promoted && place.has(one.version))
    .toSorted((a, b) => a.number - b.number)
    .map((one) => ({
      index: place.get(one.version) ?? 0,
      label: one.decision === "rollback" ? "rolled back to" : one.decision === "person" ? "promoted by a person" : "promoted",
      symbol: one.decision === "rollback" ? "↺" : "▲",
    }));
}

/** A row of a comparison by name. */
export interface Difference {
  name: string;
  a: string;
  b: string;
  differs: boolean;
}

/** The members of two objects side by side, by name; values as JSON without quotes around text. */
export function differences(a: Record<string, unknown> | null, b: Record<string, unknown> | null): Difference[] {
  const names = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].sort();
  return names.map((name) => {
    const [left, right] = [text(a?.[name]), text(b?.[name])];
    return { name, a: left, b: right, differs: left !== right };
  });
}

/** A value of a parameter as text. */
export function text(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The run and task of `run/task/generation`; null if no run did it, as with what a person promoted. */
export function work(publishKey: string | null | undefined): { run: string; task: string } | null {
  const [run, task, generation, ...rest] = (publishKey ?? "").split("/");
  if (!run || !task || generation === undefined || rest.length > 0 || run.startsWith("cli-") || run.startsWith("api-")) return null;
  return { run, task };
}

/** A rating of a person that the model does not know. */
export interface NewRating {
  item: string;
  rating: number;
}

/**
 * Ratings typed as `30=5, 191=2`: commas, semicolons or lines between them, `=` or `:` or a blank inside. The last one of an item counts.
 * An item that is a whole number and nothing else is sent as one; what cannot be read is named.
 */
export function parseRatings(typed: string): { ratings: NewRating[]; wrong: string[] } {
  const ratings = new Map<string, number>();
  const wrong: string[] = [];
  for (const piece of typed.split(/[,;\n]/).map((one) => one.trim())) {
    if (piece === "") continue;
    const parts = /^(.+?)\s*[=:\s]\s*(\d+(?:\.\d+)?)$/.exec(piece);
    const [item, rating] = [parts?.[1]?.trim(), Number(parts?.[2])];
    if (!item || !Number.isFinite(rating)) wrong.push(piece);
    else ratings.set(item, rating);
  }
  return { ratings: [...ratings].map(([item, rating]) => ({ item, rating })), wrong };
}

/** Pairs typed as `1488844 30` on lines or between commas. */
export function parsePairs(typed: string): { pairs: { user: string; item: string }[]; wrong: string[] } {
  const pairs: { user: string; item: string }[] = [];
  const wrong: string[] = [];
  for (const piece of typed.split(/[,;\n]/).map((one) => one.trim())) {
    if (piece === "") continue;
    const [user, item, ...rest] = piece.split(/[\s:=/]+/);
    if (user && item && rest.length === 0) pairs.push({ user, item });
    else wrong.push(piece);
  }
  return { pairs, wrong };
}

/** An id as the API takes it: a number where it is one, text otherwise. */
export function id(typed: string): string | number {
  return /^(0|[1-9]\d{0,9})$/.test(typed) ? Number(typed) : typed;
}
