// The versions as a table. Two that are picked can be compared.

import { useState } from "preact/hooks";
import { query } from "../../api/client";
import type { ModelVersion } from "../../api/models";
import { figure, HEADLINES, metric, whole } from "../../lib/figures";
import { type Column, Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { byAge, text, versionName } from "./facts";

export function Versions({ versions, folder }: { versions: ModelVersion[]; folder: string }) {
  const [picked, setPicked] = useState<string[]>([]);
  // The two that were picked last: a third replaces the older one.
  const pick = (version: string, on: boolean) => setPicked((before) => [...before.filter((one) => one !== version), ...(on ? [version] : [])].slice(-2));
  const aged = byAge(versions).toReversed();
  const [a, b] = byAge(versions.filter((one) => picked.includes(one.version)));
  return (
    <section class="card" aria-labelledby="versions">
      <header>
        <h2 id="versions">Versions</h2>
        {a && b ? (
          <a class="button" href={query("/models/compare", { a: a.version, b: b.version, folder })}>
            Compare the two
          </a>
        ) : (
          <span class="muted">{picked.length === 1 ? "Pick one more to compare" : "Pick two to compare"}</span>
        )}
      </header>
      <Table
        caption="Versions of the model"
        rows={aged}
        rowKey={(one) => one.version}
        rowClass={(one) => (one.current ? "is-current" : undefined)}
        columns={columns(picked, pick, folder)}
      />
    </section>
  );
}

function columns(picked: string[], pick: (version: string, on: boolean) => void, folder: string): Column<ModelVersion>[] {
  const param = (one: ModelVersion, name: string) => text(one.params?.[name]);
  return [
    {
      name: "Compare",
      cell: (one) => (
        <input
          type="checkbox"
          aria-label={`compare ${versionName(one.version)}`}
          checked={picked.includes(one.version)}
          onChange={(event) => pick(one.version, event.currentTarget.checked)}
        />
      ),
    },
    {
      name: "Version",
      by: (one) => one.version,
      cell: (one) => (
        <>
          <a class="num" href={query(`/models/${encodeURIComponent(one.version)}`, { folder })}>
            {versionName(one.version)}
          </a>{" "}
          {one.current && <span class="badge badge-current">current</span>}
        </>
      ),
    },
    ...HEADLINES.map((name) => ({
      name: metric(name).title,
      numeric: true,
      by: (one: ModelVersion) => one.metrics[name] ?? null,
      cell: (one: ModelVersion) => figure(name, one.metrics[name]),
    })),
    { name: "Rank", numeric: true, by: (one) => one.rank, cell: (one) => whole(one.rank), minor: true },
    { name: "Reg", numeric: true, by: (one) => Number(one.params?.reg ?? 0), cell: (one) => param(one, "reg"), minor: true },
    { name: "Sweeps", numeric: true, by: (one) => Number(one.params?.max_iter ?? 0), cell: (one) => param(one, "max_iter"), minor: true },
    { name: "Ratings", numeric: true, by: (one) => one.ratings, cell: (one) => whole(one.ratings), minor: true },
    { name: "Published", by: (one) => one.created_at, cell: (one) => <Time at={one.created_at} as="relative" />, minor: true },
  ];
}
