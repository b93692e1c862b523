// A workspace in which every page has something to show, made with the real program from generated ratings: models of three sizes, eight
// months of a stream that drifts and comes back, lines that are no ratings, a run that failed and its hint, a schedule, reports.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the pages of a seeded workspace are found by. */
export interface Seeded {
  /** A run of quickstart, of drift-retrain, and one that failed. */
  runs: { quickstart: string; drift: string; failed: string };
  /** Names of model versions, the newest first. */
  versions: string[];
}

/** How many stars lower people rate, month by month. */
const SHIFTS = [0, 0.2, 0.4, 0.8, 1.2, 0.3, 0.1, 0.9];
const STREAM = "data/quickstart/streaming";

const NIGHTLY = `name: nightly-import
description: Parse last night's ratings and refuse them where they cannot be right.
tags: [ratings, nightly]
schedule: { cron: "30 2 * * *", timezone: Europe/Berlin }
params:
  min_rows: { type: integer, default: 1000, minimum: 0, description: Fewest ratings that a night may bring }
tasks:
  etl:
    stage: etl
    with: { train_file: data/nightly/train.txt, train_output: data/nightly/ratings }
  check:
    stage: check
    needs: [etl]
    with: { ratings: "{{ tasks.etl.output.train.path }}", min_rows: "{{ params.min_rows }}" }
  report:
    stage: noop
    needs: [check]
`;

/** Fills `workspace`, an empty folder, by calls of the program at `recflow`. */
export function seed(recflow: string, workspace: string): Seeded {
  const call = (...args: string[]) => execFileSync(recflow, args, { cwd: workspace, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const json = <T>(...args: string[]) => JSON.parse(call(...args, "--json")) as T;
  const latest = (pipeline: string) => json<{ run: string; pipeline: string }[]>("runs").find((one) => one.pipeline === pipeline)?.run ?? "";
  call("init");
  for (const rank of [4, 8, 12]) call("run", "quickstart", "-q", "-p", "ratings=100000", "-p", `rank=${rank}`);
  SHIFTS.forEach((shift, month) => {
    writeFileSync(join(workspace, STREAM, "current.csv"), monthOf(readFileSync(join(workspace, STREAM, "nodrift.csv"), "utf8"), month + 1, shift));
    call("run", "drift-retrain", "-q", "-p", `stream_dir=${STREAM}`, "-p", "processed_dir=data/quickstart/parquet", "-p", "rank=8", "-p", "window=batch", "-p", "tolerance=0.0012");
  });
  call("report", "latest");
  mkdirSync(join(workspace, "data/nightly"), { recursive: true });
  writeFileSync(join(workspace, "data/nightly/train.txt"), nightOf(readFileSync(join(workspace, "data/quickstart/test.txt"), "utf8")));
  writeFileSync(join(workspace, "pipelines/nightly-import.yaml"), NIGHTLY);
  call("run", "nightly-import", "-q", "-p", "min_rows=10");
  // What fails is what this one is for.
  try {
    call("run", "nightly-import", "-q", "-p", "min_rows=1000000");
  } catch {
    // Its exit code says that a run failed.
  }
  return {
    runs: { quickstart: latest("quickstart"), drift: latest("drift-retrain"), failed: latest("nightly-import") },
    versions: json<{ version: string }[]>("models", "list").map((one) => one.version),
  };
}

/** A month of 2006 in which people rate `shift` stars lower than in the stream file `like`. The same every time. */
function monthOf(like: string, month: number, shift: number): string {
  const [head, ...rows] = like.trim().split("\n");
  const random = uniform(month);
  const shifted = rows.map((row, place) => {
    const [, user, movie, stars] = row.split(",");
    const day = 1 + Math.floor((place * 27) / rows.length);
    const rating = Math.min(5, Math.max(1, Math.round(Number(stars) - shift + random() - 0.5)));
    return `2006-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")},${user},${movie},${rating}`;
  });
  return [head, ...shifted, ""].join("\n");
}

/** The ratings of a file with some lines among them that are none. */
function nightOf(ratings: string): string {
  const wrong = ["12,six,2005-11-02", "12,6,2005-11-02", "12,6,2005-11-02", "twelve,3,2005-11-02", "12,3,2005-02-30", "12,3"];
  return `${ratings.trimEnd()}\n${wrong.join("\n")}\n`;
}

/** Numbers between 0 and 1 that are the same for a seed (Lehmer's generator, as Park and Miller give it). */
function uniform(seed: number): () => number {
  let state = seed * 7919 + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
