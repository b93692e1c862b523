//! What people see of a simulation that is over.

use std::io::{self, Write};
use std::path::Path;

use super::summary::table;
use super::text;
use crate::simulation::{PolicyResult, Record, SimulationResult};

/// Prints every policy's periods, and the policies side by side.
pub(in crate::cli) fn simulation(result: &SimulationResult, folder: &Path, out: &mut dyn Write) -> io::Result<()> {
    for PolicyResult { policy, periods, .. } in &result.policies {
        if result.policies.len() > 1 {
            writeln!(out, "policy {}", policy.as_str())?;
        }
        print_periods(periods, out)?;
        writeln!(out)?;
    }
    print_totals(&result.policies, out)?;
    writeln!(
        out,
        "\nRMSE is over all ratings of a period before they were learned; where the model does not know user or item, the mean is predicted"
    )?;
    writeln!(out, "report  {}", folder.join("report.html").display())
}

fn print_periods(periods: &[Record], out: &mut dyn Write) -> io::Result<()> {
    let header = [
        "period",
        "ratings",
        "unknown",
        "score",
        "decision",
        "RMSE",
        "without",
        "known users",
        "new users",
        "test before",
        "after",
        "serves",
    ];
    let mut rows = table(&header, &[1, 2, 3, 5, 6, 7, 8, 9, 10]);
    for record in periods {
        let found = record.prequential.as_ref();
        let unknown = found.map(|found| found.model.all.cold as f64 / record.slice.ratings.max(1) as f64);
        rows.add_row([
            record.slice.period.clone(),
            text::count(record.slice.ratings),
            percent(unknown),
            record.drift.as_ref().map(|drift| format!("{:.2}", drift.score)).unwrap_or_default(),
            record.decision.words().to_owned(),
            figure(found.and_then(|found| found.model.all.rmse)),
            figure(found.and_then(|found| found.start.all.rmse)),
            figure(found.and_then(|found| found.model.known_users.errors.rmse)),
            figure(found.and_then(|found| found.model.new_users.errors.rmse)),
            figure(record.test.before),
            figure(record.test.after),
            record.model_after.clone(),
        ]);
    }
    writeln!(out, "{}", rows.trim_fmt())
}

fn print_totals(policies: &[PolicyResult], out: &mut dyn Write) -> io::Result<()> {
    let header = [
        "policy",
        "trained",
        "promoted",
        "RMSE",
        "without",
        "known users",
        "new users",
        "unknown",
        "on shared",
        "without",
        "shared",
        "time",
    ];
    let mut rows = table(&header, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for PolicyResult { policy, totals, .. } in policies {
        rows.add_row([
            policy.as_str().to_owned(),
            totals.retrainings.to_string(),
            totals.promotions.to_string(),
            figure(totals.rmse),
            figure(totals.start_rmse),
            figure(totals.known_users_rmse),
            figure(totals.new_users_rmse),
            percent(totals.cold_share),
            figure(totals.shared_rmse),
            figure(totals.shared_start_rmse),
            text::count(totals.shared),
            text::duration(totals.seconds),
        ]);
    }
    writeln!(out, "{}", rows.trim_fmt())
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
