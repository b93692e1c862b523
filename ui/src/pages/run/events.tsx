// Everything that happened in a run, in order.

import { useState } from "preact/hooks";
import { at, get } from "../../api/client";
import type { Page, RunEvent } from "../../api/types";
import { useResource } from "../../api/use";
import { JsonTree } from "../../parts/json-tree";
import { Empty, Loaded } from "../../parts/states";
import { Time } from "../../parts/time";
import { toastProblem } from "../../parts/toast";

const LIMIT = 200;

export function EventsTab({ run }: { run: string }) {
  const first = useResource<Page<RunEvent>>(at`/runs/${run}/events?limit=${LIMIT}`, (change) => change.run === run);
  const [more, setMore] = useState<RunEvent[]>([]);
  return (
    <section class="card">
      <Loaded of={first} rows={10}>
        {(page) => {
          const last = page.items.at(-1)?.seq ?? 0;
          const events = [...page.items, ...more.filter((event) => event.seq > last)];
          const read = () =>
            get<Page<RunEvent>>(at`/runs/${run}/events?limit=${LIMIT}&after=${events.at(-1)?.seq ?? 0}`).then((next) => setMore((before) => [...before, ...next.items]), toastProblem);
          if (events.length === 0) return <Empty title="Nothing has happened yet" />;
          return (
            <>
              <ol class="events">
                {events.map((event) => (
                  <EventRow key={event.seq} event={event} />
                ))}
              </ol>
              {page.items.length === LIMIT && (
                <p class="more">
                  <button type="button" onClick={() => void read()}>
                    Later events
                  </button>
                </p>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function EventRow({ event }: { event: RunEvent }) {
  return (
    <li>
      <span class="num muted">{event.seq}</span>
      <Time at={event.at} />
      <details>
        <summary>{event.text || event.kind.replaceAll("_", " ")}</summary>
        <JsonTree value={event.body} label={`Event ${event.seq}`} />
      </details>
    </li>
  );
}
