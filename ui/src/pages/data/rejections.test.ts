import { describe, expect, it } from "vitest";
import { kind, rejections } from "./rejections";

const etl = {
  train: { path: "data/train", read: 100, rejected: 3, rejected_by_kind: { bad_id: 1, bad_rating: 2 }, rejects_file: ".recflow/rejects/a.tsv", duplicates: 4 },
  test: { path: "data/test", read: 10, rejected: 0, rejected_by_kind: {}, rejects_file: null, duplicates: 0 },
};

describe("rejected lines in an output", () => {
  it("are those of the dataset that one looks at, the most frequent kind first", () => {
    expect(rejections(etl, "data/train")).toEqual({ read: 100, rejected: 3, byKind: [["bad_rating", 2], ["bad_id", 1]], file: ".recflow/rejects/a.tsv", duplicates: 4 });
    expect(rejections(etl, "data/test")?.rejected).toBe(0);
  });
  it("are unknown where the output says nothing of that dataset", () => {
    expect(rejections(etl, "data/other")).toBeNull();
    for (const output of [null, undefined, "text", 7, [], {}]) expect(rejections(output, "data/train")).toBeNull();
  });
  it("have kinds in words, unknown ones as they are", () => {
    expect([kind("impossible_date"), kind("new_kind")]).toEqual(["no such day", "new kind"]);
  });
});
