// One dataset: rows by month, how people rated, its columns, its snapshots and the work behind them, and what that work rejected.

import { query } from "../../api/client";
import type { DatasetDetail, Snapshot } from "../../api/models";
import { useResource } from "../../api/use";
import { Histogram } from "../../charts/Histogram";
import { MonthBars } from "../../charts/MonthBars";
import { bytes } from "../../lib/format";
import { fixed, whole } from "../../lib/figures";
import { Facts } from "../../parts/facts";
import { Heading } from "../../parts/heading";
import { Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { work } from "../models/facts";
import { Rejected } from "./rejected";

export function Dataset({ path }: { path: string }) {
  const detail = useResource<DatasetDetail>(query("/datasets/detail", { path }), (change) => change.kind === "run");
  return (
    <>
      <Heading title={path} trail={[["/data", "Data"]]} />
      <Loaded of={detail} rows={10}>
        {(found) => (
          <div class="stack">
            <div class="columns">
              <About of={found} />
              <HowRated of={found} />
            </div>
            <section class="card" aria-label="Rows by month">
              <div class="body">
                <MonthBars title="Rows by month" months={found.months} />
              </div>
            </section>
            <Rejected publishKey={found.publish_key} path={path} />
            <Snapshots of={found.snapshots ?? []} />
          </div>
        )}
      </Loaded>
    </>
  );
}

function About({ of }: { of: DatasetDetail }) {
  return (
    <section class="card" aria-labelledby="about">
      <header>
        <h2 id="about">Now</h2>
        <span class="muted">{of.snapshot === null ? "a plain folder" : `snapshot ${of.snapshot}`}</span>
      </header>
      <div class="body">
        <Facts
          facts={[
            ["Rows", <strong class="num">{whole(of.rows)}</strong>],
            ["Files", `${whole(of.files)}, ${bytes(of.bytes)}`],
            ["Written", of.created_at && <Time at={of.created_at} as="full" />],
            ["By", <Writer of={of} />],
            ["Ratings are", of.rating_type === "int" ? "whole stars" : "half stars"],
            ["Ids mapped", of.ids && `${whole(of.ids.users)} users, ${whole(of.ids.items)} items`],
            ["Columns", of.columns.map((column) => `${column.name} ${column.type}`).join(", ")],
            ["Fingerprint", <code title={of.fingerprint}>{of.fingerprint.slice(0, 16)}…</code>],
            ["Folder", <code>{of.dir}</code>],
          ]}
        />
      </div>
    </section>
  );
}

function Writer({ of }: { of: Snapshot }) {
  const task = work(of.publish_key);
  if (!task) return <span>{of.restores === null ? of.created_by : `a rollback to snapshot ${of.restores}`}</span>;
  return (
    <a href={`/runs/${encodeURIComponent(task.run)}/tasks/${encodeURIComponent(task.task)}`}>
      {task.run}/{task.task}
    </a>
  );
}

function HowRated({ of }: { of: DatasetDetail }) {
  const total = of.ratings.reduce((sum, one) => sum + one.rows, 0);
  const mean = total > 0 ? of.ratings.reduce((sum, one) => sum + one.rating * one.rows, 0) / total : null;
  return (
    <section class="card" aria-labelledby="rated">
      <header>
        <h2 id="rated">Ratings</h2>
        <span class="muted num">mean {fixed(mean, 3)}</span>
      </header>
      <div class="body">
        <Histogram
          title="Share of each rating"
          heading="Rating"
          classes={of.ratings.map((one) => String(one.rating))}
          groups={[{ label: "Rows", shares: of.ratings.map((one) => (total > 0 ? one.rows / total : 0)), rows: of.ratings.map((one) => one.rows) }]}
        />
      </div>
    </section>
  );
}

function Snapshots({ of }: { of: Snapshot[] }) {
  if (of.length === 0) return null;
  const rowsBefore = new Map(of.map((one, place) => [one, of[place + 1]?.rows ?? null]));
  return (
    <section class="card" aria-labelledby="snapshots">
      <header>
        <h2 id="snapshots">Snapshots that are kept</h2>
      </header>
      <Table
        caption="Snapshots of this dataset"
        rows={of}
        rowKey={(one) => one.snapshot ?? "plain"}
        columns={[
          { name: "Snapshot", numeric: true, by: (one) => one.snapshot, cell: (one) => one.snapshot ?? "–" },
          { name: "Written", by: (one) => one.created_at, cell: (one) => <Time at={one.created_at} as="full" /> },
          { name: "How", cell: (one) => (one.restores === null ? (one.mode ?? "–") : `rolled back to ${one.restores}`) },
          { name: "Rows", numeric: true, by: (one) => one.rows, cell: (one) => whole(one.rows) },
          { name: "Change", numeric: true, cell: (one) => <Growth rows={one.rows} before={rowsBefore.get(one) ?? null} />, minor: true },
          { name: "Files", numeric: true, by: (one) => one.files, cell: (one) => whole(one.files), minor: true },
          { name: "Size", numeric: true, by: (one) => one.bytes, cell: (one) => bytes(one.bytes), minor: true },
          { name: "By", cell: (one) => <Writer of={one} /> },
        ]}
      />
    </section>
  );
}

function Growth({ rows, before }: { rows: number; before: number | null }) {
  if (before === null) return <span class="muted">–</span>;
  const grown = rows - before;
  return <span>{grown === 0 ? "±0" : `${grown > 0 ? "+" : ""}${whole(grown)}`}</span>;
}
