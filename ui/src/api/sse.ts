// Server-Sent Events over `fetch`: unlike `EventSource` it says why it was refused, keeps the last id over reconnects that it makes itself, and backs off.

import { API } from "./client";

export interface Message {
  id: string | null;
  event: string;
  data: string;
}

/** Cuts a stream of text into messages, wherever the network cut it. Pure, but for what it has not finished reading. */
export class Parser {
  private rest = "";
  private id: string | null = null;
  private event = "";
  private data: string[] = [];

  push(chunk: string): Message[] {
    const messages: Message[] = [];
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) messages.push({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
        this.event = "";
        this.data = [];
        continue;
      }
      this.field(line);
    }
    return messages;
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // A comment keeps the connection alive.
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
  }
}

/** Milliseconds before the `n`th attempt to connect again (from 0): doubling to 30 s, spread by up to a half. */
export function backoff(n: number, random: () => number = Math.random): number {
  const full = Math.min(30_000, 1000 * 2 ** n);
  return full / 2 + (full / 2) * random();
}

export interface Stream {
  close(): void;
}

export interface Listener {
  message(message: Message): void;
  /** Whether it is connected now. */
  connected?(yes: boolean): void;
}

/**
 * Follows `path` until it is closed: after a lost connection it goes on behind the last message.
 * A refusal other than 429 or 5xx ends it: asking again would be answered the same.
 */
export function follow(path: string, listener: Listener, from: string | null = null): Stream {
  const abort = new AbortController();
  void run(path, listener, from, abort.signal);
  return { close: () => abort.abort() };
}

async function run(path: string, listener: Listener, from: string | null, signal: AbortSignal): Promise<void> {
  let last = from;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (last !== null) headers["last-event-id"] = last;
      const answer = await fetch(API + path, { headers, credentials: "same-origin", cache: "no-store", signal });
      if (!answer.ok || answer.body === null) {
        if (answer.status < 500 && answer.status !== 429) return;
        throw new Error(`refused with ${answer.status}`);
      }
      listener.connected?.(true);
      const parser = new Parser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        for (const message of parser.push(part.value)) {
          failures = 0;
          last = message.id ?? last;
          listener.message(message);
        }
      }
    } catch {
      // The loop below waits and connects again, or ends if it was closed.
    }
    if (signal.aborted) return;
    listener.connected?.(false);
    await pause(backoff(failures), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
