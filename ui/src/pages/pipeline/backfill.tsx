// Runs for slots of the past: first what would become of each date, then the same for real.

import { useState } from "preact/hooks";
import { Problem, at, post } from "../../api/client";
import { plural } from "../../lib/format";
import { Dialog } from "../../parts/dialog";
import { ProblemBox } from "../../parts/states";
import { Time } from "../../parts/time";
import { toast } from "../../parts/toast";
import { navigate } from "../../router";

interface Planned {
  backfill: string | number | null;
  dates: { date: string; becomes: string }[];
}

export function BackfillDialog({ pipeline, onClose }: { pipeline: string; onClose: () => void }) {
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [reprocess, setReprocess] = useState("none");
  const [most, setMost] = useState("");
  const [plan, setPlan] = useState<Planned | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (dry_run: boolean) => {
    setBusy(true);
    setProblem(null);
    try {
      const body = { from: instant(from), to: instant(to), reprocess, dry_run, ...(most === "" ? {} : { max_active: Number(most) }) };
      const answer = await post<Planned>(at`/pipelines/${pipeline}/backfills`, body);
      if (dry_run) setPlan(answer);
      else {
        toast(`backfill of ${plural(answer.dates.length, "date")} is queued`);
        onClose();
        navigate(`${at`/pipelines/${pipeline}/runs`}?trigger=backfill`);
      }
    } catch (error) {
      setProblem(error instanceof Problem ? error : Problem.unreachable());
    }
    setBusy(false);
  };
  const changed = (set: (value: string) => void) => (event: { currentTarget: { value: string } }) => {
    set(event.currentTarget.value);
    setPlan(null);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void send(plan === null);
  };
  return (
    <Dialog title={`Backfill ${pipeline}`} onClose={onClose} wide>
      <form onSubmit={submit}>
        <div class="filters">
          <label>
            From <input type="datetime-local" required value={from} onInput={changed(setFrom)} />
          </label>
          <label>
            to (included) <input type="datetime-local" required value={to} onInput={changed(setTo)} />
          </label>
          <label>
            Dates that ran before{" "}
            <select value={reprocess} onChange={changed(setReprocess)}>
              <option value="none">stay as they are</option>
              <option value="failed">run again if they failed</option>
              <option value="all">run again</option>
            </select>
          </label>
          <label>
            At once, at most <input type="number" min={1} class="short" value={most} onInput={changed(setMost)} />
          </label>
        </div>
        {plan && <Plan plan={plan} />}
        {problem && <ProblemBox problem={problem} />}
        <footer>
          <button type="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" class="primary" disabled={busy || plan?.dates.length === 0}>
            {plan === null ? "Show what would run" : `Queue ${plural(plan.dates.length, "date")}`}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function instant(local: string): string {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? local : date.toISOString();
}

function Plan({ plan }: { plan: Planned }) {
  if (plan.dates.length === 0) return <p class="notice tone-warn">The schedule has no firing in between.</p>;
  return (
    <ul class="day-list bounded" tabIndex={0}>
      {plan.dates.map(({ date, becomes }) => (
        <li key={date}>
          <Time at={date} as="full" /> <span class="muted">{becomes}</span>
        </li>
      ))}
    </ul>
  );
}
