import { describe, expect, it } from "vitest";
import { change, figure, fixed, metric, ordered, plain, share, whole, words } from "./figures";

describe("numbers as text", () => {
  it("groups thousands and uses a true minus", () => {
    expect(whole(85554)).toBe("85,554");
    expect(whole(-1200)).toBe("−1,200");
    expect(fixed(-0.52, 2)).toBe("−0.52");
  });
  it("never shows a fall of nothing", () => {
    expect(fixed(-0.00001, 3)).toBe("0.000");
  });
  it("shows an en dash for what is absent or no number", () => {
    for (const show of [whole, share, plain]) {
      expect(show(null)).toBe("–");
      expect(show(Number.NaN)).toBe("–");
    }
  });
  it("gives a number of unknown size about four digits", () => {
    expect([3, 12613, 0.17, 42.4242, 100817.94, 1.65e-37].map(plain)).toEqual(["3", "12,613", "0.1700", "42.42", "100,818", "1.65e−37"]);
  });
});

describe("figures of models", () => {
  it("knows which way is better", () => {
    expect(change("rmse", 0.8, 0.75)).toEqual({ text: "−0.0500", verdict: "better" });
    expect(change("ndcg_at_k", 0.8, 0.75)).toEqual({ text: "−0.0500", verdict: "worse" });
    expect(change("ndcg_at_k", 0.7, 0.75)).toEqual({ text: "+0.0500", verdict: "better" });
  });
  it("judges nothing where neither way is better", () => {
    expect(change("scored", 9446, 12613)).toEqual({ text: "+3,167", verdict: "same" });
  });
  it("calls a change that its digits do not show the same", () => {
    expect(change("rmse", 0.8, 0.80001)).toEqual({ text: "±0", verdict: "same" });
  });
  it("has no change without both ends", () => {
    expect(change("rmse", null, 1)).toBeNull();
  });
  it("lists the known first, the others by name, each once", () => {
    expect(ordered(["zeta", "loss", "alpha", "mae", "rmse", "mae"])).toEqual(["rmse", "mae", "loss", "alpha", "zeta"]);
  });
  it("names what nobody described after itself", () => {
    expect(metric("my_own-figure")).toMatchObject({ title: "My own figure", better: "none" });
    expect(words("hit_rate")).toBe("Hit rate");
    expect(figure("scored", 9446)).toBe("9,446");
  });
});
