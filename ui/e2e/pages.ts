// Every page of the UI at an address with something to show: for the sweep of accessibility rules, and for the pictures of the documentation.

import type { Seeded } from "./seed";

/** A page, and the name of its picture. */
export interface Place {
  name: string;
  path: string;
}

/** All pages of a seeded workspace, but for the login page. */
export function pages({ runs, versions }: Seeded): Place[] {
  const [newest = "", older = ""] = versions;
  const quickstart = `/runs/${runs.quickstart}`;
  return [
    { name: "home", path: "/" },
    { name: "runs", path: "/runs" },
    { name: "pipeline-grid", path: "/pipelines/drift-retrain/grid" },
    { name: "pipeline-graph", path: "/pipelines/drift-retrain/graph" },
    { name: "pipeline-runs", path: "/pipelines/drift-retrain/runs" },
    { name: "pipeline-schedule", path: "/pipelines/nightly-import/schedule" },
    { name: "pipeline-source", path: "/pipelines/drift-retrain/source" },
    { name: "pipeline-run", path: "/pipelines/quickstart/run" },
    { name: "run-graph", path: `/runs/${runs.drift}/graph` },
    { name: "run-gantt", path: `/runs/${runs.drift}/gantt` },
    { name: "run-events", path: `${quickstart}/events` },
    { name: "run-failed", path: `/runs/${runs.failed}` },
    { name: "task", path: `${quickstart}/tasks/train` },
    { name: "task-failed", path: `/runs/${runs.failed}/tasks/check` },
    { name: "models", path: "/models" },
    { name: "models-decisions", path: "/models?view=decisions" },
    { name: "models-try", path: "/models?view=try" },
    { name: "model", path: `/models/${newest}` },
    { name: "models-compare", path: `/models/compare?a=${older}&b=${newest}` },
    { name: "drift", path: "/drift" },
    { name: "data", path: "/data" },
    { name: "dataset", path: "/data?path=data/quickstart/parquet/train" },
    { name: "dataset-rejected", path: "/data?path=data/nightly/ratings" },
    { name: "reports", path: "/reports" },
    { name: "system", path: "/system" },
    { name: "system-checks", path: "/system/checks" },
    { name: "system-access", path: "/system/access" },
    { name: "system-audit", path: "/system/audit" },
  ];
}
