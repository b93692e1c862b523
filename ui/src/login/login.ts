// The login page: a form that posts to the API, and the one-time link of a first start (`/login#link=…`).
// It shares no file with the application: these few lines are all that somebody without a session gets.

import { applyTheme, theme } from "../theme";
import { destination, linkToken, type Refusal, refusal } from "./answer";
import "../styles/tokens.css";
import "./login.css";

applyTheme(theme());
const form = document.querySelector("form");
const button = document.querySelector("button");
const told = document.getElementById("told");
let countdown: ReturnType<typeof setInterval> | undefined;

function tell(text: string, tone: "busy" | "bad"): void {
  if (!told) return;
  told.textContent = text;
  told.dataset.tone = tone;
}

/** Tells why it did not work, and holds the button for `wait` seconds, which it counts down. */
function hold(text: string, wait: number): void {
  clearInterval(countdown);
  tell(text, "bad");
  let left = wait;
  const show = () => {
    if (button) {
      button.disabled = left > 0;
      button.textContent = left > 0 ? `Wait ${left} s` : "Sign in";
    }
    if (left === 0) clearInterval(countdown);
    left -= 1;
  };
  show();
  if (wait > 0) countdown = setInterval(show, 1000);
}

/** Null once signed in. */
async function signIn(body: { user: unknown; password: unknown } | { link_token: string }): Promise<Refusal | null> {
  const answer = await fetch("/api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return null;
  return refusal(answer.status, await answer.json().catch(() => null), answer.headers.get("retry-after"), "link_token" in body);
}

async function attempt(body: Parameters<typeof signIn>[0]): Promise<void> {
  if (button) button.disabled = true;
  tell("link_token" in body ? "Signing in with your link …" : "Signing in …", "busy");
  try {
    const refused = await signIn(body);
    if (!refused) {
      location.replace(destination(location.search));
      return;
    }
    hold(refused.text, refused.wait);
  } catch {
    hold("The daemon cannot be reached. Is it still running?", 0);
  }
  form?.querySelector<HTMLInputElement>("#password")?.select();
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const data = new FormData(form);
  void attempt({ user: data.get("user"), password: data.get("password") });
});

// The token lies behind `#`, so that it is in no log; it is taken out of the address before anything else.
const token = linkToken(location.hash);
if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
if (token === null) document.getElementById("user")?.focus();
else void attempt({ link_token: token });
