import { describe, expect, it } from "vitest";
import { Parser, backoff } from "../api/sse";
import type { Graph, RunDetail, RunEvent, Schema } from "../api/types";
import { pieces, plain } from "./ansi";
import { diff, hunks } from "./diff";
import { bytes, duration, figure, percent } from "./format";
import { attemptsOf, chart, step } from "./gantt";
import { curve, place } from "./layout";
import { LogText, cutAtMatches, filter } from "./log";
import { fieldsOf, read, readAll } from "./schema";
import { relative, short, wall } from "./time";
import { tokens } from "./yaml";

const ESC = "\u001b";

describe("ansi", () => {
  it("turns colours into names and forgets them at a reset", () => {
    expect(pieces(`a ${ESC}[1;31mred${ESC}[0m b`)).toEqual([
      { text: "a ", names: "" },
      { text: "red", names: "a-bold a-fg1" },
      { text: " b", names: "" },
    ]);
  });
  it("maps 256 and true colours to the nearest of sixteen", () => {
    expect(pieces(`${ESC}[38;5;196mx`)[0]?.names).toBe("a-fg9");
    expect(pieces(`${ESC}[48;2;0;200;0mx`)[0]?.names).toBe("a-bg2");
    expect(pieces(`${ESC}[38;5;240;1mx`)[0]?.names).toBe("a-bold a-fg8");
  });
  it("drops every other sequence: titles, links, cursor moves, control characters", () => {
    const line = `${ESC}]0;title\u0007${ESC}]8;;http://evil${ESC}\\link${ESC}]8;;${ESC}\\${ESC}[2K${ESC}[1;1H\u0000\b!`;
    expect(plain(line)).toBe("link!");
    expect(pieces(line).map((piece) => piece.text).join("")).toBe("link!");
  });
  it("shows what stands behind the last carriage return", () => {
    expect(plain("10 %\r50 %\r100 %\r")).toBe("100 %");
  });
  it("keeps markup as text", () => {
    expect(pieces("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>", names: "" }]);
  });
});

describe("log", () => {
  it("reads lines wherever the stream was cut", () => {
    const whole = '{"t":"2026-11-23T14:00:00Z","level":"warn","stream":"stage","line":"a\\u001b[31m"}\nraw text\n';
    for (let at = 0; at <= whole.length; at++) {
      const log = new LogText();
      log.push(whole.slice(0, at));
      log.push(whole.slice(at), true);
      expect(log.lines.map(({ number, level, text }) => [number, level, text])).toEqual([[1, "warn", `a${ESC}[31m`], [2, "info", "raw text"]]);
    }
  });
  it("keeps half a line back until its end, or until nothing follows", () => {
    const log = new LogText();
    log.push("one\ntw");
    expect(log.lines.map((line) => line.text)).toEqual(["one"]);
    log.push("", true);
    expect(log.lines.map((line) => line.text)).toEqual(["one", "tw"]);
  });
  it("filters by level and words, whatever the colours between them", () => {
    const log = new LogText();
    log.push(`${ESC}[31mfa${ESC}[0miled\nfine\n`);
    expect(filter(log.lines, "info", "FAILED", true).map((line) => line.number)).toEqual([1]);
    expect(filter(log.lines, "warn", "", false)).toEqual([]);
  });
  it("cuts at matches and loses nothing", () => {
    expect(cutAtMatches("a Foo foo", "foo")).toEqual(["a ", "Foo", " ", "foo", ""]);
    expect(cutAtMatches("İx", "x").join("")).toBe("İx");
  });
});

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

describe("a form from a schema", () => {
  const schema: Schema = {
    properties: {
      rank: { type: "integer", default: 16, minimum: 1, maximum: 1024 },
      reg: { type: "number", minimum: 0 },
      mode: { enum: ["a", "b"], default: "a" },
      day: { type: "string", format: "date" },
      name: { type: "string", pattern: "^[a-z]+$" },
      full: { type: ["boolean", "null"] },
      many: { type: "array" },
    },
    required: ["name"],
  };
  const fields = fieldsOf(schema);
  const say = (name: string, text: string) => {
    const field = fields.find((one) => one.name === name);
    if (!field) throw new Error(name);
    const result = read(field, text);
    return result.ok ? result.value : result.message;
  };
  it("knows each kind, in the schema's order", () => {
    expect(fields.map((field) => field.kind)).toEqual(["integer", "number", "choice", "date", "text", "boolean", "json"]);
  });
  it("says what is wrong with what was typed", () => {
    expect(say("rank", "1.5")).toBe("a whole number");
    expect(say("rank", "0")).toBe("at least 1");
    expect(say("rank", "1025")).toBe("at most 1024");
    expect(say("rank", "0x10")).toBe("a whole number");
    expect(say("rank", "99999999999999999")).toMatch(/^too large|^at most/);
    expect(say("reg", "-1e-9")).toBe("at least 0");
    expect(say("day", "2027-02-30")).toMatch(/^a date/);
    expect(say("name", "A")).toBe("must match ^[a-z]+$");
    expect(say("name", "")).toBe("a value is needed");
    expect(say("many", "[1,")).toMatch(/^JSON/);
  });
  it("sends what differs from the defaults, and nothing that was not given", () => {
    expect(readAll(fields, { name: "x", rank: "16", mode: "b", full: "false" })).toEqual({ values: { name: "x", mode: "b", full: false }, errors: {} });
  });
});

describe("layout", () => {
  const node = (task: string) => ({ task, stage: "noop", kind: "task" as const, needs: [], trigger_rule: "all_success", description: null });
  it("places what comes first on the left and no two nodes on each other", () => {
    const graph: Graph = {
      nodes: ["a", "b", "c", "d"].map(node),
      edges: [["a", "b"], ["a", "c"], ["b", "d"], ["c", "d"]].map(([from, to]) => ({ from: from ?? "", to: to ?? "", label: from === "a" ? "x > 1" : null })),
    };
    const { nodes, edges } = place(graph, "LR");
    const by = Object.fromEntries(nodes.map((one) => [one.task, one]));
    expect(by.a?.x).toBeLessThan(by.b?.x ?? 0);
    expect(by.c?.x).toBeLessThan(by.d?.x ?? 0);
    expect(Math.abs((by.b?.y ?? 0) - (by.c?.y ?? 0))).toBeGreaterThanOrEqual(46);
    expect(edges[0]?.at).not.toBeNull();
    expect(edges[2]?.at).toBeNull();
  });
  it("survives an edge to nowhere and names that are properties of objects", () => {
    const graph: Graph = { nodes: [node("__proto__"), node("constructor")], edges: [{ from: "constructor", to: "gone", label: null }] };
    expect(place(graph, "TB").nodes).toHaveLength(2);
  });
  it("draws curves through points", () => {
    expect(curve([{ x: 0, y: 0 }, { x: 1, y: 2 }])).toBe("M0 0L1 2");
    expect(curve([{ x: 0, y: 0 }, { x: 1, y: 1 }, { x: 2, y: 0 }])).toBe("M0 0Q1 1 2 0");
  });
});

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

describe("server-sent events", () => {
  it("are the same wherever the network cut them", () => {
    const whole = ": hello\n\nid: 7\nevent: run\ndata: {\"a\":\ndata: 1}\n\ndata: x\r\n\r\nevent: none\n\n";
    for (let at = 0; at <= whole.length; at++) {
      const parser = new Parser();
      expect([...parser.push(whole.slice(0, at)), ...parser.push(whole.slice(at))]).toEqual([
        { id: "7", event: "run", data: '{"a":\n1}' },
        { id: "7", event: "message", data: "x" },
      ]);
    }
  });
  it("back off to half a minute", () => {
    expect([backoff(0, () => 0), backoff(3, () => 1), backoff(40, () => 1)]).toEqual([500, 8000, 30_000]);
  });
});

describe("yaml", () => {
  it("is coloured without losing a character", () => {
    const line = '  - rank: "{{ params.rank }}" # a: b';
    expect(tokens(line).map((token) => token.text).join("")).toBe(line);
    expect(tokens(line).map((token) => token.kind)).toEqual(["plain", "key", "plain", "string", "plain", "comment"]);
    expect(tokens("x: {{ a }}#b").map((token) => token.kind)).toEqual(["key", "plain", "template", "plain"]);
  });
});
