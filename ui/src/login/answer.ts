// What the login page makes of its address and of the server's answers. Pure.

/** Where to go after signing in: a path of this server, never another host. */
export function destination(search: string): string {
  const next = new URLSearchParams(search).get("next");
  return next !== null && /^\/(?![/\\])[^\t\r\n]*$/.test(next) ? next : "/";
}

/** The one-time token behind `#`, as `#link=…` or alone; null if there is none. */
export function linkToken(hash: string): string | null {
  const text = hash.replace(/^#/, "");
  const token = text.startsWith("link=") ? text.slice("link=".length) : text;
  if (token === "" || token.includes("=")) return null;
  try {
    return decodeURIComponent(token);
  } catch {
    return null;
  }
}

/** What to tell who was refused. */
export interface Refusal {
  text: string;
  /** Seconds until another attempt is listened to; 0 if at once. */
  wait: number;
}

/** What an answer says, in words. `retryAfter` is the header of that name, `byLink` whether a link was used. */
export function refusal(status: number, body: unknown, retryAfter: string | null, byLink: boolean): Refusal {
  const fields = (typeof body === "object" && body !== null ? body : {}) as { detail?: unknown; title?: unknown };
  const said = typeof fields.detail === "string" ? fields.detail : typeof fields.title === "string" ? fields.title : null;
  if (status === 429) {
    const wait = Math.min(3600, Math.max(1, Math.ceil(Number(retryAfter ?? "") || 30)));
    return { text: "Too many attempts. After a moment you can try again.", wait };
  }
  if (status === 401 && byLink) return { text: "This link has been used, or is too old. Ask for another one, or sign in with a password.", wait: 0 };
  if (status === 401) return { text: "That user and password do not go together.", wait: 0 };
  return { text: said ?? `The server answered ${status}.`, wait: 0 };
}
