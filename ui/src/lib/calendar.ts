// A month as weeks of days, in the zone that times are shown in.

import { type Zone, day } from "./time";

/** `2027-03`. */
export type Month = string;

/** The days of the month's weeks, Monday first, as `2027-03-01`; those of its neighbours fill the first and the last week. */
export function weeks(month: Month): string[][] {
  const [year = 1970, number = 1] = month.split("-").map(Number);
  const first = new Date(Date.UTC(year, number - 1, 1));
  const lead = (first.getUTCDay() + 6) % 7;
  const days = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: Math.ceil((lead + days) / 7) }, (_, week) =>
    Array.from({ length: 7 }, (_, weekday) => new Date(Date.UTC(year, number - 1, 1 - lead + week * 7 + weekday)).toISOString().slice(0, 10)),
  );
}

/** `2027-03` and 1 are `2027-04`. */
export function addMonths(month: Month, by: number): Month {
  const [year = 1970, number = 1] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

/** `2027-03`, or what `now` is in if it is no month. */
export function monthOr(text: string, now: Date, zone: Zone): Month {
  return /^(19|20)\d{2}-(0[1-9]|1[0-2])$/.test(text) ? text : day(now, zone).slice(0, 7);
}

/** Instants that hold the weeks of a month in any zone. */
export function span(month: Month): { from: Date; to: Date } {
  const days = weeks(month).flat();
  const hours = (date: string | undefined, by: number) => new Date(Date.parse(`${date}T00:00:00Z`) + by * 3_600_000);
  return { from: hours(days[0], -14), to: hours(days.at(-1), 24 + 14) };
}

/** What lies on each day. */
export function byDay<T>(items: T[], at: (item: T) => string, zone: Zone): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = day(new Date(at(item)), zone);
    found.set(key, [...(found.get(key) ?? []), item]);
  }
  return found;
}
