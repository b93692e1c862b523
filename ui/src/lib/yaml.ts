// Just enough of YAML to colour it: comments, keys, templates, quoted strings. It never decides what anything means.

export interface Token {
  kind: "comment" | "key" | "template" | "string" | "plain";
  text: string;
}

const TOKENS = /(?<comment>(?<=^|\s)#.*$)|(?<key>(?<=^\s*(?:- )?|[{,]\s*)[\w.$-]+(?=\s*:(?:\s|$)))|(?<template>\{\{.*?\}\})|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/g;

export function tokens(line: string): Token[] {
  const found: Token[] = [];
  let from = 0;
  for (const one of line.matchAll(TOKENS)) {
    if (one.index > from) found.push({ kind: "plain", text: line.slice(from, one.index) });
    const kind = (Object.entries(one.groups ?? {}).find(([, text]) => text !== undefined)?.[0] ?? "plain") as Token["kind"];
    found.push({ kind, text: one[0] });
    from = one.index + one[0].length;
  }
  if (from < line.length) found.push({ kind: "plain", text: line.slice(from) });
  return found;
}
