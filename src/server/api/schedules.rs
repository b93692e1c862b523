//! When a pipeline was due and what became of it; when it will be due.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_state::UnixMs;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::Operation;
use super::page::{Limit, Page, read_cursor, write_cursor};
use super::values::Instant;
use crate::facts::firings::{FiringFact, preview};
use crate::facts::history::{Entry, Span, history};
use crate::pipeline::instant::Moment;
use crate::server::problem::Problem;

const TAG: &str = "Pipelines";
/// The list's name in its cursors.
const SLOTS: &str = "slots";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/pipelines/{pipeline}/slots", "listPipelineSlots")
            .about(TAG, "When it was due and what became of it, newest first; runs that no schedule asked for stand between")
            .query::<SlotsQuery>()
            .answers::<Page<Entry>>(StatusCode::OK)
            .by(slots),
        Operation::get("/api/v1/pipelines/{pipeline}/firings", "listPipelineFirings")
            .about(TAG, "When it will be due")
            .query::<FiringsQuery>()
            .answers::<Page<FiringFact>>(StatusCode::OK)
            .by(firings),
    ]
}

/// What [`slots`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct SlotsQuery {
    /// From this instant on: RFC 3339, a date, or an age such as `7d`.
    from: Option<Instant>,
    /// Before this instant.
    to: Option<Instant>,
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn slots(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(query): Query<SlotsQuery>,
) -> Result<Json<Page<Entry>>, Problem> {
    // The instant of the last entry given, and how many entries of that instant were.
    let cursor: Option<(i64, usize)> = query.cursor.as_deref().map(|cursor| read_cursor(SLOTS, cursor)).transpose()?;
    let page = api.work(move |api| {
        let now = api.now();
        let at = |instant: Option<Instant>, otherwise| instant.map_or(Some(otherwise), |instant| instant.start(now));
        let (Some(since), Some(until)) = (at(query.from, UnixMs(i64::MIN)), at(query.to, UnixMs(i64::MAX))) else {
            return Err(beyond());
        };
        let until = cursor.map_or(until, |(last, _)| UnixMs(last.saturating_add(1)).min(until));
        let given = cursor.map_or(0, |(_, given)| given);
        let limit = query.limit.and_one().saturating_add(u32::try_from(given).unwrap_or(u32::MAX));
        let span = Span { since, until, limit };
        let entries = api.store.read(|view| history(std::slice::from_ref(&name), &span, view, &api.workspace, now))?;
        if entries.is_empty() {
            api.must_know(&name)?;
        }
        Ok(cut(entries, cursor, query.limit))
    });
    Ok(Json(page.await?))
}

/// The page behind a cursor. Several entries may stand at one instant: a cursor counts those that were given.
fn cut(mut entries: Vec<Entry>, cursor: Option<(i64, usize)>, limit: Limit) -> Page<Entry> {
    if let Some((last, given)) = cursor {
        let mut left = given;
        entries.retain(|entry| {
            let is_given = entry.at.0 == last && left > 0;
            left -= usize::from(is_given);
            !is_given
        });
    }
    let has_more = entries.len() > limit.get();
    entries.truncate(limit.get());
    let next_cursor = entries.last().filter(|_| has_more).map(|end| {
        let here = entries.iter().filter(|entry| entry.at == end.at).count();
        let before = cursor.filter(|(last, _)| *last == end.at.0).map_or(0, |(_, given)| given);
        write_cursor(SLOTS, &(end.at.0, here + before))
    });
    Page { items: entries, next_cursor }
}

/// What [`firings`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct FiringsQuery {
    /// How many.
    next: Limit,
    /// Strictly after this instant, RFC 3339, or a local time, which each schedule reads in its zone [default: now].
    from: Option<Instant>,
}

async fn firings(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(query): Query<FiringsQuery>,
) -> Result<Json<Page<FiringFact>>, Problem> {
    let firings = api.work(move |api| {
        let now = api.now();
        let from = query.from.map_or_else(|| Moment::Instant(crate::engine::timestamp(now)), |from| from.moment(now));
        let definition = api.store.read(|view| {
            let known = api.pipelines(view)?;
            let found = known.get(&name).map(|known| known.in_force(view, &api.definitions)).transpose()?;
            Ok(found.ok_or(known))
        })?;
        let loaded = definition.map_err(|known| super::pipelines::unknown(&name, &known))?;
        let Some(pipeline) = loaded.as_ref().and_then(|loaded| loaded.pipeline.as_ref()) else { return Ok(Vec::new()) };
        let firings = preview(pipeline, from, query.next.get()).ok_or_else(beyond)?;
        Ok(firings.iter().map(|firing| FiringFact::of(firing, None)).collect())
    });
    Ok(Json(Page::whole(firings.await?)))
}

/// The answer for an instant that no calendar has.
fn beyond() -> Problem {
    Problem::bad_request("the instant lies outside of the years that are known")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64) -> Entry {
        Entry {
            pipeline: "p".to_owned(),
            due: None,
            due_until: None,
            slots: 0,
            became: String::new(),
            reason: None,
            run: None,
            trigger: None,
            created_at: None,
            started_at: None,
            ended_at: None,
            waited_seconds: None,
            seconds: None,
            at: UnixMs(at),
        }
    }

    #[test]
    fn pages_leave_out_and_repeat_nothing_where_entries_share_an_instant() {
        let all = [9, 7, 7, 7, 7, 5];
        let limit = Limit::try_from(2).unwrap();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let until = cursor.map_or(i64::MAX, |(last, _): (i64, usize)| last + 1);
            let given = cursor.map_or(0, |(_, given)| given);
            let read: Vec<Entry> = all.iter().filter(|at| **at < until).take(3 + given).map(|at| entry(*at)).collect();
            let page = cut(read, cursor, limit);
            seen.extend(page.items.iter().map(|entry| entry.at.0));
            let Some(next) = page.next_cursor else { break };
            cursor = Some(read_cursor(SLOTS, &next).unwrap());
        }
        assert_eq!(seen, all);
    }
}
