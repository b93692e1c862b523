// A real daemon in a scratch workspace, for tests in a browser.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** The program: `RECFLOW_BIN`, or what `cargo build` leaves. */
export function program(): string {
  const target = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, "../../target");
  const path = process.env.RECFLOW_BIN ?? join(target, "debug/recflow");
  if (!existsSync(path)) throw new Error(`there is no ${path}: run \`cargo build\` first, or set RECFLOW_BIN`);
  return path;
}

export class Daemon {
  private constructor(
    readonly workspace: string,
    /** Such as `http://127.0.0.1:40123`. */
    readonly url: string,
    /** Signs in once, as an administrator; null if somebody had been added before. */
    readonly link: string | null,
    private readonly child: ChildProcess,
  ) {}

  /** Makes a workspace, lets `prepare` fill it, and starts a daemon there on a free port. */
  static async start(prepare: (workspace: string) => void = () => {}): Promise<Daemon> {
    const workspace = mkdtempSync(join(tmpdir(), "recflow-ui-"));
    prepare(workspace);
    const child = spawn(program(), ["daemon", "--listen", "127.0.0.1:0"], { cwd: workspace, env: environment(), stdio: ["ignore", "ignore", "pipe"] });
    const link = await firstLink(child);
    return new Daemon(workspace, new URL(link).origin, link, child);
  }

  /** Calls the program in the workspace; what it prints. */
  call(...args: string[]): string {
    return call(this.workspace, ...args);
  }

  /** Puts a file into the workspace. */
  write(path: string, text: string): void {
    write(this.workspace, path, text);
  }

  async stop(): Promise<void> {
    const over = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    // A second wish ends it without waiting for tasks.
    const impatient = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await over;
    clearTimeout(impatient);
    rmSync(this.workspace, { recursive: true, force: true });
  }
}

export function call(workspace: string, ...args: string[]): string {
  return execFileSync(program(), args, { cwd: workspace, env: environment(), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

export function write(workspace: string, path: string, text: string): void {
  mkdirSync(dirname(join(workspace, path)), { recursive: true });
  writeFileSync(join(workspace, path), text);
}

/** Nothing of the one who calls decides which workspace is meant. */
function environment(): NodeJS.ProcessEnv {
  const { RECFLOW_HOME: _, RECFLOW_WORKSPACE: __, RECFLOW_LISTEN: ___, ...others } = process.env;
  return others;
}

/** The link that a daemon without users prints; what it says before is shown if it ends instead. */
function firstLink(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
    lines.on("line", (line) => {
      said.push(line);
      const link = /http:\/\/\S+\/login#\S+/.exec(line)?.[0];
      if (link) resolve(link);
    });
    child.once("exit", (code) => reject(new Error(`the daemon ended with ${code}:\n${said.join("\n")}`)));
  });
}
