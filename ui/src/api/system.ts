// Shapes of the API about the daemon, its store, and who may use it. What may be unknown is null.

import type { Role } from "./types";

/** A pool of slots that tasks share. */
export interface Pool {
  pool: string;
  slots: number;
  used: number;
  waiting: number;
}

export interface SystemFacts {
  version: string;
  daemon: { alive: boolean; pid: number; started_at: string; address: string | null } | null;
  store: { path: string; bytes: number; wal_bytes: number; runs: number; task_rows: number; schema: number } | null;
  pools: Pool[];
  max_parallel_tasks: number | null;
  running_tasks: number;
  retention: { older_than_seconds: number; runs: number; logs_seconds: number; max_log_bytes: number };
  growth: { runs_last_day: number; runs_last_week: number; bytes_per_run: number | null; bytes_per_day: number | null };
}

/** A thing that was looked at, as `recflow doctor` tells it. */
export interface Check {
  name: string;
  verdict: "ok" | "warning" | "error";
  found: string;
  remedy: string | null;
}

export interface User {
  user: string;
  role: Role;
  /** Without one, only a link signs them in. */
  has_password: boolean;
  created_at: string;
}

export interface Token {
  id: string;
  name: string;
  user: string;
  /** `metrics`, or a role. */
  role: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

/** Something that somebody did, or tried. */
export interface AuditEntry {
  seq: number;
  at: string;
  user: string;
  /** `session`, `token ID`, `cli`, or empty for somebody unknown. */
  via: string;
  /** The `operationId` of the call. */
  action: string;
  /** Empty, as what follows, where there is nothing to say. */
  object: string;
  detail: string;
  address: string;
  /** `done`, `denied` or `failed: STATUS`. */
  outcome: string;
}
