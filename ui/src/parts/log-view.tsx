// The log of an attempt. Lines are drawn in blocks, and only those near the window, so that a hundred thousand of them scroll well, wrapped or not.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLog } from "../api/log";
import { API } from "../api/client";
import { pieces, plain } from "../lib/ansi";
import { bytes, plural } from "../lib/format";
import { LEVELS, type Level, type LogLine, cutAtMatches, filter, finds } from "../lib/log";
import { full, useZone } from "../lib/time";
import { useQuery } from "../router";
import { Icon } from "./icons";
import { Empty, ProblemBox, Skeleton } from "./states";

const BLOCK = 100;
const LINE = 20;

/** `path` is that of the log below `/api/v1`; `live` while the attempt runs. */
export function LogView({ path, live }: { path: string; live: boolean }) {
  const log = useLog(path, live);
  const [words, setWords] = useQuery("q");
  const [level, setLevel] = useQuery("level", "debug");
  const [only, setOnly] = useState(false);
  const [wrap, setWrap] = useState(true);
  const [follow, setFollow] = useState(live);
  const least = LEVELS.find((one) => one === level) ?? "debug";
  const shown = useMemo(() => filter(log.lines, least, words, only), [log.lines, log.lines.length, least, words, only]);
  const matches = useMemo(() => (words === "" ? [] : shown.flatMap((line, i) => (finds(line.text, words) ? [i] : []))), [shown, words]);
  const [match, setMatch] = useState(0);
  const step = (by: number) => matches.length > 0 && setMatch((before) => (before + by + matches.length) % matches.length);
  return (
    <section class="log" aria-label="Log">
      <div class="log-tools">
        <label class="search">
          <Icon name="search" />
          <span class="sr-only">Search the log</span>
          <input
            type="search"
            placeholder="Search"
            value={words}
            onInput={(event) => {
              setWords(event.currentTarget.value);
              setMatch(0);
            }}
            onKeyDown={(event) => event.key === "Enter" && step(event.shiftKey ? -1 : 1)}
          />
        </label>
        {words !== "" && (
          <span class="muted num" role="status">
            {matches.length === 0 ? "no match" : `${match + 1} of ${matches.length}`}
          </span>
        )}
        <label>
          <span class="sr-only">Least level</span>
          <select value={least} onChange={(event) => setLevel(event.currentTarget.value)}>
            <LevelOptions />
          </select>
        </label>
        <Toggle on={only} set={setOnly} name="Matches only" />
        <Toggle on={wrap} set={setWrap} name="Wrap" />
        {live && <Toggle on={follow} set={setFollow} name="Follow" />}
        <span class="muted num log-size">
          {plural(log.lines.length, "line")}, {bytes(log.size)}
        </span>
        <a class="button" href={`${API}${path}?download=1`} download>
          <Icon name="down" /> Download
        </a>
      </div>
      {log.error && <ProblemBox problem={log.error} />}
      {log.loading && log.lines.length === 0 ? (
        <Skeleton rows={6} />
      ) : shown.length === 0 ? (
        <Empty title={log.lines.length === 0 ? (live ? "Nothing said yet" : "This attempt said nothing") : "No line matches"} />
      ) : (
        <Lines lines={shown} wrap={wrap} words={words} target={matches[match] ?? null} follow={follow && live} stopFollowing={() => setFollow(false)} />
      )}
    </section>
  );
}

function LevelOptions() {
  const words: Record<Level, string> = { debug: "all levels", info: "info or worse", warn: "warnings or worse", error: "errors" };
  return (
    <>
      {LEVELS.map((one) => (
        <option key={one} value={one}>
          {words[one]}
        </option>
      ))}
    </>
  );
}

function Toggle({ on, set, name }: { on: boolean; set: (on: boolean) => void; name: string }) {
  return (
    <button type="button" aria-pressed={on} class="toggle" onClick={() => set(!on)}>
      {name}
    </button>
  );
}

interface LinesProps {
  lines: LogLine[];
  wrap: boolean;
  words: string;
  /** The line that is looked for. */
  target: number | null;
  follow: boolean;
  stopFollowing: () => void;
}

function Lines({ lines, wrap, words, target, follow, stopFollowing }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (follow) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [follow, lines.length]);
  useEffect(() => {
    if (target === null || !box.current) return;
    const block = box.current.children[Math.floor(target / BLOCK)];
    block?.scrollIntoView({ block: "nearest" });
    // The block draws its lines once it is near the window.
    const timer = setTimeout(() => box.current?.querySelector(".log-line.target")?.scrollIntoView({ block: "center" }), 60);
    return () => clearTimeout(timer);
  }, [target, lines]);
  const scrolled = () => {
    const element = box.current;
    if (follow && element && element.scrollHeight - element.scrollTop - element.clientHeight > 80) stopFollowing();
  };
  const blocks = Array.from({ length: Math.ceil(lines.length / BLOCK) }, (_, i) => lines.slice(i * BLOCK, (i + 1) * BLOCK));
  return (
    <div ref={box} class={`log-lines ${wrap ? "wrap" : ""}`} tabIndex={0} role="log" aria-live="off" aria-label="Lines" onWheel={scrolled} onKeyUp={scrolled} onTouchMove={scrolled}>
      {blocks.map((block, i) => (
        <Block key={i} lines={block} words={words} target={target === null ? null : target - i * BLOCK} />
      ))}
    </div>
  );
}

/** Draws its lines while it is near the window; otherwise it keeps their height. */
function Block({ lines, words, target }: { lines: LogLine[]; words: string; target: number | null }) {
  const element = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  const height = useRef(0);
  useEffect(() => {
    const one = element.current;
    if (!one) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry) return;
        if (!entry.isIntersecting) height.current = entry.boundingClientRect.height;
        setNear(entry.isIntersecting);
      },
      { root: one.parentElement, rootMargin: "800px 0px" },
    );
    observer.observe(one);
    return () => observer.disconnect();
  }, []);
  const style = near ? { minHeight: "" } : { minHeight: `${height.current || lines.length * LINE}px` };
  return (
    <div ref={element} class="log-block" style={style}>
      {near && lines.map((line, i) => <Line key={line.number} line={line} words={words} isTarget={i === target} />)}
    </div>
  );
}

function Line({ line, words, isTarget }: { line: LogLine; words: string; isTarget: boolean }) {
  const zone = useZone();
  const clock = line.t === null ? "" : full(new Date(line.t), zone).slice(11);
  return (
    <div class={`log-line level-${line.level} ${isTarget ? "target" : ""}`}>
      <span class="log-number" aria-hidden="true">
        {line.number}
      </span>
      <span class="log-time" title={line.t ?? undefined}>
        {clock}
      </span>
      <span class="log-level">{line.level === "info" || line.level === "debug" ? "" : line.level}</span>
      <span class="log-text">{words !== "" && finds(line.text, words) ? <Marked text={plain(line.text)} words={words} /> : <Coloured text={line.text} />}</span>
    </div>
  );
}

function Coloured({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece, i) =>
        piece.names === "" ? (
          piece.text
        ) : (
          <span key={i} class={piece.names}>
            {piece.text}
          </span>
        ),
      )}
    </>
  );
}

function Marked({ text, words }: { text: string; words: string }) {
  return <>{cutAtMatches(text, words).map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part))}</>;
}
