// What the drift page computes from its points. Pure.

import type { DriftMetric, DriftPoint } from "../../api/models";
import type { Mark } from "../../charts/model";

const TITLES: Record<string, string> = {
  kl: "KL divergence",
  mean: "Shift of the mean, in stars",
  median: "Shift of the median, in stars",
  psi: "Population stability index",
  jensen_shannon: "Jensen-Shannon distance",
  rmse_increase: "Rise of RMSE, in stars",
  mae_increase: "Rise of MAE, in stars",
};
const ORDER = Object.keys(TITLES);

/** What a metric is called. */
export function title(name: string): string {
  return TITLES[name] ?? name.replaceAll("_", " ");
}

/** Oldest first, those of one pipeline if one is named. */
export function inOrder(points: DriftPoint[], pipeline: string): DriftPoint[] {
  return points.filter((one) => pipeline === "" || one.pipeline === pipeline).toSorted((a, b) => a.at.localeCompare(b.at) || a.run.localeCompare(b.run));
}

/** What a metric may be of, as the API names it and in words. */
export const SUBJECTS = [
  ["data", "ratings"],
  ["model", "predictions"],
] as const;

/** A metric of a look: of the ratings, of the predictions; null where it took no part. */
export function valueOf(point: DriftPoint, subject: string, metric: string): DriftMetric | null {
  return point.metrics[`${subject}_${metric}`] ?? null;
}

/** The metrics that any point has, without what they are of, the known ones first. */
export function metricNames(points: DriftPoint[]): string[] {
  const names = new Set(points.flatMap((one) => Object.keys(one.metrics).map((name) => name.replace(/^(data|model)_/, ""))));
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...names].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

/** Where a model was trained anew. Where that was due and did not happen, that is said too. */
export function retrainMarks(points: DriftPoint[]): Mark[] {
  return points.flatMap((one, index): Mark[] => {
    if (one.retrained) return [{ index, label: "retrained", symbol: "▲" }];
    return one.should_retrain ? [{ index, label: "retrain was due", symbol: "◆" }] : [];
  });
}

/** The threshold of a metric that holds now: the newest one. Thresholds may change between runs. */
export function thresholdOf(points: DriftPoint[], metric: string): number | null {
  for (const point of points.toReversed()) {
    for (const [subject] of SUBJECTS) {
      const threshold = valueOf(point, subject, metric)?.threshold;
      if (threshold != null) return threshold;
    }
  }
  return null;
}

/** Ratings of either side, lowest first, with their shares; a rating that one side lacks has the share 0. */
export function sides(histograms: NonNullable<DriftPoint["histograms"]>): { classes: string[]; original: number[]; current: number[] } {
  const classes = [...new Set([...Object.keys(histograms.original), ...Object.keys(histograms.current)])].sort((a, b) => Number(a) - Number(b) || a.localeCompare(b));
  return {
    classes: classes.map((name) => (Number.isFinite(Number(name)) ? String(Number(name)) : name)),
    original: classes.map((name) => histograms.original[name] ?? 0),
    current: classes.map((name) => histograms.current[name] ?? 0),
  };
}
