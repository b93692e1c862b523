// Numbers as people read them: counts, shares, and the figures of models with their names and which way is better.
//
// Text only; nothing here knows of the page.

import { count } from "./format";

const MINUS = "\u2212";

/** `85,554`; an en dash where there is none. */
export function whole(value: number | null | undefined): string {
  return value == null || !Number.isFinite(value) ? "–" : count(Math.round(value)).replace("-", MINUS);
}

/** `12.3 %` of a share between 0 and 1. */
export function share(value: number | null | undefined, digits = 1): string {
  return value == null || !Number.isFinite(value) ? "–" : `${fixed(value * 100, digits)} %`;
}

/** A number with so many digits after the point and a true minus sign. */
export function fixed(value: number | null | undefined, digits: number): string {
  if (value == null || !Number.isFinite(value)) return "–";
  const text = value.toFixed(digits);
  // `-0.000` says that something fell when nothing did.
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", MINUS);
}

/** A number of unknown size: whole ones grouped, others with about four significant digits. */
export function plain(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return whole(value);
  const size = Math.abs(value);
  if (size >= 1000) return whole(value);
  if (size !== 0 && size < 0.0001) return value.toExponential(2).replace("-", MINUS);
  return fixed(value, size >= 100 ? 1 : size >= 10 ? 2 : 4);
}

/** Which way a figure improves; `none` where neither is better. */
export type Better = "lower" | "higher" | "none";

/** What is known of a figure by its name. */
export interface Metric {
  /** As the API names it. */
  name: string;
  /** For people. */
  title: string;
  /** Which way is better. */
  better: Better;
  /** Digits after the point. */
  digits: number;
  /** `stars`, or none. */
  unit?: string;
}

const KNOWN: Metric[] = [
  { name: "rmse", title: "RMSE", better: "lower", digits: 4, unit: "stars" },
  { name: "mae", title: "MAE", better: "lower", digits: 4, unit: "stars" },
  { name: "ndcg_at_k", title: "NDCG at K", better: "higher", digits: 4 },
  { name: "precision_at_k", title: "Precision at K", better: "higher", digits: 4 },
  { name: "recall_at_k", title: "Recall at K", better: "higher", digits: 4 },
  { name: "map_at_k", title: "MAP at K", better: "higher", digits: 4 },
  { name: "mrr_at_k", title: "MRR at K", better: "higher", digits: 4 },
  { name: "hit_rate_at_k", title: "Hit rate at K", better: "higher", digits: 4 },
  { name: "coverage_at_k", title: "Coverage at K", better: "higher", digits: 4 },
  { name: "novelty_at_k", title: "Novelty at K", better: "none", digits: 3, unit: "bits" },
  { name: "train_rmse", title: "RMSE of training", better: "lower", digits: 4, unit: "stars" },
  { name: "holdout_rmse", title: "RMSE held out", better: "lower", digits: 4, unit: "stars" },
  { name: "loss", title: "Loss", better: "lower", digits: 1 },
  { name: "scored", title: "Ratings scored", better: "none", digits: 0 },
  { name: "cold", title: "Ratings of unknown users or items", better: "none", digits: 0 },
  { name: "cold_users", title: "Unknown users", better: "none", digits: 0 },
  { name: "cold_items", title: "Unknown items", better: "none", digits: 0 },
  { name: "ranked_users", title: "Users ranked", better: "none", digits: 0 },
  { name: "k", title: "K", better: "none", digits: 0 },
  { name: "rating_threshold", title: "Relevant from", better: "none", digits: 1, unit: "stars" },
];

const BY_NAME = new Map(KNOWN.map((metric) => [metric.name, metric]));

/** The figures that have a place of their own; the others follow by name. */
export const HEADLINES = ["rmse", "mae", "ndcg_at_k"] as const;

/** What is known of the figure; one that nobody described is named after itself. */
export function metric(name: string): Metric {
  return BY_NAME.get(name) ?? { name, title: words(name), better: "none", digits: 4 };
}

/** Names of figures in the order in which they are listed: those that are known first. */
export function ordered(names: Iterable<string>): string[] {
  const place = (name: string) => {
    const index = KNOWN.findIndex((known) => known.name === name);
    return index < 0 ? KNOWN.length : index;
  };
  return [...new Set(names)].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

/** A figure as text, with as many digits as its kind deserves. */
export function figure(name: string, value: number | null | undefined): string {
  const { digits } = metric(name);
  if (value == null || !Number.isFinite(value)) return "–";
  return digits === 0 || Number.isInteger(value) ? whole(value) : fixed(value, digits);
}

/** How a figure changed from `before` to `after`. */
export interface Change {
  /** `+0.0121`, with its sign; `±0` where nothing changed. */
  text: string;
  /** Whether that is good. `same` too where neither way is. */
  verdict: "better" | "worse" | "same";
}

/** The change of a figure; none where one of the two is missing. */
export function change(name: string, before: number | null | undefined, after: number | null | undefined): Change | null {
  if (before == null || after == null || !Number.isFinite(before) || !Number.isFinite(after)) return null;
  const { better, digits } = metric(name);
  const shown = Number((after - before).toFixed(digits));
  if (shown === 0) return { text: "±0", verdict: "same" };
  const text = `${shown > 0 ? "+" : MINUS}${digits === 0 ? whole(Math.abs(shown)) : Math.abs(shown).toFixed(digits)}`;
  if (better === "none") return { text, verdict: "same" };
  return { text, verdict: shown < 0 === (better === "lower") ? "better" : "worse" };
}

/** `hit_rate` as `Hit rate`. */
export function words(name: string): string {
  const text = name.replaceAll(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
