//! A simulation as a page: what each policy is worth, then its scores, errors and decisions.

use recflow_stages::report::chart::{Line, LineChart, Mark, Threshold, Tone};
use recflow_stages::report::markup::Markup;
use recflow_stages::report::number::{count, counted, duration, figure, percent, signed};
use recflow_stages::report::parts::{self, Cell, Table, callout, numbers, words};
use recflow_stages::report::{Page, Section};

use crate::simulation::{Decision, Policy, PolicyResult, Record, SimulationResult, Totals};

/// Above this score, and above it with the lower end of its interval, `detect_drift` advises to retrain.
const LIMIT: f64 = 1.0;

/// The page.
pub(in crate::cli) fn page(result: &SimulationResult) -> Page {
    let ask = &result.setup.ask;
    let periods = result.policies.first().map_or(&[][..], |policy| &policy.periods);
    let span = periods.first().zip(periods.last()).map(|(first, last)| format!(" from {} to {}", first.slice.period, last.slice.period));
    let ratings = periods.iter().map(|record| record.slice.ratings).sum();
    let sections = std::iter::once(worth(result)).chain(result.policies.iter().map(policy_section));
    Page {
        title: format!("Simulation {}", result.id),
        lead: format!(
            "{}, {} of {}, {}{}",
            ask.file,
            counted(ratings, "rating"),
            ask.stream,
            counted(periods.len() as u64, "period"),
            span.unwrap_or_default()
        ),
        sections: sections.collect(),
        footer: format!("recflow {}, begun {}", result.setup.binary_version, result.setup.created_at),
    }
}

/// The policies side by side.
fn worth(result: &SimulationResult) -> Section {
    let mut body: Markup = result.policies.iter().map(verdict).collect();
    body.push(parts::card(totals(&result.policies)));
    body.push(errors_of_all(&result.policies));
    Section { id: "worth".to_owned(), title: "What it is worth".to_owned(), body }
}

/// What a policy gained, in words.
fn verdict(PolicyResult { policy, totals, .. }: &PolicyResult) -> Markup {
    let trained = format!("{}, {} promoted", counted(totals.retrainings, "retraining"), totals.promotions);
    let heading = format!("{}: {trained} in {}", policy.as_str(), duration(totals.seconds));
    let (tone, gain) = match totals.rmse.zip(totals.start_rmse) {
        Some((rmse, start)) if rmse < start => (Tone::Good, format!("better by {:.4} stars", start - rmse)),
        Some((rmse, start)) if rmse > start => (Tone::Warning, format!("worse by {:.4} stars", rmse - start)),
        _ => (Tone::Plain, "no difference".to_owned()),
    };
    let line = format!("RMSE {} over all ratings, {} without retraining: {gain}", figure(totals.rmse, 4), figure(totals.start_rmse, 4));
    callout(tone, &heading, &[line])
}

fn totals(policies: &[PolicyResult]) -> Markup {
    let columns = ["retrained", "RMSE", "without", "gain", "known users", "new users", "unknown", "on shared", "without", "shared"];
    let row = |PolicyResult { policy, totals, .. }: &PolicyResult| {
        let Totals { rmse, start_rmse, .. } = *totals;
        let cells = [
            count(totals.retrainings),
            figure(rmse, 4),
            figure(start_rmse, 4),
            signed(rmse.zip(start_rmse).map(|(rmse, start)| start - rmse), 4),
            figure(totals.known_users_rmse, 4),
            figure(totals.new_users_rmse, 4),
            percent(totals.cold_share),
            figure(totals.shared_rmse, 4),
            figure(totals.shared_start_rmse, 4),
            count(totals.shared),
        ];
        std::iter::once(Cell::from(policy.as_str())).chain(cells.into_iter().map(Cell::from)).collect()
    };
    let columns = std::iter::once(words("policy")).chain(columns.map(numbers)).collect();
    Table { columns, rows: policies.iter().map(row).collect() }.draw()
}

/// RMSE over the periods: without retraining, and of each policy that may retrain.
fn errors_of_all(policies: &[PolicyResult]) -> Markup {
    let Some(first) = policies.first() else { return Markup::new() };
    let of = |records: &[Record], start: bool| {
        let rmse = |record: &Record| {
            let found = record.prequential.as_ref()?;
            if start { found.start.all.rmse } else { found.model.all.rmse }
        };
        records.iter().map(rmse).collect()
    };
    let mut lines = vec![Line { name: "without retraining".to_owned(), values: of(&first.periods, true) }];
    let others = policies.iter().filter(|policy| policy.policy != Policy::Never);
    lines.extend(others.map(|policy| Line { name: policy.policy.as_str().to_owned(), values: of(&policy.periods, false) }));
    // Where everything retrains in every period, marks say nothing.
    let marked = policies.iter().find(|policy| policy.policy == Policy::Drift);
    let words = "Of the models that served when each period began, over all of its ratings before any were learned. \
                 Where a model does not know user or item, the mean of its training ratings is predicted.";
    chart(
        "RMSE with and without retraining",
        words,
        "RMSE in stars",
        &first.periods,
        lines,
        marked.map_or(&[], |policy| &policy.periods),
        &[],
    )
}

fn policy_section(PolicyResult { policy, periods, .. }: &PolicyResult) -> Section {
    let score = |part: &dyn Fn(&Record) -> Option<f64>| periods.iter().map(part).collect::<Vec<_>>();
    let line = |name: &str, values| Line { name: name.to_owned(), values };
    let scores = vec![
        line("drift score", score(&|record| Some(record.drift.as_ref()?.score))),
        line("lower end of its interval", score(&|record| record.drift.as_ref()?.lower)),
    ];
    let threshold = [Threshold { label: "retrain above 1".to_owned(), value: LIMIT }];
    let marked: &[Record] = if *policy == Policy::Always { &[] } else { periods };
    let words = "A retrain is due where both lie above 1. What a skipped retrain leaves is judged again with the next period.";
    let mut body = chart("Drift", words, "score", periods, scores, marked, &threshold);

    let users = vec![
        line("known users", score(&|record| record.served()?.known_users.errors.rmse)),
        line("new users", score(&|record| record.served()?.new_users.errors.rmse)),
    ];
    let words = "Users that the model knew when the period began, and others. For these the mean is predicted.";
    body.push(chart("Known and new users", words, "RMSE in stars", periods, users, marked, &[]));
    let cold = |record: &Record| Some(100.0 * record.served()?.all.cold as f64 / record.slice.ratings.max(1) as f64);
    let unknown = vec![line("ratings of unknown users or items", score(&cold))];
    body.push(chart("What the model did not know", "Share of the period's ratings.", "percent", periods, unknown, marked, &[]));
    body.push(parts::titled_card(
        "Periods",
        "RMSE on the test set is over the ratings that the models before and after the run both know.",
        table(periods),
    ));
    Section { id: policy.as_str().to_owned(), title: format!("Policy {}", policy.as_str()), body }
}

/// A chart over the periods, marked where a model was trained.
fn chart(
    title: &str,
    explanation: &str,
    unit: &str,
    periods: &[Record],
    lines: Vec<Line>,
    marked: &[Record],
    thresholds: &[Threshold],
) -> Markup {
    let mark = |(place, record): (usize, &Record)| match record.decision {
        Decision::Promote => Some(Mark { place, label: "retrained, promoted".to_owned() }),
        Decision::Retrain => Some(Mark { place, label: "retrained, not promoted".to_owned() }),
        Decision::Keep | Decision::NoRatings => None,
    };
    let chart = LineChart {
        title: title.to_owned(),
        description: explanation.to_owned(),
        x_axis: "period".to_owned(),
        y_axis: unit.to_owned(),
        labels: periods.iter().map(|record| record.slice.period.clone()).collect(),
        lines,
        thresholds: thresholds.to_vec(),
        marks: marked.iter().enumerate().filter_map(mark).collect(),
        from_zero: !thresholds.is_empty(),
    };
    let values = Table {
        columns: std::iter::once(words("period")).chain(chart.lines.iter().map(|line| numbers(line.name.as_str()))).collect(),
        rows: chart
            .labels
            .iter()
            .enumerate()
            .map(|(place, label)| {
                let value = |line: &Line| Cell::from(figure(line.values.get(place).copied().flatten(), 4));
                std::iter::once(Cell::from(label.as_str())).chain(chart.lines.iter().map(value)).collect()
            })
            .collect(),
    };
    parts::figure(title, explanation, chart.draw(), &values)
}

fn table(periods: &[Record]) -> Markup {
    let columns = [
        // As a number, so that it is not broken at its dash.
        numbers("period"),
        numbers("ratings"),
        numbers("score"),
        words("decision"),
        words("why"),
        words("serves after"),
        numbers("RMSE"),
        numbers("without"),
        numbers("test before"),
        numbers("test after"),
    ];
    let row = |record: &Record| {
        let found = record.prequential.as_ref();
        let tone = if record.decision.retrains() { Tone::Warning } else { Tone::Plain };
        let why = record.drift.as_ref().map(|drift| drift.reason.as_str());
        let why = [why, record.promotion.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("; ");
        vec![
            record.slice.period.as_str().into(),
            count(record.slice.ratings).into(),
            figure(record.drift.as_ref().map(|drift| drift.score), 2).into(),
            Cell::toned(record.decision.words(), tone),
            why.into(),
            record.model_after.as_str().into(),
            figure(found.and_then(|found| found.model.all.rmse), 4).into(),
            figure(found.and_then(|found| found.start.all.rmse), 4).into(),
            figure(record.test.before, 4).into(),
            figure(record.test.after, 4).into(),
        ]
    };
    Table { columns: columns.into(), rows: periods.iter().map(row).collect() }.draw()
}
