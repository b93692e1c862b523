// Lines that the work behind a snapshot read and rejected.

import { at } from "../../api/client";
import type { TaskDetail } from "../../api/types";
import { useResource } from "../../api/use";
import { share, whole } from "../../lib/figures";
import { Table } from "../../parts/table";
import { work } from "../models/facts";
import { kind, rejections } from "./rejections";

export function Rejected({ publishKey, path }: { publishKey: string | null; path: string }) {
  const task = work(publishKey);
  // The run may be gone by now, and then so is what it said.
  const detail = useResource<TaskDetail>(task ? at`/runs/${task.run}/tasks/${task.task}` : null);
  const found = rejections(detail.data?.output, path);
  if (!task || !found) return null;
  return (
    <section class="card" aria-labelledby="rejected">
      <header>
        <h2 id="rejected">Rejected lines</h2>
        <span class="muted num">
          {whole(found.rejected)} of {whole((found.read ?? 0) + found.rejected)}, {share(found.rejected / Math.max(1, (found.read ?? 0) + found.rejected), 2)}
        </span>
      </header>
      {found.byKind.length > 0 ? (
        <Table
          caption="Rejected lines by kind"
          rows={found.byKind}
          rowKey={([name]) => name}
          columns={[
            { name: "What is wrong", cell: ([name]) => kind(name) },
            { name: "Kind", cell: ([name]) => <code>{name}</code>, minor: true },
            { name: "Lines", numeric: true, by: ([, lines]) => lines, cell: ([, lines]) => whole(lines) },
          ]}
        />
      ) : (
        <p class="body muted">None: every line that was read is a rating.</p>
      )}
      {found.file && (
        <p class="body muted">
          Each with its file, line and text in <code>{found.file}</code>, written by{" "}
          <a href={`/runs/${encodeURIComponent(task.run)}/tasks/${encodeURIComponent(task.task)}`}>{task.task}</a>
        </p>
      )}
    </section>
  );
}
