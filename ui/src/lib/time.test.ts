import { describe, expect, it } from "vitest";
import { bytes, duration, figure, percent } from "./format";
import { relative, short, wall } from "./time";

describe("numbers and times", () => {
  it("are short and exact enough", () => {
    expect([duration(0.42), duration(4.2), duration(59.96), duration(185), duration(7620), duration(90000), duration(null)]).toEqual(["420 ms", "4.2 s", "1m 00s", "3m 05s", "2h 07m", "1d 01h", "–"]);
    expect([bytes(12), bytes(3565158), bytes(null)]).toEqual(["12 B", "3.4 MiB", "–"]);
    expect([percent(0.995), percent(0.5), figure(0.912345), figure(17770), percent(null)]).toEqual(["99.5 %", "50 %", "0.9123", "17,770", "–"]);
  });
  it("leave out what goes without saying", () => {
    const now = new Date("2026-11-23T20:00:00Z");
    expect(short(new Date("2026-11-23T14:05:09Z"), now, "utc")).toBe("14:05:09");
    expect(short(new Date("2026-11-20T14:05:09Z"), now, "utc")).toBe("11-20 14:05");
    expect(short(new Date("2025-11-20T14:05:09Z"), now, "utc")).toBe("2025-11-20 14:05");
    expect([relative(new Date("2026-11-23T20:05:00Z"), now), relative(new Date("2026-11-22T20:00:00Z"), now)]).toEqual(["in 5 min", "1 d ago"]);
  });
  it("are those of a clock on the wall on both sides of a change", () => {
    const clock = (at: string) => { const p = wall(new Date(at), "Europe/Berlin"); return `${p.hour}:${p.minute}`; };
    expect([clock("2027-03-28T00:59:00Z"), clock("2027-03-28T01:00:00Z"), clock("2027-10-31T00:30:00Z"), clock("2027-10-31T01:30:00Z")]).toEqual(["01:59", "03:00", "02:30", "02:30"]);
  });
});
