// A text with line numbers, in the colours of YAML, each mistake under its line. `#L12` leads to a line.

import { useEffect } from "preact/hooks";
import type { Diagnostic } from "../api/types";
import { tokens } from "../lib/yaml";

export function Code({ text, diagnostics = [], label }: { text: string; diagnostics?: Diagnostic[]; label: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  useEffect(() => {
    if (location.hash.startsWith("#L")) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
  }, [text]);
  return (
    <div class="code" role="region" aria-label={label} tabIndex={0}>
      <ol>
        {lines.map((line, i) => {
          const found = diagnostics.filter((one) => one.line === i + 1);
          return (
            <li key={i} id={`L${i + 1}`} class={found.length > 0 ? `has-${worst(found)}` : undefined}>
              <CodeLine number={i + 1} line={line} />
              {found.map((one, j) => (
                <Mistake key={j} diagnostic={one} line={line} />
              ))}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

export function CodeLine({ number, line }: { number: number | null; line: string }) {
  return (
    <div class="code-line">
      {number !== null && (
        <a class="line-number" href={`#L${number}`} tabIndex={-1} aria-hidden="true">
          {number}
        </a>
      )}
      <code>
        {tokens(line).map((token, i) => (token.kind === "plain" ? token.text : <span key={i} class={`y-${token.kind}`}>{token.text}</span>))}
        {"\n"}
      </code>
    </div>
  );
}

function worst(found: Diagnostic[]): string {
  return found.some((one) => one.severity === "error") ? "error" : "warning";
}

/** As the compiler shows it: underlined where it begins, then what and what to do. */
function Mistake({ diagnostic, line }: { diagnostic: Diagnostic; line: string }) {
  const { severity, message, column, end, label, hint, code, related } = diagnostic;
  const to = end && end.line === diagnostic.line ? end.column : [...line].length + 1;
  return (
    <div class={`mistake tone-${severity === "error" ? "bad" : "warn"}`}>
      <code aria-hidden="true">{`${" ".repeat(Math.max(0, column - 1))}${"^".repeat(Math.max(1, to - column))} ${label ?? ""}`}</code>
      <p>
        <strong>{severity}:</strong> {message} <span class="muted">({code})</span>
      </p>
      {related?.map((one, i) => (
        <p key={i}>
          <a href={`#L${one.line}`}>line {one.line}</a>: {one.message}
        </p>
      ))}
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

/** Mistakes that have no line of this text. */
export function Elsewhere({ diagnostics, lines }: { diagnostics: Diagnostic[]; lines: number }) {
  const found = diagnostics.filter((one) => !(one.line >= 1 && one.line <= lines));
  if (found.length === 0) return null;
  return (
    <ul class="problem">
      {found.map((one, i) => (
        <li key={i}>
          {one.message}
          {one.hint && <div class="muted">{one.hint}</div>}
        </li>
      ))}
    </ul>
  );
}
