// The login page: a form that posts to the API, and the one-time link of a first start (`/login#token`).
// It shares no file with the application: these few lines are all that somebody without a session gets.

import "./login.css";

const form = document.querySelector<HTMLFormElement>("form");
const alert = document.querySelector<HTMLElement>("[role=alert]");

/** Where to go afterwards: a path of this server, never another host. */
function destination(): string {
  const next = new URLSearchParams(location.search).get("next");
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

async function signIn(body: object): Promise<void> {
  const answer = await fetch("/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) {
    location.replace(destination());
    return;
  }
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
  throw new Error(problem.detail ?? problem.title ?? `the server answered ${answer.status}`);
}

function attempt(body: object): void {
  signIn(body).catch((error: Error) => {
    if (alert) alert.textContent = error.message;
  });
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const data = new FormData(form);
  attempt({ user: data.get("user"), password: data.get("password") });
});

// The token lies behind `#`, so that it is in no log; it is taken out of the address before anything else.
if (location.hash.length > 1) {
  const link_token = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
  attempt({ link_token });
}
