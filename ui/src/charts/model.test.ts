import { describe as group, expect, it } from "vitest";
import { short } from "./axes";
import { describe, labelled, positions, range, type Series, step } from "./model";

const series = (values: (number | null)[]): Series => ({ label: "RMSE", values, tone: "first", format: (value) => value.toFixed(2) });

group("the range of an axis", () => {
  it("covers the thresholds and leaves air", () => {
    const [low, high] = range([series([0.8, 0.9])], [{ label: "bound", value: 1 }]);
    expect(low).toBeLessThan(0.8);
    expect(high).toBeGreaterThan(1);
  });
  it("begins at 0 where the values come near it", () => {
    expect(range([series([0.2, 3])], [])[0]).toBe(0);
  });
  it("has a height also where all values are one, or there are none", () => {
    const [low, high] = range([series([5, 5, null])], []);
    expect(low).toBeLessThan(5);
    expect(high).toBeGreaterThan(5);
    expect(range([series([null, Number.NaN])], [])).toEqual([0, 1]);
  });
});

group("a point in words", () => {
  it("names values, absent ones, and what happened there", () => {
    const marks = [{ index: 1, label: "promoted", symbol: "▲" as const }];
    expect(describe("v2", [series([0.9, 0.8])], marks, 1)).toBe("v2, RMSE 0.80, promoted");
    expect(describe("v3", [series([null])], marks, 0)).toBe("v3, RMSE none");
  });
});

group("moving by keys", () => {
  it("stays within the points", () => {
    expect(["ArrowLeft", "ArrowRight", "Home", "End", "PageDown"].map((key) => step(key, 0, 5))).toEqual([0, 1, 0, 4, 4]);
  });
  it("leaves other keys alone, and charts without points", () => {
    expect(step("a", 0, 5)).toBeNull();
    expect(step("End", 0, 0)).toBeNull();
  });
});

group("labels of an ordered axis", () => {
  it("always has the last and never too many", () => {
    expect(labelled(5, 10)).toEqual([0, 1, 2, 3, 4]);
    for (let size = 1; size < 60; size += 1) {
      const places = labelled(size, 7);
      expect(places.length).toBeLessThanOrEqual(7);
      expect(places.at(-1)).toBe(size - 1);
    }
    expect(labelled(0, 5)).toEqual([]);
  });
});

it("time is counted in seconds as uPlot does", () => {
  expect(positions({ kind: "time", at: [1500, 3000] })).toEqual([1.5, 3]);
});

group("values on an axis", () => {
  it("have the digits that their distance needs", () => {
    expect([0, 0.25, 0.5].map((value) => short(value, [0, 0.25, 0.5]))).toEqual(["0.00", "0.25", "0.50"]);
    expect(short(-2, [-2, 0, 2])).toBe("−2");
    expect(short(0.3, [0, 0.1, 0.2, 0.30000000000000004])).toBe("0.3");
  });
});
