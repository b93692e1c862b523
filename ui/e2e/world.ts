// A seeded workspace with a daemon in it, and a browser that is signed in: what the tests of whole pages work on.

import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { launch, replaceBuild } from "./browser";
import { Daemon, program } from "./daemon";
import { type Seeded, seed } from "./seed";

/** Everything that a test of pages needs. */
export interface World {
  /** `http://127.0.0.1:PORT`. */
  base: string;
  seeded: Seeded;
  /** Cookies of an administrator. */
  state: Awaited<ReturnType<BrowserContext["storageState"]>>;
  /** A window without a session, unless `state` is among the options. */
  open: (options: BrowserContextOptions) => Promise<BrowserContext>;
  close: () => Promise<void>;
}

/** Seeds a workspace, starts a daemon in it, and signs in by the link that it prints. */
export async function world(): Promise<World> {
  let seeded: Seeded | null = null;
  const daemon = await Daemon.start((workspace) => {
    seeded = seed(program(), workspace);
  });
  const browser = await launch();
  const open = (options: BrowserContextOptions) => window(browser, options);
  const context = await open({});
  const page = await context.newPage();
  await page.goto(daemon.link ?? "");
  await page.waitForURL((url) => url.pathname === "/");
  const state = await context.storageState();
  await context.close();
  const close = async () => {
    await browser.close();
    await daemon.stop();
  };
  if (seeded === null) throw new Error("the workspace was not seeded");
  return { base: daemon.url, seeded, state, open, close };
}

async function window(browser: Browser, options: BrowserContextOptions): Promise<BrowserContext> {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const dist = process.env.RECFLOW_UI_DIST;
  if (dist) await replaceBuild(context, dist);
  return context;
}
