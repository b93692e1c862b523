// Data: the datasets of the workspace; one of them in full, where the address names it.

import { query } from "../../api/client";
import type { DatasetListed } from "../../api/models";
import type { Page } from "../../api/types";
import { useResource } from "../../api/use";
import { bytes } from "../../lib/format";
import { whole } from "../../lib/figures";
import { Heading } from "../../parts/heading";
import { Empty, Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { useQuery } from "../../router";
import { Dataset } from "./dataset";

export function DataPage() {
  const [path] = useQuery("path");
  return path === "" ? <Datasets /> : <Dataset path={path} />;
}

function Datasets() {
  const found = useResource<Page<DatasetListed>>("/datasets", (change) => change.kind === "run");
  return (
    <>
      <Heading title="Data" />
      <Loaded of={found} rows={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="There is no dataset here yet">
              <p>
                The stages “etl” and “import” make one out of files of ratings; <a href="/pipelines/quickstart">quickstart</a> makes the ratings too.
              </p>
            </Empty>
          ) : (
            <section class="card" aria-label="Datasets">
              <Table
                caption="Datasets of this workspace"
                rows={items}
                rowKey={(one) => one.path}
                columns={[
                  {
                    name: "Dataset",
                    by: (one) => one.path,
                    cell: (one) => (
                      <a class="link mono" href={query("/data", { path: one.path })}>
                        {one.path}
                      </a>
                    ),
                  },
                  { name: "Rows", numeric: true, by: (one) => one.info?.rows ?? null, cell: (one) => whole(one.info?.rows) },
                  { name: "Snapshot", numeric: true, by: (one) => one.info?.snapshot ?? null, cell: (one) => one.info?.snapshot ?? "–" },
                  { name: "Files", numeric: true, by: (one) => one.info?.files ?? null, cell: (one) => whole(one.info?.files), minor: true },
                  { name: "Size", numeric: true, by: (one) => one.info?.bytes ?? null, cell: (one) => bytes(one.info?.bytes), minor: true },
                  { name: "Written", by: (one) => one.info?.created_at ?? null, cell: (one) => <State of={one} /> },
                ]}
              />
            </section>
          )
        }
      </Loaded>
    </>
  );
}

function State({ of }: { of: DatasetListed }) {
  if (of.error) return <span class="status tone-bad">cannot be read</span>;
  if (of.info?.created_at) return <Time at={of.info.created_at} as="relative" />;
  return <span class="muted">by another program</span>;
}
