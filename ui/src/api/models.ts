// Shapes of the API about models, drift, datasets and reports. What may be unknown is null.

/** The dataset that a model was trained or measured on. */
export interface DatasetRecord {
  path: string;
  fingerprint: string;
  rows: number;
}

/** How a model did in a comparison. */
export interface Standing {
  version: string;
  value: number | null;
  rmse: number | null;
  mae: number | null;
  scored: number;
  /** 0 to 1. */
  coverage: number;
  own_rmse: number | null;
  own_mae: number | null;
}

/** A decision: a version that became current, or a challenger that did not. */
export interface Promotion {
  number: number;
  decided_at: string;
  /** `run/task/generation`. */
  publish_key: string;
  decision: "comparison" | "person" | "rollback";
  promoted: boolean;
  version: string;
  previous: string | null;
  reason: string;
  comparison?: {
    ratings: DatasetRecord;
    metric: string;
    tolerance: number;
    pairs: number;
    champion: Standing | null;
    challenger: Standing;
  } | null;
}

/** A version in a few figures. */
export interface ModelVersion {
  version: string;
  path: string;
  current: boolean;
  created_at: string | null;
  rank: number;
  /** Null, as all below up to `metrics`, for a model that Spark saved. */
  params: Record<string, unknown> | null;
  users: number | null;
  items: number | null;
  ratings: number | null;
  dataset: DatasetRecord | null;
  metrics: Record<string, number>;
  measured_on: string | null;
  promotions?: Promotion[];
}

/** A version in full. */
export interface ModelDetails extends ModelVersion {
  /** The newest first. */
  evaluations: { evaluated_at: string; publish_key: string; ratings: DatasetRecord; metrics: Record<string, number> }[];
  /** The newest first. */
  decisions: Promotion[];
}

export interface Recommendation {
  item: string | number;
  /** A predicted rating or preference; with the fallback `popular`, the number of ratings. */
  score: number;
}

/** What the current model answers for a user, or for somebody new (then without `user`). */
export interface Recommendations {
  user?: string | number;
  version: string;
  /** Best first. */
  items: Recommendation[];
  /** Why these are not of the model: `popular`. */
  fallback: string | null;
  /** Items of a fold-in that the model does not know. */
  unknown_items?: (string | number)[];
}

export interface Prediction {
  user: string | number;
  item: string | number;
  rating: number | null;
  /** Why it is not of the model: `mean`. */
  fallback: string | null;
  knows_user: boolean;
  knows_item: boolean;
}

export interface Predictions {
  version: string;
  predictions: Prediction[];
}

/** The model that answers. */
export interface Serving {
  version: string;
  since: string;
  users: number;
  items: number;
  rank: number;
  implicit: boolean;
  /** Whether it answers for somebody new. */
  folds_in: boolean;
  /** Why the version that should answer does not. */
  trouble: { message: string; hint: string | null } | null;
}

/** A metric against its threshold. */
export interface DriftMetric {
  value: number | null;
  threshold: number | null;
  over: boolean;
}

/** A look at a stream of ratings. */
export interface DriftPoint {
  run: string;
  pipeline: string;
  task?: string;
  at: string;
  score: number | null;
  threshold: number | null;
  should_retrain: boolean;
  retrained: boolean;
  /** By name: `data_` (of ratings) or `model_` (of predictions) and the metric's. */
  metrics: Record<string, DriftMetric>;
  /** Shares by rating. */
  histograms?: { original: Record<string, number>; current: Record<string, number> } | null;
  reasons: string[];
}

export interface Drift {
  pipelines: string[];
  /** Oldest first. */
  points: DriftPoint[];
}

/** A snapshot of a dataset. */
export interface Snapshot {
  snapshot: number | null;
  created_at: string | null;
  created_by: string;
  /** `run/task/generation`. */
  publish_key: string | null;
  mode: string | null;
  restores: number | null;
  rows: number;
  files: number;
  bytes: number;
  fingerprint: string;
  rating_type: string;
  ids?: { users: number | null; items: number | null } | null;
}

export interface DatasetListed {
  path: string;
  info: Snapshot | null;
  error: unknown;
}

export interface DatasetDetail extends Snapshot {
  dir: string;
  columns: { name: string; type: string }[];
  months: { year: number; month: number; rows: number }[];
  /** Lowest rating first. */
  ratings: { rating: number; rows: number }[];
  /** The newest first. */
  snapshots?: Snapshot[];
}

export interface ReportListed {
  /** What names it in addresses. */
  id: string;
  path: string;
  run: string | null;
  task: string | null;
  title: string;
  at: string;
  bytes: number;
}
