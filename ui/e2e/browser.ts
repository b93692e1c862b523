// A browser that watches over what no page may do: throw, complain on its console, ask another host.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import type { Daemon } from "./daemon";

const PATHS = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser"];
const OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Debian's Chromium, or null where there is none. With `RECFLOW_REQUIRE_CHROMIUM` that is an error. */
export function chromiumPath(): string | null {
  const found = PATHS.find((path) => path !== "" && existsSync(path)) ?? null;
  if (found === null && process.env.RECFLOW_REQUIRE_CHROMIUM) throw new Error("there is no Chromium");
  if (found === null) console.warn("there is no Chromium (apt install chromium): the tests in a browser are skipped");
  return found;
}

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath() ?? "", args: OPTIONS });
}

export interface View {
  theme?: "light" | "dark";
  width?: number;
  height?: number;
}

/** A window of somebody who is signed in, and what it complained about so far. */
export interface Window {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console, exceptions, requests to other hosts, answers that are errors. */
  complaints: string[];
}

/** Opens a window without a session. */
export async function open(browser: Browser, daemon: Daemon, view: View = {}): Promise<Window> {
  const context = await browser.newContext({
    baseURL: daemon.url,
    viewport: { width: view.width ?? 1360, height: view.height ?? 860 },
    colorScheme: view.theme ?? "light",
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  // `RECFLOW_UI_DIST=dist` looks at a build that is not in the program yet.
  const dist = process.env.RECFLOW_UI_DIST;
  if (dist) await replaceBuild(context, dist);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== daemon.url) complaints.push(`asked ${url.href}`);
  });
  page.on("dialog", (dialog) => {
    complaints.push(`a script opened a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, complaints };
}

/** Answers with the files of `dist` and the headers of the daemon. */
export async function replaceBuild(context: BrowserContext, dist: string): Promise<void> {
  await context.route("**/assets/*", (route) => route.fulfill({ path: join(dist, new URL(route.request().url()).pathname) }));
  await context.route(/\/login(\?|$)/, async (route) => route.fulfill({ response: await route.fetch(), path: join(dist, "login.html") }));
}

/** Signs in through the one-time link; the session can be used by later windows of the same context. */
export async function signIn(window: Window, daemon: Daemon): Promise<void> {
  if (daemon.link === null) throw new Error("the link of this daemon is used up");
  await window.page.goto(daemon.link);
  await window.page.waitForURL((url) => url.pathname === "/");
  await window.page.getByRole("heading", { name: "Pipelines", level: 1 }).waitFor();
}
