//! Runs for slots of the past.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use recflow_state::{RunFilter, RunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Api;
use super::extract::{Body, Json, Path};
use super::operation::Operation;
use super::starts::{resolved, valid};
use super::values::Instant;
use crate::engine::pin;
use crate::scheduler::backfill::{Backfill, DATES_MAX, Date, Reprocess, slots_between};
use crate::scheduler::by_hand::cancel_backfill;
use crate::server::problem::Problem;

const TAG: &str = "Pipelines";
/// Runs of a pipeline that are looked through for those of the dates.
const RUNS_MAX: u32 = 100_000;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/pipelines/{pipeline}/backfills", "startBackfill")
            .about(TAG, "Ask for runs for the dates on which its schedule was, or would have been, due")
            .body::<BackfillBody>()
            .answers::<Backfilled>(StatusCode::OK)
            .fails(&[StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY])
            .by(start),
        Operation::delete("/api/v1/backfills/{backfill}", "cancelBackfill")
            .about(TAG, "Call a backfill off: what waits is cancelled, what runs is asked to end")
            .answers::<CalledOff>(StatusCode::OK)
            .by(cancel),
    ]
}

/// Which dates, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BackfillBody {
    /// The first date or instant; a local one is read in the schedule's zone.
    from: Instant,
    /// The last one, included; a date stands for its last instant.
    to: Instant,
    /// Which dates run again that had a run before.
    #[serde(default)]
    reprocess: Which,
    /// How many of its runs may be under way at once.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    max_active: u32,
    /// Newest date first.
    #[serde(default)]
    backwards: bool,
    /// Tell what would become of each date, and create nothing.
    #[serde(default)]
    dry_run: bool,
    /// Values of parameters of all its runs.
    #[serde(default)]
    params: Map<String, Value>,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Which {
    #[default]
    None,
    Failed,
    All,
}

/// What was asked for.
#[derive(Debug, Serialize, JsonSchema)]
struct Backfilled {
    /// Its number; null if nothing was created.
    backfill: Option<i64>,
    /// How many runs it has.
    runs: usize,
    /// The dates, in the order in which they run.
    dates: Vec<DateFact>,
}

/// A date of a backfill.
#[derive(Debug, Serialize, JsonSchema)]
struct DateFact {
    /// The slot, RFC 3339.
    date: String,
    /// What becomes of it: `run`, `again` (it had a run before) or `nothing`.
    becomes: &'static str,
    /// The last run for it.
    last_run: Option<String>,
    /// How that stands.
    last_status: Option<&'static str>,
}

impl From<&Date> for DateFact {
    fn from(date: &Date) -> Self {
        Self {
            date: date.at.to_string(),
            becomes: match (date.wanted, &date.last) {
                (true, None) => "run",
                (true, Some(_)) => "again",
                (false, _) => "nothing",
            },
            last_run: date.last.as_ref().map(|(run, _)| run.to_string()),
            last_status: date.last.as_ref().map(|(_, status)| status.as_str()),
        }
    }
}

async fn start(State(api): State<Arc<Api>>, Path(name): Path<String>, Body(body): Body<BackfillBody>) -> Result<Json<Backfilled>, Problem> {
    let done = api.work(move |api| {
        let now = api.now();
        let (loaded, file) = api.runnable(&name)?;
        let pipeline = valid(&loaded)?;
        let params = resolved(pipeline, body.params)?;
        let Some(schedule) = pipeline.schedules.first() else {
            let problem = Problem::conflict("no-schedule", format!("`{name}` has no schedule, so there are no dates"));
            return Err(problem.with_hint("give it a `schedule`, or start single runs"));
        };
        let span = span(body.from, body.to, &schedule.timezone, now)?;
        let slots = slots_between(pipeline, span).ok_or_else(|| {
            let problem = Problem::invalid("too-many-dates", format!("more than {DATES_MAX} dates lie in that span"));
            problem.with_hint("backfill a shorter span")
        })?;
        let filter = RunFilter { pipeline: Some(name.clone()), ..RunFilter::default() };
        let runs = api.store.read(|view| view.runs(RUNS_MAX, &filter))?;
        let reprocess = match body.reprocess {
            Which::None => Reprocess::None,
            Which::Failed => Reprocess::Failed,
            Which::All => Reprocess::Completed,
        };
        let backfill = Backfill { pipeline, params: &params, span, reprocess, max_active: body.max_active, backwards: body.backwards };
        let dates = backfill.dates(slots, &runs);
        let shown = dates.iter().map(DateFact::from).collect();
        if body.dry_run {
            return Ok(Backfilled { backfill: None, runs: dates.iter().filter(|date| date.wanted).count(), dates: shown });
        }
        let (number, count) = api.store.write(|tx| {
            let version = pin(tx, &name, loaded.source.text(), Some(&file), now)?;
            backfill.record(tx, &api.workspace, version, &dates, now, || RunId::from_random(api.entropy.next()))
        })?;
        api.wake();
        Ok(Backfilled { backfill: Some(number), runs: count, dates: shown })
    });
    Ok(Json(done.await?))
}

fn span(from: Instant, to: Instant, zone: &TimeZone, now: recflow_state::UnixMs) -> Result<(Timestamp, Timestamp), Problem> {
    let (from, to) = (from.moment(now).start(zone), to.moment(now).end(zone));
    match from.zip(to) {
        Some((from, to)) if to >= from => Ok((from, to)),
        Some((from, to)) => Err(Problem::invalid("empty-span", format!("`to` ({to}) is before `from` ({from})"))),
        None => Err(Problem::bad_request("the span lies outside of the years that are known")),
    }
}

/// What became of a backfill that was called off.
#[derive(Debug, Serialize, JsonSchema)]
struct CalledOff {
    /// Its number.
    backfill: i64,
    /// Runs that had not begun and are cancelled.
    cancelled: usize,
    /// Runs under way that are asked to end.
    asked: usize,
}

async fn cancel(State(api): State<Arc<Api>>, Path(number): Path<i64>) -> Result<Json<CalledOff>, Problem> {
    let done = api.work(move |api| {
        let now = api.now();
        let done = api.store.write(|tx| cancel_backfill(tx, number, now))?;
        let (cancelled, asked) = done.ok_or_else(|| Problem::unknown("backfill", &number.to_string()))?;
        api.wake();
        Ok(CalledOff { backfill: number, cancelled, asked })
    });
    Ok(Json(done.await?))
}
