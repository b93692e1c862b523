// Every page at two sizes in both themes: no rule of WCAG 2.2 AA is broken (axe-core), nothing hangs over the edge, nothing is said on the
// console (so the content security policy holds), and no other host is asked for anything. With RECFLOW_UI_IMAGES=1 the pictures of the
// documentation are taken on the way; with names (`home,drift`), those alone.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath } from "./browser";
import { BYTES_MAX, takePictures } from "./pictures";
import { pages, type Place } from "./pages";
import { type World, world } from "./world";

const SIZES = [
  { width: 1280, height: 860 },
  { width: 360, height: 740 },
];
const THEMES = ["light", "dark"] as const;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let at: World;
beforeAll(async () => {
  if (chromiumPath() !== null) at = await world();
}, 180_000);
afterAll(() => at?.close(), 60_000);

/** What is wrong with a page, in lines. */
async function faults(page: Page, place: Place): Promise<string[]> {
  const said: string[] = [];
  const strangers: string[] = [];
  const hear = (message: { type(): string; text(): string }) => void (["error", "warning"].includes(message.type()) && said.push(`console: ${message.text()}`));
  const watch = (request: { url(): string }) => void (!request.url().startsWith(at.base) && !request.url().startsWith("data:") && strangers.push(`asks ${request.url()}`));
  page.on("console", hear).on("request", watch);
  await page.goto(at.base + place.path);
  await settled(page);
  await page.evaluate(AXE);
  const found = await page.evaluate(async (rules) => {
    // In the page, where the line above put axe-core.
    const { axe } = window as unknown as { axe: { run: (of: Document, how: object) => Promise<AxeResults> } };
    const { violations } = await axe.run(document, { runOnly: rules, iframes: false });
    const over = document.documentElement.scrollWidth - innerWidth;
    return { over, broken: violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.target.join(" ")).join(", ")}`) };
  }, RULES);
  page.off("console", hear).off("request", watch);
  return [...said, ...strangers, ...found.broken, ...(found.over > 0 ? [`hangs over by ${found.over} px`] : [])].map((fault) => `${place.path}: ${fault}`);
}

/** Waits until nothing is loading any more. Live streams stay open, so there is no waiting for a silent network. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector("h1");
  await page.waitForFunction(() => document.querySelector(".skeleton") === null);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function sweep(context: BrowserContext, places: Place[]): Promise<string[]> {
  const page = await context.newPage();
  page.on("pageerror", (error) => all.push(`${page.url()}: ${error.message}`));
  const all: string[] = [];
  for (const place of places) all.push(...(await faults(page, place)));
  await context.close();
  return all;
}

describe.skipIf(chromiumPath() === null).each(SIZES)("at $width pixels", (viewport) => {
  describe.each(THEMES)("in %s", (colorScheme) => {
    const look = { viewport, colorScheme };
    it("every page keeps the rules", async () => {
      const context = await at.open({ ...look, storageState: at.state });
      expect(await sweep(context, [...pages(at.seeded), await aReport()])).toEqual([]);
    }, 300_000);
    it("so does the login page", async () => {
      const context = await at.open(look);
      expect(await sweep(context, [{ name: "login", path: "/login" }])).toEqual([]);
    }, 60_000);
  });
});

/** The address of the first report in the list. */
async function aReport(): Promise<Place> {
  const context = await at.open({ storageState: at.state });
  const answer = await context.request.get(`${at.base}/api/v1/reports`);
  const { items } = (await answer.json()) as { items: { id: string }[] };
  await context.close();
  return { name: "report", path: `/reports/${encodeURIComponent(items[0]?.id ?? "")}` };
}

const wanted = process.env.RECFLOW_UI_IMAGES ?? "";
it.runIf(wanted !== "")("pictures are taken", async () => {
  const all = [...pages(at.seeded), await aReport(), { name: "login", path: "/login" }];
  const taken = await takePictures(at, wanted === "1" ? all : all.filter(({ name }) => wanted.split(",").includes(name)), settled);
  expect(taken.filter((one) => one.bytes > BYTES_MAX)).toEqual([]);
}, 300_000);
