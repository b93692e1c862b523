// What the system pages compute. Pure.

import { duration, plural } from "../../lib/format";

/** How long something is kept: in days where it is at least one. */
export function days(seconds: number): string {
  return seconds < 86_400 ? duration(seconds) : plural(Math.round(seconds / 86_400), "day");
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
