// Calls of the API: JSON in and out, errors as `Problem`, reads revalidated by ETag, writes with the session's CSRF token.

import type { Diagnostic, Session } from "./types";

export const API = "/api/v1";

/** What the API says when it refuses or fails (RFC 9457), or when there is no server to ask. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 if the server could not be reached. */
    readonly status: number,
    readonly title: string,
    readonly detail: string | null,
    readonly hint: string | null,
    /** `urn:recflow:problem:…`, or null. */
    readonly type: string | null,
    readonly diagnostics: Diagnostic[],
  ) {
    super(detail ?? title);
    this.name = "Problem";
  }

  static async of(answer: Response): Promise<Problem> {
    const body: unknown = await answer.json().catch(() => null);
    const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const text = (name: string) => (typeof fields[name] === "string" ? (fields[name] as string) : null);
    return new Problem(
      answer.status,
      text("title") ?? `the server answered ${answer.status}`,
      text("detail"),
      text("hint"),
      text("type"),
      Array.isArray(fields.diagnostics) ? (fields.diagnostics as Diagnostic[]) : [],
    );
  }

  static unreachable(): Problem {
    const hint = "is `recflow daemon` still running? This page tries again by itself";
    return new Problem(0, "the daemon cannot be reached", null, hint, null, []);
  }
}

/** An answer that was read before, with what the server calls it. */
interface Kept {
  etag: string | null;
  body: unknown;
}

/** Answers kept, the least recently used first; a page shows what it had while it asks again. */
const kept = new Map<string, Kept>();
const KEPT_MAX = 200;

function keep(path: string, answer: Kept): void {
  kept.delete(path);
  kept.set(path, answer);
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT_MAX) break;
    kept.delete(oldest);
  }
}

/** What `get` answered last for this path, if it is still known. */
export function known<T>(path: string): T | undefined {
  return kept.get(path)?.body as T | undefined;
}

/** Forgets every answer: another person is signed in. */
export function forgetAll(): void {
  kept.clear();
}

/** A session that has ended leads to the login page, and from there back to where one was. */
function refused(status: number): void {
  if (status !== 401) return;
  forgetAll();
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(API + path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw Problem.unreachable();
  }
}

/** Reads `path` (below `/api/v1`) without keeping the answer: for what is large and read once. */
export async function getOnce<T>(path: string, signal: AbortSignal): Promise<T> {
  const answer = await ask(path, { headers: { accept: "application/json" }, cache: "no-store", signal });
  if (answer.ok) return (await answer.json()) as T;
  refused(answer.status);
  throw await Problem.of(answer);
}

/** Reads `path` (below `/api/v1`). The same object comes back while the server says that nothing changed. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const before = kept.get(path);
  const headers: Record<string, string> = { accept: "application/json" };
  if (before?.etag) headers["if-none-match"] = before.etag;
  const answer = await ask(path, { headers, cache: "no-store", ...(signal ? { signal } : {}) });
  if (answer.status === 304 && before) return before.body as T;
  if (!answer.ok) {
    refused(answer.status);
    throw await Problem.of(answer);
  }
  const body: unknown = await answer.json();
  keep(path, { etag: answer.headers.get("etag"), body });
  return body as T;
}

let csrf: Promise<string> | null = null;

function csrfToken(): Promise<string> {
  csrf ??= get<Session>("/session").then((session) => session.csrf_token ?? "");
  csrf.catch(() => (csrf = null));
  return csrf;
}

async function write<T>(method: string, path: string, body: unknown): Promise<T> {
  const send = async () => {
    const headers: Record<string, string> = { "x-csrf-token": await csrfToken(), accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    return ask(path, { method, headers, ...(body !== undefined ? { body: JSON.stringify(body) } : {}) });
  };
  let answer = await send();
  if (answer.status === 403 && csrf !== null) {
    // The session may have been renewed in another tab: ask for its token once more.
    csrf = null;
    answer = await send();
  }
  if (!answer.ok) {
    refused(answer.status);
    throw await Problem.of(answer);
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const post = <T>(path: string, body: unknown = {}): Promise<T> => write<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => write<T>("PATCH", path, body);
export const remove = <T>(path: string): Promise<T> => write<T>("DELETE", path, undefined);

/** A path with parts and query escaped: `` at`/runs/${id}` ``. */
export function at(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return parts.reduce((path, part, i) => path + encodeURIComponent(values[i - 1] ?? "") + part);
}

/** `path?a=1&b=2` without what is null, undefined or empty. */
export function query(path: string, values: Record<string, string | number | boolean | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}
