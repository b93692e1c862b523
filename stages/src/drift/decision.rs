//! Whether to retrain, and why, in words.
//!
//! A retrain needs the score above 1, the lower end of its interval above 1, and enough ratings. Each that is missing is a reason not to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::Interval;
use super::score::{Figures, Rules, Term};

/// Above this score a retrain is considered.
const LIMIT: f64 = 1.0;

/// What the score is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Subject {
    /// The ratings.
    Data,
    /// The model's predictions.
    Model,
}

/// What is known when it is decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Streaming training ratings.
    pub rows: u64,
    /// How many there must be.
    pub min_rows: u64,
    /// What has the largest score.
    pub subject: Subject,
    /// Its figures.
    pub figures: Figures,
    /// The interval of the score.
    pub interval: Interval,
}

/// Whether to retrain, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whether to.
    pub should_retrain: bool,
    /// The verdict, then what led to it.
    pub reasons: Vec<String>,
}

impl Decision {
    /// No, for this reason.
    pub fn no(reason: impl Into<String>) -> Self {
        Self { should_retrain: false, reasons: vec![reason.into()] }
    }

    /// Weighs the evidence.
    pub fn of(evidence: &Evidence, rules: &Rules) -> Self {
        let Evidence { rows, min_rows, subject, figures, interval } = evidence;
        let score = rules.score(figures);
        let verdict = if rows < min_rows {
            return Self::no(format!("not enough data: {rows} of {min_rows} rows"));
        } else if score <= LIMIT {
            return Self::no(format!("score {} <= 1", bounded(score)));
        } else if interval.lower <= LIMIT {
            format!(
                "score {} > 1, but by chance it could be {}: the {}% interval is {} to {}",
                bounded(score),
                bounded(interval.lower),
                percent(interval.confidence),
                bounded(interval.lower),
                bounded(interval.upper)
            )
        } else {
            format!("score {} > 1", bounded(score))
        };
        let mut reasons = vec![verdict];
        let (over, under): (Vec<Term>, Vec<Term>) = rules.terms(figures).partition(Term::is_over);
        reasons.extend(over.iter().map(|term| told(term, "over", *subject)));
        if over.is_empty() {
            // Weights that sum to more than 1 can carry a score above it on metrics each of which is below its threshold.
            reasons.extend(under.iter().map(|term| told(term, "of", *subject)));
        }
        Self { should_retrain: interval.lower > LIMIT, reasons }
    }

    /// The reasons in one line: `score 1.42 > 1: KL 0.131 over 0.1; mean shift 0.31 over 0.2`.
    pub fn line(&self) -> String {
        match self.reasons.split_first() {
            Some((verdict, [])) => verdict.clone(),
            Some((verdict, why)) => format!("{verdict}: {}", why.join("; ")),
            None => String::new(),
        }
    }
}

fn told(term: &Term, relation: &str, subject: Subject) -> String {
    let of = match subject {
        Subject::Data => "",
        Subject::Model => " of the predictions",
    };
    let value = figure(term.value, term.threshold, term.metric.decimals());
    format!("{}{of} {value} {relation} {}", term.metric.words(), term.threshold)
}

/// A value with `decimals` of its digits, or with as many more as it takes to stay on its side of `limit`.
fn figure(value: f64, limit: f64, decimals: usize) -> String {
    let on_its_side = |text: &String| text.parse::<f64>().is_ok_and(|rounded| (rounded > limit) == (value > limit));
    (decimals..9).map(|decimals| format!("{value:.decimals$}")).find(on_its_side).unwrap_or_else(|| value.to_string())
}

fn bounded(score: f64) -> String {
    figure(score, LIMIT, 2)
}

fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}
