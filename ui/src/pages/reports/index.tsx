// Reports: the pages that runs and tasks wrote; one of them inside a frame that may do nothing.

import type { PageProps } from "../../app";
import { API } from "../../api/client";
import type { ReportListed } from "../../api/models";
import type { Page } from "../../api/types";
import { useResource } from "../../api/use";
import { bytes } from "../../lib/format";
import { Heading } from "../../parts/heading";
import { Empty, Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import "./reports.css";

export function ReportsPage({ params }: PageProps) {
  const reports = useResource<Page<ReportListed>>("/reports?limit=500", (change) => change.kind === "run");
  const open = params["report"];
  if (open === undefined) return <List reports={reports} />;
  return <Open id={open} report={reports.data?.items.find((one) => one.id === open)} isLoaded={reports.data !== undefined} />;
}

function List({ reports }: { reports: ReturnType<typeof useResource<Page<ReportListed>>> }) {
  return (
    <>
      <Heading title="Reports" />
      <Loaded of={reports} rows={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="There is no report yet">
              <p>
                <code>recflow report latest</code> writes one of a run; the stage “report” writes one in a pipeline.
              </p>
            </Empty>
          ) : (
            <section class="card" aria-label="Reports">
              <Table
                caption="Reports of this workspace"
                rows={items}
                rowKey={(one) => one.id}
                columns={[
                  {
                    name: "Report",
                    by: (one) => one.title,
                    cell: (one) => (
                      <a class="link" href={`/reports/${encodeURIComponent(one.id)}`}>
                        {one.title || one.path}
                      </a>
                    ),
                  },
                  { name: "Of", by: (one) => one.run, cell: (one) => <Origin of={one} /> },
                  { name: "File", by: (one) => one.path, cell: (one) => <code>{one.path}</code>, minor: true },
                  { name: "Size", numeric: true, by: (one) => one.bytes, cell: (one) => bytes(one.bytes), minor: true },
                  { name: "Written", by: (one) => one.at, cell: (one) => <Time at={one.at} as="relative" /> },
                ]}
              />
            </section>
          )
        }
      </Loaded>
    </>
  );
}

function Origin({ of }: { of: ReportListed }) {
  if (!of.run) return <span class="muted">–</span>;
  const run = `/runs/${encodeURIComponent(of.run)}`;
  return <a href={of.task ? `${run}/tasks/${encodeURIComponent(of.task)}` : run}>{of.task ? `${of.run}/${of.task}` : of.run}</a>;
}

function Open({ id, report, isLoaded }: { id: string; report: ReportListed | undefined; isLoaded: boolean }) {
  const source = `${API}/reports/${encodeURIComponent(id)}`;
  const title = report?.title || report?.path || "Report";
  if (isLoaded && !report) {
    return (
      <>
        <Heading title="Report" trail={[["/reports", "Reports"]]} />
        <Empty title="This report is not there any more">
          <a href="/reports">All reports</a>
        </Empty>
      </>
    );
  }
  return (
    <>
      <Heading title={title} trail={[["/reports", "Reports"]]}>
        {report?.run && <Origin of={report} />}
        <a class="button" href={source} download={`${title.replaceAll(/[^\p{L}\p{N}.-]+/gu, "-")}.html`}>
          Download
        </a>
      </Heading>
      {/* `sandbox` without a word: no script, no form, no way out, whatever the file says; the server sends the same as a policy. */}
      <iframe class="report" title={title} src={source} sandbox="" />
    </>
  );
}
