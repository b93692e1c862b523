// The pictures of `docs/`: each page once, some dark and some on a narrow screen.

import { statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Place } from "./pages";
import type { World } from "./world";

const FOLDER = join(import.meta.dirname, "../../docs/images");
const WIDE = { width: 1120, height: 760 };
const NARROW = { width: 360, height: 740 };
/** Taller pages are cut. */
const HEIGHT_MAX = 1150;
/** Larger pictures are taken again, without what lies below the fold. */
export const BYTES_MAX = 150_000;
/** Also taken dark, and on a narrow screen. */
const DARK = ["run-graph", "drift"];
const PHONE = ["home", "models"];

/** Takes all of them; answers the files and their sizes. */
export async function takePictures(at: World, places: Place[], settled: (page: Page) => Promise<void>): Promise<{ file: string; bytes: number }[]> {
  const taken: { file: string; bytes: number }[] = [];
  const take = async (place: Place, name: string, viewport: typeof WIDE, colorScheme: "light" | "dark") => {
    const signedIn = place.name === "login" ? {} : { storageState: at.state };
    const context = await at.open({ viewport, colorScheme, ...signedIn });
    const page = await context.newPage();
    await page.goto(at.base + place.path);
    await settled(page);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ ...viewport, height: Math.min(HEIGHT_MAX, Math.max(viewport.height, height)) });
    await settled(page);
    const file = join(FOLDER, `ui-${name}.png`);
    await page.screenshot({ path: file });
    if (statSync(file).size > BYTES_MAX) {
      await page.setViewportSize({ ...viewport, height: 600 });
      await settled(page);
      await page.screenshot({ path: file });
    }
    taken.push({ file, bytes: statSync(file).size });
    await context.close();
  };
  for (const place of places) {
    await take(place, place.name, WIDE, "light");
    if (DARK.includes(place.name)) await take(place, `${place.name}-dark`, WIDE, "dark");
    if (PHONE.includes(place.name)) await take(place, `${place.name}-phone`, NARROW, "light");
  }
  return taken;
}
