// A pipeline as a drawing: tasks as links, arrows between them, sides of branches with their condition. It scrolls like any box, zooms by
// buttons, keys (+ − 0) or Ctrl and the wheel, and is dragged by a pointer.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Graph, TaskBrief } from "../api/types";
import { duration } from "../lib/format";
import { LABEL_MAX, NODE_HEIGHT, type PlacedEdge, type PlacedNode, cut, labelWidth, place } from "../lib/layout";
import { lookOf } from "../lib/status";
import { Icon } from "./icons";

interface Props {
  graph: Graph;
  /** How the tasks stand, in a run. */
  tasks?: TaskBrief[] | undefined;
  /** Where a click on a task leads. */
  href: (task: string) => string;
  label: string;
}

const ZOOMS = [0.25, 0.35, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2];

export function GraphView({ graph, tasks, href, label }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [zoom, setZoom] = useState<number | null>(null);
  const direction = width > 0 && width < 640 ? "TB" : "LR";
  const placed = useMemo(() => place(graph, direction), [graph, direction]);
  const states = useMemo(() => new Map(tasks?.map((task) => [task.task, task])), [tasks]);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const whole = Math.min(1, (width || placed.width) / placed.width);
  // Until one asks for it, a long graph is not made smaller than can be read: it scrolls.
  const scale = zoom ?? Math.max(0.72, whole);
  const turn = (steps: 1 | -1) => setZoom(steps > 0 ? (ZOOMS.find((one) => one > scale + 0.01) ?? 2) : (ZOOMS.findLast((one) => one < scale - 0.01) ?? 0.25));
  useGestures(box, turn);
  const keys = (event: KeyboardEvent) => {
    if (event.key === "+" || event.key === "=") turn(1);
    else if (event.key === "-") turn(-1);
    else if (event.key === "0") setZoom(whole);
    else return;
    event.preventDefault();
  };
  return (
    <div class="graph">
      <div class="graph-tools">
        <button type="button" class="square" aria-label="Zoom in" onClick={() => turn(1)}>
          <Icon name="plus" />
        </button>
        <button type="button" class="square" aria-label="Zoom out" onClick={() => turn(-1)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="square" aria-label="Fit" onClick={() => setZoom(whole)}>
          <Icon name="fit" />
        </button>
      </div>
      <div ref={box} class="graph-box" tabIndex={0} role="region" aria-label={label} onKeyDown={keys}>
        <svg width={placed.width * scale} height={placed.height * scale} viewBox={`0 0 ${placed.width} ${placed.height}`}>
          <Arrowheads />
          {placed.edges.map((edge, i) => (
            <Edge key={i} edge={edge} from={states.get(edge.from)} to={states.get(edge.to)} />
          ))}
          {placed.nodes.map((node) => {
            const about = graph.nodes.find((one) => one.task === node.task);
            return <Node key={node.task} node={node} stage={about?.kind === "branch" ? "branch" : (about?.stage ?? "")} description={about?.description ?? null} task={states.get(node.task)} href={href(node.task)} />;
          })}
        </svg>
      </div>
    </div>
  );
}

/** Ctrl and the wheel zoom; dragging the ground scrolls. Touch scrolls by itself. */
function useGestures(box: { current: HTMLDivElement | null }, turn: (steps: 1 | -1) => void): void {
  const latest = useRef(turn);
  latest.current = turn;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let last = 0;
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      if (event.timeStamp - last < 60) return;
      last = event.timeStamp;
      latest.current(event.deltaY < 0 ? 1 : -1);
    };
    const down = (event: PointerEvent) => {
      if (event.pointerType === "touch" || event.button !== 0 || (event.target as Element).closest("a")) return;
      const start = { x: event.clientX + element.scrollLeft, y: event.clientY + element.scrollTop };
      element.setPointerCapture(event.pointerId);
      const move = (to: PointerEvent) => element.scrollTo(start.x - to.clientX, start.y - to.clientY);
      element.addEventListener("pointermove", move);
      element.addEventListener("pointerup", () => element.removeEventListener("pointermove", move), { once: true });
      element.addEventListener("pointercancel", () => element.removeEventListener("pointermove", move), { once: true });
    };
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("pointerdown", down);
    return () => {
      element.removeEventListener("wheel", wheel);
      element.removeEventListener("pointerdown", down);
    };
  }, []);
}

function Arrowheads() {
  return (
    <defs>
      {["edge", "edge-taken", "edge-off"].map((name) => (
        <marker key={name} id={`arrow-${name}`} class={name} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
          <path d="M0.5 0.8L7 4L0.5 7.200z" />
        </marker>
      ))}
    </defs>
  );
}

/** Whether the way of an edge was taken; null where nothing is decided yet. */
function taken(from: TaskBrief | undefined, to: TaskBrief | undefined): boolean | null {
  if (!from || !to) return null;
  if (from.branch_taken) return from.branch_taken.includes(to.task);
  if (["skipped", "upstream_failed"].includes(to.state)) return false;
  return from.state === "succeeded" && to.started_at !== null ? true : null;
}

function Edge({ edge, from, to }: { edge: PlacedEdge; from: TaskBrief | undefined; to: TaskBrief | undefined }) {
  const way = taken(from, to);
  const name = way === true ? "edge-taken" : way === false ? "edge-off" : "edge";
  const label = cut(edge.label ?? "", LABEL_MAX);
  const why = [edge.label, way === false ? (to?.reason ?? "not taken") : null].filter(Boolean).join("\n");
  return (
    <g class={name}>
      {why !== "" && <title>{why}</title>}
      <path class="line" d={edge.path} marker-end={`url(#arrow-${name})`} />
      {edge.label && edge.at && (
        <>
          <rect class="label-back" x={edge.at.x - labelWidth(label) / 2} y={edge.at.y - 9} width={labelWidth(label)} height={18} rx={9} />
          <text class="label" x={edge.at.x} y={edge.at.y + 4} text-anchor="middle">
            {label}
          </text>
        </>
      )}
    </g>
  );
}

function Node(props: { node: PlacedNode; stage: string; description: string | null; task: TaskBrief | undefined; href: string }) {
  const { node, stage, description, task, href } = props;
  const letters = Math.floor((node.width - 40) / 7.2);
  const look = task ? lookOf(task.state) : null;
  const time = task?.seconds !== null && task?.seconds !== undefined ? duration(task.seconds) : "";
  // What the tooltip shows is also its name for those who do not see it.
  const about = [[node.task, stage, look?.word, time].filter(Boolean).join(", "), description, task?.reason ?? task?.error].filter(Boolean).join("\n");
  return (
    <g transform={`translate(${node.x} ${node.y})`}>
    <a class={`node ${look ? `tone-${look.tone} has-state is-${task?.state}` : ""}`} href={href}>
      <title>{about}</title>
      <rect class="body" width={node.width} height={NODE_HEIGHT} rx={7} />
      {look ? (
        <g class="node-icon" transform="translate(10 15)">
          <path d={look.shape} />
        </g>
      ) : (
        <circle class="dot" cx={18} cy={23} r={3.5} />
      )}
      <text class="name" x={33} y={20}>
        {cut(node.task, letters)}
      </text>
      <text class="stage" x={33} y={36}>
        {cut(time ? `${stage} · ${time}` : stage, Math.floor((node.width - 40) / 5.9))}
      </text>
    </a>
    </g>
  );
}
