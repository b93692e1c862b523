import { describe, expect, it } from "vitest";
import { addMonths, byDay, monthOr, span, weeks } from "./calendar";

describe("a month", () => {
  it("is whole weeks from Monday on", () => {
    const days = weeks("2026-11");
    expect([days.length, days[0]?.[0], days.at(-1)?.at(-1)]).toEqual([6, "2026-10-26", "2026-12-06"]);
    expect(weeks("2027-02").flat()).toHaveLength(28);
  });
  it("is followed by the next, over the year's end and from a 31st", () => {
    expect([addMonths("2026-12", 1), addMonths("2027-01", -1), addMonths("2027-03", -12)]).toEqual(["2027-01", "2026-12", "2026-03"]);
  });
  it("is this one where the address names none", () => {
    const now = new Date("2026-11-23T12:00:00Z");
    expect([monthOr("2027-13", now, "utc"), monthOr("", now, "utc"), monthOr("2027-03", now, "utc")]).toEqual(["2026-11", "2026-11", "2027-03"]);
  });
  it("is asked for wherever the viewer is", () => {
    const { from, to } = span("2027-02");
    expect([from.toISOString(), to.toISOString()]).toEqual(["2027-01-31T10:00:00.000Z", "2027-03-01T14:00:00.000Z"]);
  });
  it("has each instant on its day", () => {
    const days = byDay(["2026-11-23T23:59:59Z", "2026-11-24T00:00:00Z", "2026-11-24T12:00:00Z"], (at) => at, "utc");
    expect([...days].map(([day, all]) => [day, all.length])).toEqual([["2026-11-23", 1], ["2026-11-24", 2]]);
  });
});
