// The pure parts of bar charts: heights, ticks, and months without rows.

/** A round step so that `high` is reached in about `ticks` steps: 1, 2 or 5 times a power of ten. */
export function roundStep(high: number, ticks: number): number {
  if (!(high > 0) || ticks < 1) return 1;
  const rough = high / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

/** Ticks from 0 to the first that is not below `high`. */
export function ticksTo(high: number, ticks: number): number[] {
  const step = roundStep(high, ticks);
  const top = Math.max(1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: top + 1 }, (_, place) => place * step);
}

/** Rows of a month. */
export interface MonthRows {
  year: number;
  /** 1-12. */
  month: number;
  rows: number;
}

/** More months than this are shown by year. */
const MOST_MONTHS = 240;

/** A bar over time. */
export interface PeriodBar {
  /** `2005-03`, or `2005` where there are too many months. */
  label: string;
  year: number;
  /** 1-12; none for a year. */
  month: number | null;
  rows: number;
}

/** All months between the first and the last, those without rows as 0; years where that is more than can be seen. */
export function periods(months: MonthRows[]): PeriodBar[] {
  const number = (of: MonthRows) => of.year * 12 + of.month - 1;
  if (months.length === 0) return [];
  const all = months.map(number);
  const first = Math.min(...all);
  const last = Math.max(...all);
  if (last - first >= MOST_MONTHS) return years(months);
  const rows = new Map(months.map((month) => [number(month), month.rows]));
  return Array.from({ length: last - first + 1 }, (_, place) => {
    const at = first + place;
    const year = Math.floor(at / 12);
    const month = (at % 12) + 1;
    return { label: `${year}-${String(month).padStart(2, "0")}`, year, month, rows: rows.get(at) ?? 0 };
  });
}

function years(months: MonthRows[]): PeriodBar[] {
  const rows = new Map<number, number>();
  for (const month of months) rows.set(month.year, (rows.get(month.year) ?? 0) + month.rows);
  const [first, last] = [Math.min(...rows.keys()), Math.max(...rows.keys())];
  return Array.from({ length: last - first + 1 }, (_, place) => {
    const year = first + place;
    return { label: String(year), year, month: null, rows: rows.get(year) ?? 0 };
  });
}
