// The log of an attempt as it grows: what is there already in pages, then what comes, by a stream that goes on at the byte where it was cut.

import { useEffect, useRef, useState } from "preact/hooks";
import { type LogLine, LogText } from "../lib/log";
import { Problem, getOnce, query } from "./client";
import { type Stream, follow } from "./sse";
import type { LogPart } from "./types";

export interface Log {
  lines: LogLine[];
  size: number;
  loading: boolean;
  error: Problem | null;
}

const PART_BYTES = 1 << 20;

export function useLog(path: string, live: boolean): Log {
  const [log, setLog] = useState<Log>({ lines: [], size: 0, loading: true, error: null });
  // A run that ends while one watches must not read its log anew: only what it is called starts it.
  const isLive = useRef(live);
  isLive.current = live;
  useEffect(() => {
    const abort = new AbortController();
    let stream: Stream | null = null;
    const text = new LogText();
    const show = (loading: boolean, size: number) => setLog({ lines: [...text.lines], size, loading, error: null });
    read(path, text, abort.signal, (size) => show(true, size)).then(
      (end) => {
        if (abort.signal.aborted) return;
        show(false, end.offset);
        if (end.complete || !isLive.current) return;
        stream = tail(path, end.offset, text, (size) => show(false, size));
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (error instanceof Problem && error.status === 404) return show(false, 0);
        setLog((before) => ({ ...before, loading: false, error: error instanceof Problem ? error : Problem.unreachable() }));
      },
    );
    return () => {
      abort.abort();
      stream?.close();
    };
  }, [path]);
  return log;
}

async function read(path: string, text: LogText, signal: AbortSignal, progress: (size: number) => void): Promise<{ offset: number; complete: boolean }> {
  let offset = 0;
  for (;;) {
    const part = await getOnce<LogPart>(query(path, { offset, limit: PART_BYTES }), signal);
    const isLast = part.next_offset >= part.size || part.next_offset <= offset;
    text.push(part.text, isLast && part.complete);
    offset = Math.max(offset, part.next_offset);
    if (isLast) return { offset, complete: part.complete };
    progress(offset);
  }
}

/** Lines come faster than they can be read: they are shown a few times a second. */
function tail(path: string, from: number, text: LogText, show: (size: number) => void): Stream {
  let size = from;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      show(size);
    }, 150);
  };
  const stream = follow(
    `${path}/stream`,
    {
      message: ({ id, event, data }) => {
        if (id !== null) size = Number(id);
        if (event === "end") {
          text.push("", true);
          stream.close();
        } else text.push(`${data}\n`);
        soon();
      },
    },
    String(from),
  );
  return {
    close: () => {
      stream.close();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
