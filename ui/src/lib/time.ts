// Instants as RFC 3339 in UTC from the API; shown in the viewer's zone, or in UTC on request.

import { useEffect, useState } from "preact/hooks";

export type Zone = "local" | "utc";

const KEY = "recflow.zone";
let zone: Zone = read();

function read(): Zone {
  try {
    return localStorage.getItem(KEY) === "utc" ? "utc" : "local";
  } catch {
    return "local";
  }
}

export function setZone(to: Zone): void {
  zone = to;
  try {
    localStorage.setItem(KEY, to);
  } catch {
    // It holds for this page alone.
  }
  document.dispatchEvent(new Event("zonechange"));
}

/** The zone that times are shown in now. */
export function useZone(): Zone {
  const [now, setNow] = useState(zone);
  useEffect(() => {
    const listener = () => setNow(zone);
    document.addEventListener("zonechange", listener);
    return () => document.removeEventListener("zonechange", listener);
  }, []);
  return now;
}

/** IANA name, undefined for the viewer's own. */
function timeZone(of: Zone): string | undefined {
  return of === "utc" ? "UTC" : undefined;
}

interface Parts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
  zone: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a clock on the wall shows at `at`. `name` is an IANA zone. */
export function wall(at: Date, name?: string): Parts {
  const key = name ?? "";
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      ...(name ? { timeZone: name } : {}),
      year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
    });
    formats.set(key, format);
  }
  const found = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (type: string) => found[type] ?? "";
  return { year: part("year"), month: part("month"), day: part("day"), hour: part("hour"), minute: part("minute"), second: part("second"), zone: part("timeZoneName") };
}

/** `2027-03-27 02:00:05`. */
export function full(at: Date, of: Zone): string {
  const p = wall(at, timeZone(of));
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/** `2027-03-27`. */
export function day(at: Date, of: Zone): string {
  const p = wall(at, timeZone(of));
  return `${p.year}-${p.month}-${p.day}`;
}

/** Without what goes without saying: `14:05:09` today, `03-27 14:05` this year, else with the year. */
export function short(at: Date, now: Date, of: Zone): string {
  const p = wall(at, timeZone(of));
  const today = wall(now, timeZone(of));
  if (p.year !== today.year) return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}`;
  if (p.month === today.month && p.day === today.day) return `${p.hour}:${p.minute}:${p.second}`;
  return `${p.month}-${p.day} ${p.hour}:${p.minute}`;
}

/** What stands in the tooltip: both clocks. */
export function both(at: Date): string {
  return `${full(at, "local")} ${wall(at).zone}\n${full(at, "utc")} UTC`;
}

/** `in 5 min`, `3 h ago`, `now`. */
export function relative(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const size = Math.abs(seconds);
  const [value, unit] = size < 45 ? [Math.round(size), "s"] : size < 2700 ? [Math.round(size / 60), "min"] : size < 79_200 ? [Math.round(size / 3600), "h"] : [Math.round(size / 86_400), "d"];
  if (value === 0) return "now";
  return seconds > 0 ? `in ${value} ${unit}` : `${value} ${unit} ago`;
}

/** What a change of the clock does to a firing. */
export function dstWords(dst: string): string {
  if (dst === "gap") return "its local time is skipped by a change of the clock";
  return dst === "overlap" ? "its local time happens twice: a change of the clock" : dst;
}

/** The time, again every `ms`; the component is drawn with it. Pass null to hold it. */
export function useNow(ms: number | null): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (ms === null) return;
    setNow(new Date());
    const timer = setInterval(() => setNow(new Date()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
