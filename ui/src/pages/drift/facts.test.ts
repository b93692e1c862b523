import { describe, expect, it } from "vitest";
import type { DriftPoint } from "../../api/models";
import { inOrder, metricNames, retrainMarks, sides, thresholdOf, title, valueOf } from "./facts";

const point = (run: string, at: string, more: Partial<DriftPoint> = {}): DriftPoint => ({
  run, pipeline: "drift-retrain", at, score: 1, threshold: 1, should_retrain: false, retrained: false, metrics: {}, histograms: null, reasons: [], ...more,
});

describe("points of drift", () => {
  it("stand in the order of time, one pipeline's if asked", () => {
    const points = [point("b", "2025-02-01"), point("a", "2025-01-01"), point("c", "2025-03-01", { pipeline: "drift-watch" })];
    expect(inOrder(points, "").map((one) => one.run)).toEqual(["a", "b", "c"]);
    expect(inOrder(points, "drift-watch").map((one) => one.run)).toEqual(["c"]);
  });
  it("mark a retrain, and one that was due and did not happen", () => {
    const marks = retrainMarks([point("a", "1"), point("b", "2", { should_retrain: true, retrained: true }), point("c", "3", { should_retrain: true })]);
    expect(marks.map((mark) => [mark.index, mark.label])).toEqual([[1, "retrained"], [2, "retrain was due"]]);
  });
});

describe("metrics of drift", () => {
  const kl = (threshold: number | null) => ({ metrics: { data_zeta: { value: 1, threshold: null, over: false }, model_kl: { value: 0.1, threshold, over: false } } });
  it("are listed once for ratings and predictions, the known ones first, named for people", () => {
    expect(metricNames([point("a", "1", kl(0.1)), point("b", "2", { metrics: { data_kl: { value: 0, threshold: 1, over: false } } })])).toEqual(["kl", "zeta"]);
    expect([title("kl"), title("my_own")]).toEqual(["KL divergence", "my own"]);
  });
  it("tell what they are of", () => {
    expect([valueOf(point("a", "1", kl(0.1)), "model", "kl")?.value, valueOf(point("a", "1", kl(0.1)), "data", "kl")]).toEqual([0.1, null]);
  });
  it("are held against the newest threshold", () => {
    expect(thresholdOf([point("a", "1", kl(0.1)), point("b", "2", kl(0.3)), point("c", "3", kl(null))], "kl")).toBe(0.3);
    expect(thresholdOf([point("a", "1")], "kl")).toBeNull();
  });
});

it("a histogram has every rating of either side, in the order of stars", () => {
  expect(sides({ original: { "10": 0.5, "1.0": 0.5 }, current: { "2": 1 } })).toEqual({ classes: ["1", "2", "10"], original: [0.5, 0, 0.5], current: [0, 1, 0] });
});
