import { describe, expect, it } from "vitest";
import { periods, roundStep, ticksTo } from "./bars";

describe("ticks", () => {
  it("are round and reach the highest bar", () => {
    expect(ticksTo(0.37, 4)).toEqual([0, 0.1, 0.2, 0.30000000000000004, 0.4]);
    expect(ticksTo(2867, 3)).toEqual([0, 1000, 2000, 3000]);
    expect(ticksTo(0, 3)).toEqual([0, 1]);
  });
  it("are 1, 2 or 5 times a power of ten", () => {
    for (const high of [0.003, 0.7, 1, 12, 99, 12345]) {
      const step = roundStep(high, 4);
      const lead = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
      expect([1, 2, 5]).toContain(Math.round(lead));
    }
  });
});

describe("rows by month", () => {
  it("shows months without rows as nothing", () => {
    const bars = periods([
      { year: 1999, month: 12, rows: 2 },
      { year: 2000, month: 2, rows: 9 },
    ]);
    expect(bars.map((bar) => [bar.label, bar.rows])).toEqual([["1999-12", 2], ["2000-01", 0], ["2000-02", 9]]);
  });
  it("goes over to years where months would be too many to see, and loses no row", () => {
    const bars = periods([
      { year: 1970, month: 1, rows: 1 },
      { year: 2005, month: 3, rows: 2 },
      { year: 2005, month: 4, rows: 3 },
    ]);
    expect(bars).toHaveLength(36);
    expect(bars.at(-1)).toEqual({ label: "2005", year: 2005, month: null, rows: 5 });
  });
  it("is empty without rows", () => {
    expect(periods([])).toEqual([]);
  });
});
