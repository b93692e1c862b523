// A seeded workspace with a daemon in it, and a browser that is signed in: what the tests of whole pages work on.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { type Seeded, seed } from "./seed";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Off: whatever talks to other hosts, and what a machine without a screen has not. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Everything that a test of pages needs. */
export interface World {
  /** `http://127.0.0.1:PORT`. */
  base: string;
  seeded: Seeded;
  browser: Browser;
  /** Cookies of an administrator. */
  state: Awaited<ReturnType<BrowserContext["storageState"]>>;
  close: () => Promise<void>;
}

/** The program under test: `RECFLOW_BIN`, or what `cargo build` made. */
function program(): string {
  const found = resolve(process.env.RECFLOW_BIN ?? join(import.meta.dirname, "../../target/debug/recflow"));
  if (!existsSync(found)) throw new Error(`there is no ${found}: build it with \`cargo build\`, or name it in RECFLOW_BIN`);
  return found;
}

/** The browser's program. Its absence is an error: a sweep that swept nothing must not pass. */
function browserProgram(): string {
  const found = [process.env.CHROMIUM, ...BROWSERS].find((one) => one !== undefined && existsSync(one));
  if (!found) throw new Error("there is no Chromium: apt install chromium, or name it in CHROMIUM");
  return found;
}

/** Seeds a workspace, starts a daemon in it, and signs in by the link that it prints. */
export async function world(): Promise<World> {
  const recflow = program();
  const workspace = mkdtempSync(join(tmpdir(), "recflow-ui-"));
  const seeded = seed(recflow, workspace);
  const daemon = spawn(recflow, ["daemon", "--listen", "127.0.0.1:0"], { cwd: workspace, stdio: ["ignore", "ignore", "pipe"] });
  const link = await firstLink(daemon);
  const browser = await chromium.launch({ executablePath: browserProgram(), args: FLAGS });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.waitForURL((url) => url.pathname === "/");
  const state = await context.storageState();
  await context.close();
  const close = async () => {
    await browser.close();
    const over = new Promise((done) => daemon.once("exit", done));
    daemon.kill("SIGTERM");
    await over;
    rmSync(workspace, { recursive: true, force: true });
  };
  return { base: new URL(link).origin, seeded, browser, state, close };
}

/** The link that a daemon without users prints, once. */
function firstLink(daemon: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let said = "";
    daemon.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const link = /https?:\/\/\S+\/login#\S+/.exec(said)?.[0];
      if (link) found(link);
    });
    daemon.once("exit", (code) => failed(new Error(`the daemon ended with ${code}: ${said}`)));
  });
}
