import { describe, expect, it } from "vitest";
import type { ModelVersion, Promotion } from "../../api/models";
import { axisNames, byAge, differences, id, parsePairs, parseRatings, promotionMarks, versionName, work } from "./facts";

const version = (name: string, created_at: string | null): ModelVersion => ({
  version: name, path: "", current: false, created_at, rank: 8, params: null, users: null, items: null, ratings: null, dataset: null, metrics: {}, measured_on: null,
});
const decision = (number: number, of: string, kind: Promotion["decision"], promoted = true): Promotion => ({
  number, decided_at: "", publish_key: "r/promote/0", decision: kind, promoted, version: of, previous: null, reason: "",
});

describe("names of versions", () => {
  it("show the second in which one was published", () => {
    expect(versionName("version_20250301_031500")).toBe("2025-03-01 03:15:00");
    expect(versionName("version_20250301_031500_002")).toBe("2025-03-01 03:15:00 (2)");
  });
  it("are as short on an axis as they can be while neighbours differ", () => {
    expect(axisNames(["version_20250301_031500", "version_20250401_031500"])).toEqual(["03-01", "04-01"]);
    expect(axisNames(["version_20250301_031500", "version_20250301_041500"])).toEqual(["03-01 03:15", "03-01 04:15"]);
    expect(axisNames(["version_20250301_031500", "version_20250301_031501", "mine"])).toEqual(["03:15:00", "03:15:01", "mine"]);
  });
  it("leave a name of another kind as it is", () => {
    expect(versionName("<b>mine</b>")).toBe("<b>mine</b>");
  });
});

describe("a trend", () => {
  it("goes from the oldest version to the newest, whatever their names say", () => {
    const shuffled = [version("b", "2025-01-02"), version("z", "2025-01-01"), version("a", null)];
    expect(byAge(shuffled).map((one) => one.version)).toEqual(["a", "z", "b"]);
  });
  it("marks who was promoted and who was gone back to, not who lost or is gone", () => {
    const versions = [version("v1", "1"), version("v2", "2")];
    const marks = promotionMarks(versions, [decision(4, "v1", "rollback"), decision(3, "v2", "comparison"), decision(2, "v2", "comparison", false), decision(1, "gone", "person")]);
    expect(marks.map((mark) => [mark.index, mark.label, mark.symbol])).toEqual([[1, "promoted", "▲"], [0, "rolled back to", "↺"]]);
  });
});

describe("a comparison", () => {
  it("has every parameter of either side once and says which differ", () => {
    expect(differences({ rank: 8, reg: 0.1 }, { rank: 16, reg: 0.1, biases: true })).toEqual([
      { name: "biases", a: "–", b: "true", differs: true },
      { name: "rank", a: "8", b: "16", differs: true },
      { name: "reg", a: "0.1", b: "0.1", differs: false },
    ]);
  });
});

describe("what is typed", () => {
  it("is read as ratings, the last of an item counts, what cannot be read is named", () => {
    expect(parseRatings("30=5, 191:2\n483 4.5; 30=1, nonsense, x=y")).toEqual({
      ratings: [{ item: "30", rating: 1 }, { item: "191", rating: 2 }, { item: "483", rating: 4.5 }],
      wrong: ["nonsense", "x=y"],
    });
    expect(parseRatings(" B00004CXX9 = 4.5 ").ratings).toEqual([{ item: "B00004CXX9", rating: 4.5 }]);
  });
  it("is read as pairs", () => {
    expect(parsePairs("7 30\n8:31, 9")).toEqual({ pairs: [{ user: "7", item: "30" }, { user: "8", item: "31" }], wrong: ["9"] });
  });
  it("is a number only where nothing is lost by it", () => {
    expect(["7", "007", "A7", "99999999999", "0"].map(id)).toEqual([7, "007", "A7", "99999999999", 0]);
  });
});

describe("the work behind a version", () => {
  it("is a task of a run, or nobody's", () => {
    expect(work("84xy7q3774q3/promote/0")).toEqual({ run: "84xy7q3774q3", task: "promote" });
    expect(work("cli-1700000000-17/models/0")).toBeNull();
    expect(work(null)).toBeNull();
  });
});
