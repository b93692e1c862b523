// What the system pages compute. Pure.

import { bytes, duration } from "../../lib/format";
import { plain, words } from "../../lib/figures";

/** The members of an object as names and texts, nested ones by their path; sizes and durations by the ending of their name. */
export function listed(value: unknown, before = ""): [string, string][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): [string, string][] => {
    const name = before === "" ? words(key) : `${before}, ${key.replaceAll("_", " ")}`;
    if (inner === null || inner === undefined) return [];
    if (typeof inner === "object") return listed(inner, name);
    return [[title(name), shown(key, inner)]];
  });
}

function title(name: string): string {
  return name.replace(/ (bytes|seconds|ms)$/, "");
}

function shown(key: string, value: unknown): string {
  if (typeof value !== "number") return String(value);
  if (/(^|_)bytes(_|$)/.test(key)) return bytes(value);
  if (/(^|_)seconds$/.test(key)) return duration(value);
  if (/_ms$/.test(key)) return duration(value / 1000);
  return plain(value);
}

/** What a password must be, by the same rule as the server's: null if it will do. */
export function wrongWith(password: string, again: string): string | null {
  if ([...password].length < 12) return "at least 12 characters";
  return password === again ? null : "the two are not the same";
}

/** The instant `days` from `now`, RFC 3339; null for no end. */
export function expiry(days: number, now: Date): string | null {
  return days > 0 ? new Date(now.getTime() + days * 86_400_000).toISOString() : null;
}
