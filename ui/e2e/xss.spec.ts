// Text that comes from a pipeline, a program or an address stays text. Each place gets markup that would run a script or fetch something if it were
// taken for markup; afterwards no such element is there, no dialog opened, and nothing was asked of anybody.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "playwright-core";
import { type Window, chromiumPath, launch, open, signIn } from "./browser";
import { Daemon, call, write } from "./daemon";

const IMG = `<img src=//evil.example/x onerror=alert(1)>`;
const SVG = `"><svg/onload=alert(2)>`;
const FRAME = `<iframe src=javascript:alert(3)></iframe>`;

const HOSTILE = `name: hostile
description: ${JSON.stringify(`${IMG}${FRAME}`)}
tags: [hostile]
params:
  text: { type: string, default: ${JSON.stringify(SVG)}, description: ${JSON.stringify(FRAME)} }
tasks:
  say:
    stage: shell
    with:
      script: |
        echo '${IMG}'
        printf '\\033]8;;javascript:alert(4)\\007${FRAME}\\033]8;;\\007 \\033[31m${SVG}\\033[0m\\n'
        echo '{"t":"${IMG}","level":"${SVG}","stream":"x","line":"${FRAME}"}'
        printf '%s' '{"markup":"${IMG}","${FRAME}":["<script>alert(5)</script>"],"__proto__":{"polluted":true}}' > "$RECFLOW_OUTPUT"
  decide:
    needs: [say]
    branch:
      - { when: ${JSON.stringify(`params.text != '${IMG}'`)}, to: fail }
      - { to: other }
  other: { stage: noop, needs: [decide] }
  fail:
    stage: shell
    needs: [decide]
    with:
      script: |
        echo '${IMG}${FRAME}' >&2
        exit 3
`;

const BROKEN = `name: broken
description: ${JSON.stringify(IMG)}
${JSON.stringify(IMG)}: 1
tasks:
  a: { stage: ${JSON.stringify(FRAME)} }
`;

describe.skipIf(chromiumPath() === null)("markup in text", () => {
  let browser: Browser;
  let daemon: Daemon;
  let window: Window;
  let run = "";

  beforeAll(async () => {
    browser = await launch();
    daemon = await Daemon.start((workspace) => {
      write(workspace, "pipelines/hostile.yaml", HOSTILE);
      write(workspace, "pipelines/broken.yaml", BROKEN);
      try {
        call(workspace, "run", "hostile", "-q");
      } catch {
        // It fails: that is what is looked at.
      }
    });
    run = (JSON.parse(daemon.call("runs", "--json")) as { run: string }[])[0]?.run ?? "";
    window = await open(browser, daemon);
    await signIn(window, daemon);
  });

  afterAll(async () => {
    await browser?.close();
    await daemon?.stop();
  });

  /** Opens an address, waits for a text there, and looks for elements that the text must not have become. */
  async function safe(path: string, text: string): Promise<void> {
    const { page } = window;
    await page.goto(path);
    await page.getByText(text).filter({ visible: true }).first().waitFor();
    const found = await page.evaluate(() => {
      const ours = new Set([...document.querySelectorAll("svg.icon, .strip svg, svg.sparkline, .graph svg, svg.course")]);
      const bad = document.querySelectorAll("img[onerror], [onload], iframe, object, embed, main script, main img, a[href^='javascript:' i]");
      const svgs = [...document.querySelectorAll("svg")].filter((svg) => !ours.has(svg));
      return [...bad, ...svgs].map((element) => element.outerHTML);
    });
    expect(found, path).toEqual([]);
  }

  it("is text on the pages of pipelines", async () => {
    await safe("/", IMG);
    await safe("/pipelines/hostile/grid", IMG);
    await safe("/pipelines/hostile/graph?task=say", IMG);
    await safe("/pipelines/hostile/runs", run);
    await safe("/pipelines/hostile/schedule", "hostile");
    await safe("/pipelines/hostile/source", "alert(5)");
    await safe("/pipelines/broken/source", "error:");
    await safe("/pipelines/hostile/run", FRAME);
    expect(await window.page.getByLabel("text").inputValue()).toBe(SVG);
  });

  it("is text on the pages of runs and tasks", async () => {
    await safe(`/runs/${run}/graph`, "decide");
    await safe(`/runs/${run}/gantt`, "decide");
    await safe(`/runs/${run}/events`, "the run begins");
    await safe(`/runs/${run}/details`, SVG);
    await safe(`/runs/${run}/tasks/say`, FRAME);
    await safe(`/runs/${run}/tasks/say?q=${encodeURIComponent("<img")}`, "1 of");
    await safe(`/runs/${run}/tasks/fail`, IMG);
    await safe(`/runs?search=${encodeURIComponent(IMG)}`, run);
  });

  it("is dropped where a terminal would obey it", async () => {
    await window.page.goto(`/runs/${run}/tasks/say`);
    await window.page.locator(".log-line .a-fg1").first().waitFor();
    expect(await window.page.locator(".log-lines").innerText()).not.toContain("javascript:alert(4)");
  });

  it("pollutes no prototype", async () => {
    expect(await window.page.evaluate(() => (({}) as Record<string, unknown>).polluted)).toBeUndefined();
  });

  it("is text in addresses", async () => {
    const before = window.complaints.length;
    await safe(`/?search=${encodeURIComponent(IMG)}&tag=${encodeURIComponent(SVG)}`, "No pipeline matches");
    await safe(`/pipelines/${encodeURIComponent(IMG)}/grid`, IMG);
    await safe(`/runs/${encodeURIComponent(SVG)}/graph`, SVG);
    await safe(`/runs/${run}/${encodeURIComponent(FRAME)}`, FRAME);
    // The browser tells of each read of what is not there.
    const told = window.complaints.splice(before);
    expect(told.filter((one) => !/status of (400|404|422)/.test(one))).toEqual([]);
  });

  it("leads nowhere from the login page", async () => {
    const other = await open(browser, daemon);
    for (const next of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(6)"]) {
      // Nobody is signed in there: with a wrong link it stays, whatever comes next.
      await other.page.goto(`/login?next=${encodeURIComponent(next)}#wrong`);
      await other.page.locator("form").waitFor();
      await other.page.waitForFunction(() => document.body.innerText.includes("This link has been used"));
      expect(new URL(other.page.url()).origin, next).toBe(daemon.url);
    }
    expect(other.complaints.filter((one) => !/status of 401/.test(one))).toEqual([]);
    await other.context.close();
  });

  it("ran nothing and asked nobody", () => {
    expect(window.complaints).toEqual([]);
  });
});
