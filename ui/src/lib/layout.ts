// Where the nodes and edges of a graph lie. dagre places them; edges become smooth curves through its points.

import { Graph as DagreGraph, layout as dagre } from "@dagrejs/dagre";
import type { Graph } from "../api/types";

export interface PlacedNode {
  task: string;
  /** Left upper corner and size. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedEdge {
  from: string;
  to: string;
  label: string | null;
  /** As an SVG path. */
  path: string;
  /** Where its label stands: the centre. */
  at: { x: number; y: number } | null;
}

export interface Placed {
  width: number;
  height: number;
  nodes: PlacedNode[];
  edges: PlacedEdge[];
}

export const NODE_HEIGHT = 46;
/** Width of a letter at the size of a task's name, about. */
const LETTER = 8;
const SMALL_LETTER = 6.2;
/** Width of a letter of an edge's label, and of what is around it. */
const LABEL_LETTER = 6.95;
export const LABEL_MAX = 28;

/** A text cut to `max` characters. */
export function cut(text: string, max: number): string {
  const letters = [...text];
  return letters.length <= max ? text : `${letters.slice(0, max - 1).join("")}…`;
}

export function nodeWidth(task: string, stage: string): number {
  const name = LETTER * [...task].length;
  // Below it, smaller: the stage and the time that it took.
  const below = SMALL_LETTER * ([...stage].length + 10);
  return Math.min(280, Math.max(132, 44 + Math.max(name, below)));
}

export function labelWidth(text: string): number {
  return [...text].length * LABEL_LETTER + 14;
}

/** `LR` on wide screens, `TB` on narrow ones. */
export function place(graph: Graph, direction: "LR" | "TB"): Placed {
  const drawn = new DagreGraph({ multigraph: true });
  drawn.setGraph({ rankdir: direction, nodesep: 18, ranksep: direction === "LR" ? 56 : 40, edgesep: 14, marginx: 12, marginy: 12 });
  drawn.setDefaultEdgeLabel(() => ({}));
  const known = new Set<string>();
  for (const { task, stage } of graph.nodes) {
    known.add(task);
    drawn.setNode(task, { width: nodeWidth(task, stage), height: NODE_HEIGHT });
  }
  const edges = graph.edges.filter(({ from, to }) => known.has(from) && known.has(to));
  for (const [i, { from, to, label }] of edges.entries()) {
    const text = label ? cut(label, LABEL_MAX) : null;
    drawn.setEdge(from, to, text ? { width: labelWidth(text), height: 18, labelpos: "c" } : {}, String(i));
  }
  dagre(drawn);
  const size = drawn.graph() as { width?: number; height?: number };
  return {
    width: Math.max(1, size.width ?? 1),
    height: Math.max(1, size.height ?? 1),
    nodes: graph.nodes.map(({ task }) => {
      const { x, y, width, height } = drawn.node(task) as { x: number; y: number; width: number; height: number };
      return { task, x: x - width / 2, y: y - height / 2, width, height };
    }),
    edges: edges.map(({ from, to, label }, i) => {
      const edge = drawn.edge({ v: from, w: to, name: String(i) }) as { points: Point[]; x?: number; y?: number };
      const at = label && edge.x !== undefined && edge.y !== undefined ? { x: edge.x, y: edge.y } : null;
      return { from, to, label, path: curve(edge.points), at };
    }),
  };
}

interface Point {
  x: number;
  y: number;
}

const at = ({ x, y }: Point) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;

/** A path through the points whose corners are round: quadratic curves between the middles. */
export function curve(points: Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const last = rest.pop();
  if (!last) return `M${at(first)}`;
  let path = `M${at(first)}`;
  for (const [i, point] of rest.entries()) {
    const next = rest[i + 1] ?? last;
    const middle = i === rest.length - 1 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += `Q${at(point)} ${at(middle)}`;
  }
  return rest.length === 0 ? `${path}L${at(last)}` : path;
}
