import { describe, expect, it } from "vitest";
import { diff, hunks } from "./diff";

describe("diff", () => {
  const apply = (before: string, after: string) => {
    const lines = diff(before, after);
    const side = (kind: string) => lines.filter((line) => line.kind !== kind).map((line) => line.text).join("\n");
    return [side("added"), side("removed")];
  };
  it("rebuilds both texts, whatever they are", () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (let round = 0; round < 300; round++) {
      const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)]).join("\n");
      const [a, b] = [text(), text()];
      expect(apply(a, b)).toEqual([a, b]);
    }
  });
  it("is as short as can be", () => {
    expect(diff("a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc").filter((line) => line.kind !== "same")).toHaveLength(5);
  });
  it("shows changes with what is around them", () => {
    const many = Array.from({ length: 30 }, (_, i) => String(i));
    const changed = many.with(3, "x").with(20, "y");
    expect(hunks(diff(many.join("\n"), changed.join("\n")), 1).map((hunk) => hunk.map((line) => line.text))).toEqual([["2", "3", "x", "4"], ["19", "20", "y", "21"]]);
    expect(hunks(diff("a", "a"))).toEqual([]);
  });
});
