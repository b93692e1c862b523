// What a place shows that has nothing to show: not yet, nothing there, or an error with its remedy.

import type { ComponentChildren } from "preact";
import type { Resource } from "../api/use";
import type { Problem } from "../api/client";

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="sr-only">loading</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} class="skeleton-row" />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div class="muted">{children}</div>}
    </div>
  );
}

export function ProblemBox({ problem, retry }: { problem: Problem; retry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p class="problem-title">{problem.detail ?? problem.title}</p>
      {problem.diagnostics.length > 0 && (
        <ul>
          {problem.diagnostics.map((one, i) => (
            <li key={i}>
              {one.message}
              {one.line > 0 && <span class="muted"> (line {one.line})</span>}
              {one.hint && <div class="muted">{one.hint}</div>}
            </li>
          ))}
        </ul>
      )}
      {problem.hint && <p class="hint">{problem.hint}</p>}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Draws `children` once there is data; an error above what was known before. */
export function Loaded<T>({ of, rows, children }: { of: Resource<T>; rows?: number; children: (data: T) => ComponentChildren }) {
  if (of.data === undefined) return of.error ? <ProblemBox problem={of.error} retry={of.reload} /> : <Skeleton {...(rows ? { rows } : {})} />;
  return (
    <>
      {of.error && <ProblemBox problem={of.error} retry={of.reload} />}
      {children(of.data)}
    </>
  );
}
