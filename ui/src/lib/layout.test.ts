import { describe, expect, it } from "vitest";
import type { Graph } from "../api/types";
import { curve, place } from "./layout";

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
