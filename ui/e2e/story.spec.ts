// The first hour of somebody new: signs in, runs the quickstart with another parameter and watches it live, reads a log, sees a failure, mends
// it and resumes, pauses a schedule, and goes back to an earlier model.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "playwright-core";
import { type Window, chromiumPath, launch, open, signIn } from "./browser";
import { Daemon, call, write } from "./daemon";

const FLAKY = (command: string) => `name: flaky
description: Fails until its file is there.
tasks:
  prepare: { stage: noop }
  read:
    stage: shell
    needs: [prepare]
    with: { command: ${command} }
  after: { stage: noop, needs: [read] }
`;

const NIGHTLY = `name: nightly
schedule: { cron: "30 2 * * *", timezone: Europe/Berlin }
tasks:
  wait: { stage: noop }
`;

describe.skipIf(chromiumPath() === null)("the first hour", () => {
  let browser: Browser;
  let daemon: Daemon;
  let window: Window;

  beforeAll(async () => {
    browser = await launch();
    daemon = await Daemon.start((workspace) => {
      call(workspace, "init");
      write(workspace, "pipelines/flaky.yaml", FLAKY("[cat, data/input.txt]"));
      write(workspace, "pipelines/nightly.yaml", NIGHTLY);
    });
    window = await open(browser, daemon);
  });

  afterAll(async () => {
    await browser?.close();
    await daemon?.stop();
  });

  const page = () => window.page;
  const heading = (name: string) => page().getByRole("heading", { name, level: 1 });
  const status = (word: string) => heading("").or(page().locator("h1")).getByText(word, { exact: true });
  const runId = () => new URL(page().url()).pathname.split("/")[2] ?? "";

  it("is let in by the link of the first start, once", async () => {
    await signIn(window, daemon);
    const other = await open(browser, daemon);
    await other.page.goto(daemon.link ?? "");
    await other.page.getByText("This link has been used").waitFor();
    expect(new URL(other.page.url()).pathname).toBe("/login");
    await other.context.close();
  });

  it("finds a pipeline by the keyboard and runs it with another rank", async () => {
    await page().keyboard.press("/");
    await page().keyboard.type("quickst");
    await page().keyboard.press("Escape");
    await page().keyboard.press("j");
    await page().keyboard.press("r");
    await page().waitForURL("**/pipelines/quickstart/run");
    await page().getByLabel("rank").fill("0");
    await page().getByRole("button", { name: "Start the run" }).click();
    await page().getByText("at least 1").first().waitFor();
    await page().getByLabel("rank").fill("5");
    await page().getByLabel("ratings").fill("20000");
    await page().getByRole("button", { name: "Start the run" }).click();
    await page().waitForURL("**/runs/*");
  });

  it("watches it live until it has succeeded, without a reload", async () => {
    await status("succeeded").waitFor({ timeout: 90_000 });
    await page().getByText("6 of 6 tasks").waitFor();
    expect(await page().locator(".graph .node.is-succeeded").count()).toBe(6);
    const run = JSON.parse(daemon.call("status", runId(), "--json")) as { params: { rank: number; ratings: number } };
    expect(run.params).toMatchObject({ rank: 5, ratings: 20_000 });
  });

  it("reads the log, the output and the loss of the training", async () => {
    await page().locator(".graph a.node", { hasText: "train" }).click();
    await heading("train").waitFor();
    await page().locator(".log-line").first().waitFor();
    await page().getByRole("searchbox", { name: "Search the log" }).fill("rank");
    await page().locator("mark").first().waitFor();
    await page().getByRole("region", { name: "Metrics" }).or(page().getByText("Metrics")).first().waitFor();
    expect(await page().getByRole("group", { name: "Output" }).innerText()).toContain("version");
  });

  it("sees when each task ran, and what happened", async () => {
    await page().goBack();
    await page().getByRole("link", { name: "Gantt" }).click();
    await page().locator(".gantt-bar.attempt").first().waitFor();
    expect(await page().locator(".gantt-bar.attempt").count()).toBe(6);
    await page().getByRole("link", { name: "Events" }).click();
    await page().locator(".events > li").nth(5).waitFor();
  });

  it("sees why a run failed, mends the cause and resumes it", async () => {
    await page().goto("/pipelines/flaky/run");
    await page().getByRole("button", { name: "Start the run" }).click();
    await status("failed").waitFor({ timeout: 30_000 });
    await page().getByRole("link", { name: "read", exact: true }).first().click();
    await page().locator("section.problem").getByText("input.txt").first().waitFor();
    daemon.write("data/input.txt", "here it is\n");
    await page().goBack();
    await page().getByRole("button", { name: "Resume" }).click();
    await status("succeeded").waitFor({ timeout: 30_000 });
    // The first task had succeeded: it did not run again.
    const run = JSON.parse(daemon.call("status", runId(), "--json")) as { tasks: Record<string, { attempts: number }> };
    expect([run.tasks.prepare?.attempts, run.tasks.read?.attempts]).toEqual([1, 2]);
  });

  it("sees what is wrong with a file at its line, and what changed in it", async () => {
    daemon.write("pipelines/flaky.yaml", FLAKY("[cat, data/input.txt]").replace("needs: [read]", "needs: [raed]"));
    await page().goto("/pipelines/flaky/source");
    await page().locator(".mistake").first().waitFor({ timeout: 15_000 });
    expect(await page().locator(".has-error .line-number").first().innerText()).toBe("9");
    daemon.write("pipelines/flaky.yaml", FLAKY("[cat, data/other.txt]"));
    await page().getByText("valid", { exact: true }).waitFor({ timeout: 15_000 });
    await page().getByRole("button", { name: "what changed" }).first().click();
    await page().locator(".diff-line.added").first().waitFor();
    expect(await page().locator(".diff-line.added code").innerText()).toContain("data/other.txt");
  });

  it("pauses a schedule and lets it go on", async () => {
    await page().goto("/");
    const toggle = page().getByRole("switch", { name: "nightly starts by itself" });
    await toggle.click();
    await page().locator('[role=switch][aria-label^="nightly"][aria-checked=false]').waitFor();
    const paused = () => (JSON.parse(daemon.call("status", "--json")) as { pipelines: { pipeline: string; paused: boolean }[] }).pipelines.find((one) => one.pipeline === "nightly")?.paused;
    expect(paused()).toBe(true);
    await toggle.click();
    await page().locator('[role=switch][aria-label^="nightly"][aria-checked=true]').waitFor();
    expect(paused()).toBe(false);
    await page().goto("/pipelines/nightly/schedule");
    await page().locator(".firing").first().waitFor();
  });

  it("promotes two models and rolls back to the first", async () => {
    daemon.call("run", "quickstart", "-q", "-p", "ratings=20000", "-p", "rank=3");
    const versions = () => JSON.parse(daemon.call("models", "list", "--json")) as { version: string; current: boolean }[];
    const current = () => versions().find((one) => one.current)?.version;
    const dialog = () => page().getByRole("dialog");
    const [newer = "", older = ""] = versions().map((one) => one.version);
    for (const version of [older, newer]) {
      await page().goto(`/models/${encodeURIComponent(version)}`);
      await page().getByRole("button", { name: "Promote" }).click();
      await dialog().getByLabel("Reason").fill("it was tried by hand");
      await dialog().getByRole("button", { name: "Promote" }).click();
      await dialog().waitFor({ state: "hidden" });
      expect(current()).toBe(version);
    }
    await page().goto("/models");
    await page().getByRole("button", { name: "Roll back" }).click();
    await dialog().getByRole("button", { name: "Roll back" }).click();
    await dialog().waitFor({ state: "hidden" });
    expect(current()).toBe(older);
  });

  it("cancels what runs too long", async () => {
    daemon.write("pipelines/slow.yaml", "name: slow\ntasks:\n  sleep: { stage: shell, with: { command: [sleep, 600] } }\n");
    await page().goto("/pipelines/slow/run");
    await page().getByRole("button", { name: "Start the run" }).click({ timeout: 15_000 });
    await status("running").waitFor({ timeout: 30_000 });
    await page().getByRole("button", { name: "Cancel" }).click();
    await page().getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
    await status("cancelled").waitFor({ timeout: 30_000 });
  });

  it("never saw a page complain, nor ask another host", () => {
    expect(window.complaints).toEqual([]);
  });
});
