//! Every rule × every way in which up to three upstream tasks can stand, against the table of SEMANTICS.md §1 written
//! down once more as predicates.

use crate::engine::core::{Counts, Verdict, judge};
use crate::pipeline::TriggerRule;
use Verdict::*;

/// Counts as the table names them.
#[derive(Clone, Copy)]
struct C {
    n: usize,
    s: usize,
    k: usize,
    f: usize,
    u: usize,
    d: usize,
}

/// A rule: when it runs, and which forced states it knows, first match first.
type Row = (TriggerRule, fn(C) -> bool, &'static [(fn(C) -> bool, Verdict)]);

const TABLE: &[Row] = &[
    (TriggerRule::AllSuccess, |c| c.s == c.n, &[(|c| c.f + c.u > 0, UpstreamFailed), (|c| c.k > 0, Skip)]),
    (TriggerRule::AllFailed, |c| c.f + c.u == c.n, &[(|c| c.s + c.k > 0, Skip)]),
    (TriggerRule::AllDone, |c| c.d == c.n, &[]),
    (TriggerRule::AllDoneMinOneSuccess, |c| c.d == c.n && c.s >= 1, &[(|c| c.d == c.n && c.s == 0, UpstreamFailed)]),
    (TriggerRule::AllSkipped, |c| c.k == c.n, &[(|c| c.s + c.f + c.u > 0, Skip)]),
    (TriggerRule::OneSuccess, |c| c.s >= 1, &[(|c| c.d == c.n && c.k == c.n, Skip), (|c| c.d == c.n && c.s == 0, UpstreamFailed)]),
    (TriggerRule::OneFailed, |c| c.f + c.u >= 1, &[(|c| c.d == c.n, Skip)]),
    (TriggerRule::OneDone, |c| c.s + c.f >= 1, &[(|c| c.d == c.n, Skip)]),
    (TriggerRule::NoneFailed, |c| c.d == c.n && c.f + c.u == 0, &[(|c| c.f + c.u > 0, UpstreamFailed)]),
    (
        TriggerRule::NoneFailedMinOneSuccess,
        |c| c.d == c.n && c.f + c.u == 0 && c.s >= 1,
        &[(|c| c.f + c.u > 0, UpstreamFailed), (|c| c.k == c.n, Skip)],
    ),
    (TriggerRule::NoneSkipped, |c| c.d == c.n && c.k == 0, &[(|c| c.k > 0, Skip)]),
    (TriggerRule::Always, |_| true, &[]),
];

fn expected((_, runs, forced): &Row, c: C) -> Verdict {
    if c.n == 0 || runs(c) {
        return Run;
    }
    forced.iter().find(|(holds, _)| holds(c)).map_or(Wait, |(_, verdict)| *verdict)
}

/// All counts of at most three upstream tasks, each of which is open, succeeded, skipped, failed or upstream_failed.
fn situations() -> Vec<Counts> {
    let mut all = Vec::new();
    for n in 0..=3usize {
        for code in 0..5usize.pow(n as u32) {
            let mut counts = Counts::of(n);
            for position in 0..n {
                match code / 5usize.pow(position as u32) % 5 {
                    0 => {}
                    1 => counts.succeeded += 1,
                    2 => counts.skipped += 1,
                    3 => counts.failed += 1,
                    _ => counts.upstream_failed += 1,
                }
            }
            all.push(counts);
        }
    }
    all
}

#[test]
fn every_rule_agrees_with_the_table_in_every_situation() {
    assert_eq!(TABLE.len(), 12);
    for row in TABLE {
        for counts in situations() {
            let c =
                C { n: counts.all, s: counts.succeeded, k: counts.skipped, f: counts.failed, u: counts.upstream_failed, d: counts.done() };
            assert_eq!(judge(row.0, counts), expected(row, c), "{:?} over {counts:?}", row.0);
        }
    }
}

/// A decision is never taken back: once a rule has spoken, the end of one more upstream task does not turn "runs" into
/// "is skipped" or the reverse. Rules that start at once (`one_*`, `always`) start before they could hear more.
#[test]
fn a_verdict_on_partial_knowledge_holds_when_more_is_known() {
    let at_once = [TriggerRule::OneSuccess, TriggerRule::OneFailed, TriggerRule::OneDone, TriggerRule::Always];
    for (rule, ..) in TABLE.iter().filter(|row| !at_once.contains(&row.0)) {
        for counts in situations().into_iter().filter(|counts| counts.done() < counts.all) {
            let before = judge(*rule, counts);
            let ends: [fn(&mut Counts); 4] = [|c| c.succeeded += 1, |c| c.skipped += 1, |c| c.failed += 1, |c| c.upstream_failed += 1];
            for end in ends {
                let mut later = counts;
                end(&mut later);
                let after = judge(*rule, later);
                assert!(
                    before == Wait || after != Run || before == Run,
                    "{rule:?}: {before:?} over {counts:?}, then {after:?} over {later:?}"
                );
                assert!(before != Run || after == Run, "{rule:?}: {before:?} over {counts:?}, then {after:?} over {later:?}");
            }
        }
    }
}

#[test]
fn every_rule_has_decided_once_all_upstream_tasks_have_ended() {
    for (rule, ..) in TABLE {
        for counts in situations().into_iter().filter(|counts| counts.done() == counts.all) {
            assert_ne!(judge(*rule, counts), Wait, "{rule:?} over {counts:?}");
        }
    }
}
