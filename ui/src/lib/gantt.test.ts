import { describe, expect, it } from "vitest";
import type { RunDetail, RunEvent } from "../api/types";
import { attemptsOf, chart, step } from "./gantt";

describe("gantt", () => {
  const at = (second: number) => new Date(second * 1000).toISOString();
  const event = (second: number, body: object): RunEvent => ({ seq: second, at: at(second), kind: "", text: "", body });
  const events = [
    event(10, { event: "created" }),
    event(12, { event: "attempt_started", task: 0, attempt: 1 }),
    event(15, { event: "attempt_ended", task: 0, attempt: 1, outcome: { outcome: "failed" } }),
    event(20, { event: "attempt_started", task: 0, attempt: 2 }),
  ];
  const task = { task: "a", stage: "noop", state: "running", attempts: 2, queued_at: at(10), started_at: at(12), ended_at: null };
  const run = { created_at: at(9), started_at: at(10), ended_at: null, tasks: [task] } as unknown as RunDetail;
  it("shows the queue, each attempt and the pause between them, up to now", () => {
    expect(chart(run, events, 30_000).rows[0]?.bars.map(({ kind, state, from, to }) => [kind, state, from / 1000, to / 1000])).toEqual([
      ["queued", "queued", 10, 12],
      ["attempt", "failed", 12, 15],
      ["pause", "pause", 15, 20],
      ["attempt", "running", 20, 30],
    ]);
  });
  it("makes do with the rows where there are no events", () => {
    expect(chart(run, [], 30_000).rows[0]?.bars.map((bar) => bar.kind)).toEqual(["queued", "attempt"]);
    expect(attemptsOf([event(1, { event: "attempt_ended", task: 0, attempt: 9 })]).get(0)).toEqual([]);
  });
  it("has round steps", () => {
    expect([step(10_000, 5), step(90_000, 6), step(86400e3 * 30, 5)]).toEqual([2000, 15_000, 86400e3 * 6]);
  });
});
