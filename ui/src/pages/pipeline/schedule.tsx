// When the pipeline fired and will fire: a month at a time, a day in detail, and runs for dates of the past.

import { useState } from "preact/hooks";
import { at, query } from "../../api/client";
import type { Firing, Page, PipelineDetail, Slot } from "../../api/types";
import { useResource } from "../../api/use";
import { addMonths, byDay, monthOr, span, weeks } from "../../lib/calendar";
import { plural } from "../../lib/format";
import { lookOf } from "../../lib/status";
import { type Zone, day, dstWords, useNow, useZone } from "../../lib/time";
import { Icon } from "../../parts/icons";
import { Empty, ProblemBox } from "../../parts/states";
import { Status, StatusIcon } from "../../parts/status";
import { Duration, Time } from "../../parts/time";
import { setQuery, useQuery } from "../../router";
import { useMay } from "../../session";
import { BackfillDialog } from "./backfill";

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** Most entries that a month is asked for. */
const SLOTS_MAX = 500;
const FIRINGS_MAX = 500;

export function ScheduleTab({ pipeline }: { pipeline: PipelineDetail }) {
  const zone = useZone();
  const now = useNow(60_000);
  const [asked] = useQuery("month");
  const [chosen] = useQuery("day");
  const [backfilling, setBackfilling] = useState(false);
  const mayBackfill = useMay("operator");
  const month = monthOr(asked === "" ? chosen.slice(0, 7) : asked, now, zone);
  const { from, to } = span(month);
  const name = pipeline.pipeline;
  const past = useResource<Page<Slot>>(query(at`/pipelines/${name}/slots`, { from: from.toISOString(), to: to.toISOString(), limit: SLOTS_MAX }), (change) => change.pipeline === name);
  // Asked from the beginning of this hour on, so that the address does not change with every minute.
  const hour = new Date(Math.floor(now.getTime() / 3_600_000) * 3_600_000);
  const begin = from > hour ? from : hour;
  const next = useResource<Page<Firing>>(to > now && pipeline.schedule.length > 0 ? query(at`/pipelines/${name}/firings`, { next: FIRINGS_MAX, from: begin.toISOString() }) : null);
  const slots = byDay(past.data?.items ?? [], (slot) => slot.due ?? slot.created_at ?? "", zone);
  const firings = byDay((next.data?.items ?? []).filter((firing) => Date.parse(firing.time) > now.getTime()), (firing) => firing.time, zone);
  return (
    <div class="schedule">
      <section class="card">
        <header>
          <MonthHead month={month} />
          {mayBackfill && pipeline.schedule.length > 0 && (
            <button type="button" onClick={() => setBackfilling(true)}>
              Backfill …
            </button>
          )}
        </header>
        {past.error && <ProblemBox problem={past.error} retry={past.reload} />}
        {next.error && <ProblemBox problem={next.error} retry={next.reload} />}
        {next.data?.items.length === FIRINGS_MAX && (
          <p class="month-note muted">
            The next {FIRINGS_MAX} firings are shown, to <Time at={next.data.items.at(-1)?.time} as="full" />.
          </p>
        )}
        <Month month={month} today={day(now, zone)} chosen={chosen} slots={slots} firings={firings} />
      </section>
      <DayCard date={chosen || day(now, zone)} slots={slots.get(chosen || day(now, zone)) ?? []} firings={firings.get(chosen || day(now, zone)) ?? []} schedule={pipeline.schedule} zone={zone} />
      {backfilling && <BackfillDialog pipeline={name} onClose={() => setBackfilling(false)} />}
    </div>
  );
}

function MonthHead({ month }: { month: string }) {
  const title = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-15T00:00:00Z`));
  const go = (by: number) => setQuery({ month: addMonths(month, by), day: "" });
  return (
    <div class="month-head">
      <button type="button" class="square" aria-label="Previous month" onClick={() => go(-1)}>
        <Icon name="back" />
      </button>
      <h2 aria-live="polite">{title}</h2>
      <button type="button" class="square" aria-label="Next month" onClick={() => go(1)}>
        <Icon name="chevron" />
      </button>
      <button type="button" onClick={() => setQuery({ month: "", day: "" })}>
        Today
      </button>
    </div>
  );
}

interface MonthProps {
  month: string;
  today: string;
  chosen: string;
  slots: Map<string, Slot[]>;
  firings: Map<string, Firing[]>;
}

function Month({ month, today, chosen, slots, firings }: MonthProps) {
  return (
    <table class="month">
      <thead>
        <tr>
          {WEEKDAYS.map((weekday) => (
            <th key={weekday} scope="col">
              {weekday}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks(month).map((week) => (
          <tr key={week[0]}>
            {week.map((date) => (
              <td key={date} class={date.startsWith(month) ? undefined : "outside"}>
                <button type="button" class="day" aria-pressed={date === chosen} aria-current={date === today ? "date" : undefined} onClick={() => setQuery({ day: date, month })}>
                  <span class="day-number">{Number(date.slice(8))}</span>
                  <DayMarks slots={slots.get(date) ?? []} firings={firings.get(date) ?? []} />
                </button>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** At most so many marks fit into a day; more become counts. */
const MARKS_MAX = 6;

function DayMarks({ slots, firings }: { slots: Slot[]; firings: Firing[] }) {
  const dst = firings.find((firing) => firing.dst)?.dst;
  const counts = new Map<string, number>();
  for (const slot of slots) counts.set(slot.became, (counts.get(slot.became) ?? 0) + Math.max(1, slot.slots));
  const few = slots.length + firings.length <= MARKS_MAX;
  return (
    <span class="day-marks">
      {few
        ? slots.map((slot, i) => <StatusIcon key={i} status={slot.became} />)
        : [...counts].map(([became, many]) => (
            <span key={became} class={`status tone-${lookOf(became).tone}`}>
              <StatusIcon status={became} />
              {many}
            </span>
          ))}
      {few
        ? firings.map((firing) => <span key={firing.time} class="firing" role="img" aria-label={`fires ${firing.local}`} />)
        : firings.length > 0 && <span class="muted num">{plural(firings.length, "firing")}</span>}
      {dst && (
        <span class="dst" title={dstWords(dst)}>
          DST
        </span>
      )}
    </span>
  );
}

/** What the schedule's own clock shows then, where that is not what is shown anyway. */
function ownClock({ time, local }: Firing): string {
  const [date = "", clock = ""] = local.split("T");
  const offset = /(Z|[+-]\d\d:\d\d)/.exec(clock)?.[0] ?? "";
  return Date.parse(time) === Date.parse(`${date}T${clock.slice(0, 8)}Z`) ? "" : `, ${clock.slice(0, 5)} on its own clock (${offset})`;
}

function DayCard({ date, slots, firings, schedule, zone }: { date: string; slots: Slot[]; firings: Firing[]; schedule: string[]; zone: Zone }) {
  return (
    <section class="card">
      <header>
        <h2 class="num">{date}</h2>
        <span class="muted">{zone === "utc" ? "UTC" : "your zone"}</span>
      </header>
      {slots.length + firings.length === 0 && (
        <Empty title="Nothing on this day">{schedule.length === 0 ? "The pipeline has no schedule: it starts by hand, or through triggers." : schedule.join("; ")}</Empty>
      )}
      <ul class="day-list">
        {slots.toReversed().map((slot, i) => (
          <li key={i}>
            <Time at={slot.due ?? slot.created_at} as="full" />
            {slot.run ? (
              <a href={at`/runs/${slot.run}`}>
                <Status status={slot.became} />
              </a>
            ) : (
              <Status status={slot.became} />
            )}
            {slot.slots > 1 && <span class="muted">{plural(slot.slots, "slot")}</span>}
            {slot.seconds !== null && <Duration seconds={slot.seconds} />}
            {slot.reason && <span class="muted">{slot.reason}</span>}
          </li>
        ))}
        {firings.map((firing) => (
          <li key={firing.time}>
            <Time at={firing.time} as="full" />
            <span class="muted">fires{ownClock(firing)}</span>
            {firing.dst && <span class="dst">{dstWords(firing.dst)}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
