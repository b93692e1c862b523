//! Which slots run after what happened, and laws over random histories.

use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::pipeline::cron::Cron;
use crate::pipeline::schedule::{Catchup, Dst, Overlap, When};
use crate::scheduler::firings;

fn schedule(when: When, catchup: Catchup) -> Schedule {
    Schedule {
        when,
        timezone: TimeZone::UTC,
        start: None,
        end: None,
        catchup,
        catchup_window: None,
        overlap: Overlap::Queue,
        dst: Dst::Vixie,
    }
}

fn cron(expression: &str, catchup: Catchup) -> Schedule {
    schedule(When::Cron(Cron::parse(expression).expect("valid")), catchup)
}

fn every(seconds: u64, catchup: Catchup) -> Schedule {
    schedule(When::Every(Duration::from_secs(seconds)), catchup)
}

/// A time of one day; seconds may be left out.
fn at(time: &str) -> Timestamp {
    let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
    format!("2026-05-04T{time}{seconds}Z").parse().expect("a time")
}

fn first_look(now: &str) -> Look {
    Look { now: at(now), last: None, paused: false }
}

fn one(schedule: &Schedule, watermark: &str, look: &Look) -> Plan {
    plan(&[(schedule, at(watermark))], look)
}

/// A plan in one line: runs (`+` if made up for), then skipped ranges.
fn shown(plan: &Plan) -> String {
    let time = |at: Timestamp| at.strftime("%H:%M").to_string();
    let runs = plan.run.iter().map(|slot| format!("{}{}", time(slot.at), if slot.made_up { "+" } else { "" }));
    let skipped =
        plan.skipped.iter().map(|range| format!("[{}-{} {}x {}]", time(range.at), time(range.until), range.count, range.reason.word()));
    runs.chain(skipped).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_slot_that_comes_due_before_the_eyes_of_the_loop_runs() {
    for catchup in [Catchup::None, Catchup::Latest, Catchup::All] {
        let hourly = cron("0 * * * *", catchup);
        let look = Look { last: Some(at("11:59:50")), ..first_look("12:00:01") };
        let plan = one(&hourly, "11:59:50", &look);
        assert_eq!(shown(&plan), "12:00");
        assert_eq!((plan.watermarks, plan.next), (vec![at("12:00:01")], Some(at("13:00"))));
    }
}

#[test]
fn of_missed_slots_none_the_latest_or_all_are_made_up_for() {
    let after_noon = |catchup| shown(&one(&cron("0 * * * *", catchup), "07:30", &first_look("12:30")));
    assert_eq!(after_noon(Catchup::None), "[08:00-12:00 5x missed]");
    assert_eq!(after_noon(Catchup::Latest), "12:00+ [08:00-11:00 4x superseded]");
    assert_eq!(after_noon(Catchup::All), "08:00+ 09:00+ 10:00+ 11:00+ 12:00+");
}

#[test]
fn a_restart_within_a_minute_of_a_slot_loses_nothing_and_floods_nothing() {
    let just_now = |catchup| shown(&one(&cron("0 * * * *", catchup), "09:30", &first_look("12:00:59")));
    assert_eq!(just_now(Catchup::None), "12:00 [10:00-11:00 2x missed]");
    assert_eq!(just_now(Catchup::Latest), "12:00 [10:00-11:00 2x superseded]", "the newest slot is on time: nothing is made up for");
    let seconds = one(&every(1, Catchup::None), "12:00:00", &first_look("12:00:30"));
    assert_eq!((seconds.run.len(), seconds.skipped[0].count), (1, 29));
}

#[test]
fn a_slow_turn_is_no_absence() {
    let seconds = every(1, Catchup::None);
    let look = Look { last: Some(at("12:00:00")), ..first_look("12:00:40") };
    assert_eq!(one(&seconds, "12:00:00", &look).run.len(), 40);
    // The machine slept: what came due then was missed.
    let look = Look { last: Some(at("12:00:00")), ..first_look("12:05:00") };
    assert_eq!(one(&seconds, "12:00:00", &look).run.len(), 1);
}

#[test]
fn the_window_bounds_what_is_made_up_for() {
    let window = |catchup, now| {
        let schedule = Schedule { catchup_window: Some(Duration::from_secs(2 * 3_600)), ..cron("0 * * * *", catchup) };
        shown(&one(&schedule, "07:30", &first_look(now)))
    };
    assert_eq!(window(Catchup::All, "12:00"), "10:00+ 11:00+ 12:00 [08:00-09:00 2x outside_window]");
    assert_eq!(window(Catchup::Latest, "12:30"), "12:00+ [08:00-10:00 3x outside_window] [11:00-11:00 1x superseded]");
    let short = Schedule { catchup_window: Some(Duration::from_secs(10)), ..cron("0 * * * *", Catchup::Latest) };
    assert_eq!(shown(&one(&short, "11:30", &first_look("12:00:30"))), "[12:00-12:00 1x outside_window]");
}

#[test]
fn a_pipeline_that_was_paused_does_not_flood() {
    let hourly = cron("0 * * * *", Catchup::All);
    let paused = one(&hourly, "07:30", &Look { paused: true, ..first_look("12:00") });
    assert_eq!(shown(&paused), "[08:00-12:00 5x paused]");
    let after = plan(&[(&hourly, paused.watermarks[0])], &first_look("12:10"));
    assert_eq!((shown(&after).as_str(), after.next), ("", Some(at("13:00"))));
}

#[test]
fn of_too_many_slots_the_newest_run_and_the_others_are_counted() {
    let seconds = every(1, Catchup::All);
    let plan_all = one(&seconds, "00:00", &first_look("12:00"));
    assert_eq!((plan_all.run.len(), plan_all.run[999].at), (RUNS_MAX, at("12:00")));
    let over = Skipped { at: at("00:00:01"), until: at("11:43:20"), count: 42_200, schedule: 0, reason: Reason::OverLimit };
    assert_eq!(plan_all.skipped, [over]);
    // For another catch-up they are skipped anyway, in one range with the rest.
    let latest = one(&every(1, Catchup::Latest), "00:00", &first_look("12:00"));
    let superseded = Skipped { until: at("11:59:59"), count: 43_199, reason: Reason::Superseded, ..over };
    assert_eq!((latest.run.len(), latest.skipped), (1, vec![superseded]));
}

#[test]
fn an_absence_of_decades_is_counted_and_not_walked() {
    let mut seconds = every(1, Catchup::All);
    seconds.start = Some("1990-01-01T00:00:00Z".parse().expect("valid"));
    let now = at("12:00:00.500");
    let all = plan(&[(&seconds, first_watermark(&seconds, None, now))], &Look { now, last: None, paused: false });
    let total = now.duration_since(seconds.start.expect("set")).as_secs() as u64 + 1;
    assert_eq!((all.run.len(), all.skipped[0].count + 1_000), (RUNS_MAX, total));
    assert_eq!((all.skipped[0].until, all.run[0].at, all.next), (at("11:43:20"), at("11:43:21"), Some(at("12:00:01"))));
    let minutes = Schedule { start: seconds.start, ..cron("* * * * *", Catchup::All) };
    let all = plan(&[(&minutes, first_watermark(&minutes, None, now))], &Look { now, last: None, paused: false });
    assert_eq!((all.run.len(), all.skipped[0].count + 1_000), (RUNS_MAX, (total - 1) / 60 + 1));
    // What has ended has no more to come.
    seconds.end = Some("1990-01-01T01:00:00Z".parse().expect("valid"));
    let ended = plan(&[(&seconds, first_watermark(&seconds, None, now))], &Look { now, last: None, paused: false });
    assert_eq!((ended.run.len(), ended.skipped[0].count, ended.next), (1_000, 2_601, None));
}

#[test]
fn a_clock_that_goes_back_fires_nothing_again() {
    let hourly = cron("0 * * * *", Catchup::All);
    let look = Look { last: Some(at("12:00:05")), ..first_look("10:30") };
    let back = one(&hourly, "12:00:05", &look);
    assert_eq!((shown(&back).as_str(), back.watermarks[0], back.next), ("", at("12:00:05"), Some(at("13:00"))));
    // A clock that stood years ahead must not silence the schedule for years.
    let far = "2031-01-01T00:00:00Z".parse().expect("valid");
    let back = plan(&[(&hourly, far)], &look);
    assert_eq!((shown(&back).as_str(), back.watermarks[0], back.next), ("", at("10:30"), Some(at("11:00"))));
}

#[test]
fn a_new_schedule_begins_now_or_at_its_start_and_an_edited_one_goes_on() {
    let mut daily = cron("0 3 * * *", Catchup::All);
    let now = at("12:00");
    assert_eq!(first_watermark(&daily, None, now), now);
    daily.start = Some("2026-05-02T03:00:00Z".parse().expect("valid"));
    let caught_up = plan(&[(&daily, first_watermark(&daily, None, now))], &first_look("12:00"));
    assert_eq!(caught_up.run.len(), 3, "the start itself, and two days");
    assert_eq!(first_watermark(&daily, Some(at("11:00")), now), at("11:00"));
    daily.start = Some("2027-01-01T00:00:00Z".parse().expect("valid"));
    assert_eq!(first_watermark(&daily, None, now), now);
}

#[test]
fn a_schedule_is_known_by_when_it_fires() {
    let daily = cron("0  3 * * MON ", Catchup::All);
    assert_eq!(key(&daily), "cron 0 3 * * mon utc vixie");
    let same = Schedule { catchup: Catchup::None, overlap: Overlap::Skip, start: Some(at("12:00")), ..daily.clone() };
    assert_eq!(key(&same), key(&daily));
    let elsewhere = Schedule { timezone: TimeZone::get("Europe/Prague").expect("known"), ..daily.clone() };
    let other_rule = Schedule { dst: Dst::Skip, ..daily.clone() };
    assert!(key(&elsewhere) != key(&daily) && key(&other_rule) != key(&daily));
    let hourly = every(3_600, Catchup::All);
    assert_eq!(key(&hourly), "every 1h from 1970-01-01T00:00:00Z");
    assert_ne!(key(&Schedule { start: Some(at("12:30")), ..hourly.clone() }), key(&hourly), "its start moves it");
}

#[test]
fn an_instant_of_two_schedules_is_one_slot() {
    let (hourly, at_nine) = (cron("0 * * * *", Catchup::None), cron("0 8,9 * * *", Catchup::All));
    let both = plan(&[(&hourly, at("07:30")), (&at_nine, at("07:30"))], &first_look("12:00:00"));
    // 12:00 is on time; 08:00 and 09:00 are made up for, since one of the two wants that.
    assert_eq!(shown(&both), "08:00+ 09:00+ 12:00 [10:00-11:00 2x missed]");
    assert_eq!(both.run.iter().map(|slot| slot.schedule).collect::<Vec<_>>(), [1, 1, 0]);
    let twice = plan(&[(&hourly, at("07:30")), (&hourly, at("07:30"))], &first_look("10:30"));
    // Both count what they skip, but no two entries have the same name.
    assert_eq!(shown(&twice), "[08:00-10:00 3x missed] [09:00-10:00 2x missed]");
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let when = prop_oneof![
        (1_u64..2_000).prop_map(|seconds| When::Every(Duration::from_secs(seconds))),
        prop::sample::select(vec!["* * * * *", "*/7 * * * *", "0 * * * *", "30 */5 * * *", "15 3,4 * * 1"])
            .prop_map(|text| When::Cron(Cron::parse(text).expect("valid"))),
    ];
    let catchup = prop::sample::select(vec![Catchup::None, Catchup::Latest, Catchup::All]);
    let window = prop::option::of((1_u64..20_000).prop_map(Duration::from_secs));
    (when, catchup, window).prop_map(|(when, catchup, window)| Schedule { catchup_window: window, ..schedule(when, catchup) })
}

proptest! {
    /// However often the loop looks, dies, sleeps, is paused or has its clock set: each slot is decided on exactly once.
    #[test]
    fn every_slot_is_decided_on_exactly_once(
        one in any_schedule(),
        steps in prop::collection::vec((-3_600_000_i64..7_200_000, any::<bool>(), 0..10_u8), 1..20),
    ) {
        let start = at("00:00");
        let (mut now, mut last, mut watermark) = (start, None, start);
        let mut decided = Vec::new();
        for (step, is_restart, paused) in steps {
            now += SignedDuration::from_millis(if is_restart { step } else { step.abs() / 100 });
            if is_restart { last = None; }
            let plan = plan(&[(&one, watermark)], &Look { now, last, paused: paused == 0 });
            decided.extend(plan.run.iter().map(|slot| (slot.at, slot.at, 1)));
            decided.extend(plan.skipped.iter().map(|range| (range.at, range.until, range.count)));
            prop_assert!(plan.run.iter().all(|slot| slot.at <= now) && plan.next.is_some_and(|next| next > now));
            prop_assert!(plan.watermarks[0] >= watermark);
            (watermark, last) = (plan.watermarks[0], Some(now));
        }
        decided.sort();
        let mut due = firings(&one, start).map(|firing| firing.at).take_while(|at| *at <= watermark);
        for (first, last, count) in decided {
            prop_assert_eq!(due.next(), Some(first));
            for _ in 2..=count {
                prop_assert!(due.next().is_some_and(|at| at <= last));
            }
        }
        prop_assert_eq!(due.next(), None);
    }
}
