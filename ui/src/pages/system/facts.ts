// What the system pages compute. Pure.

import { duration, plural } from "../../lib/format";

/** How long something is kept: in days where it is at least one. */
export function days(seconds: number): string {
  return seconds < 86_400 ? duration(seconds) : plural(Math.round(seconds / 86_400), "day");
}

/** The shortest password. */
export const CHARACTERS_MIN = 10;

/** What a password must be, by the same rule as the server's: null if it will do. */
export function wrongWith(password: string, again: string): string | null {
  if ([...password].length < CHARACTERS_MIN) return `at least ${CHARACTERS_MIN} characters`;
  return password === again ? null : "the two are not the same";
}
