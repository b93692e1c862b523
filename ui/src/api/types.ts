// Shapes of the API that the pages read. Every field is present unless marked `?:`; what may be unknown is null.

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Role = "viewer" | "operator" | "admin";

export interface Session {
  user: string;
  role: Role;
  /** Null for who comes with a token, which browsers do not. */
  csrf_token: string | null;
  expires_at: string | null;
  version: string;
  /** Whether a link signed them in: then the old password is not asked for. */
  may_reset_password?: boolean;
}

export interface Diagnostic {
  code: string;
  severity: "error" | "warning";
  message: string;
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  end?: { line: number; column: number };
  label?: string | null;
  hint?: string | null;
  related?: { line: number; column: number; message: string }[];
}

/** `queued`, `running`, `succeeded`, `failed`, `cancelled` or `interrupted`; one that is added later shows as it is. */
export type RunStatus = string;

export interface RunBrief {
  run: string;
  pipeline: string;
  status: RunStatus;
  trigger: string;
  logical_date: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  seconds: number | null;
  reason: string | null;
  cause: unknown;
  params: Record<string, unknown>;
}

export interface RunResult {
  run: string;
  status: RunStatus;
  seconds: number | null;
}

export interface PipelineCard {
  pipeline: string;
  file: string | null;
  description: string | null;
  tags: string[];
  paused: boolean;
  /** Why the text that is there now is not valid. */
  error: string | null;
  schedule: string[];
  next: string | null;
  next_dst: string | null;
  last: RunBrief | null;
  /** At most 20, the newest last. */
  results: RunResult[];
  success_rate: number | null;
  median_seconds: number | null;
  running: number;
  queued: number;
}

export interface GraphNode {
  task: string;
  stage: string;
  kind: "task" | "branch";
  needs: string[];
  trigger_rule: string;
  description: string | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  /** The condition of a branch's side. */
  label: string | null;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/** As much of JSON Schema as parameters use. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

export interface PipelineDetail extends PipelineCard {
  params: Schema;
  graph: Graph;
  max_active_runs: number | null;
  triggers: string[];
  version: { id: number | string; at: string } | null;
  diagnostics: Diagnostic[];
}

export interface GridRun {
  run: string;
  status: RunStatus;
  logical_date: string;
  started_at: string | null;
  seconds: number | null;
  /** By task, in the order of `tasks`. */
  states: (string | null)[];
}

export interface Grid {
  tasks: string[];
  runs: GridRun[];
}

export interface Firing {
  time: string;
  local: string;
  dst?: string | null;
}

/** A slot, a run, or both. */
export interface Slot {
  pipeline: string;
  due: string | null;
  due_until: string | null;
  slots: number;
  became: string;
  reason: string | null;
  run: string | null;
  trigger: string | null;
  created_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  waited_seconds: number | null;
  seconds: number | null;
}

export interface SourceText {
  file: string | null;
  text: string;
  diagnostics: Diagnostic[];
}

export interface Version {
  id: number | string;
  hash: string;
  at: string;
  file?: string | null;
  text?: string;
}

export interface Progress {
  phase?: string;
  done: number;
  total?: number | null;
  unit?: string;
  message?: string;
}

export interface TaskBrief {
  task: string;
  stage: string;
  state: string;
  attempts: number;
  queued_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  seconds: number | null;
  peak_rss_mb: number | null;
  cpu_seconds: number | null;
  progress: Progress | null;
  error: string | null;
  hint: string | null;
  reason: string | null;
  output: unknown;
  branch_taken: string[] | null;
}

export interface RunDetail extends RunBrief {
  version: { id: number | string } | null;
  /** `pid` is null where it is not known any more. */
  owner: { pid: number | null; alive: boolean } | null;
  graph: Graph;
  tasks: TaskBrief[];
  backfill: string | number | null;
  /** The run whose outputs it started with. */
  replay_of: string | null;
  resumable: boolean;
  cancellable: boolean;
}

export interface RunEvent {
  seq: number;
  at: string;
  kind: string;
  text: string;
  body: unknown;
}

export interface AttemptFact {
  attempt: number;
  state: string;
  started_at: string | null;
  ended_at: string | null;
  seconds: number | null;
  exit: string | null;
  pid: number | null;
  peak_rss_mb: number | null;
  cpu_seconds: number | null;
  error: { message: string; causes: string[]; hint: string | null } | null;
  log_bytes: number | null;
}

export interface Series {
  name: string;
  points: [number, number | null][];
}

export interface TaskDetail extends Omit<TaskBrief, "attempts"> {
  inputs: unknown;
  attempts: AttemptFact[];
  metrics: Series[];
}

export interface LogPart {
  offset: number;
  next_offset: number;
  size: number;
  complete: boolean;
  text: string;
}

export interface TaskUnderWay {
  run: string;
  pipeline: string;
  task: string;
  stage: string;
  attempts: number;
  seconds: number | null;
}

export interface Overview {
  daemon: { alive: boolean; pid: number; started_at: string; address: string | null } | null;
  running: TaskUnderWay[];
  queued: Record<string, number>;
  failures: RunBrief[];
}
