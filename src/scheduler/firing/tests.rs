//! Known answers: what happens at the seams of real time zones.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::pipeline::cron::Cron;
use crate::pipeline::schedule::{Catchup, Dst, Overlap};

/// A schedule in a zone.
pub(super) fn cron(expression: &str, zone: &str, dst: Dst) -> Schedule {
    let cron = Cron::parse(expression).expect("valid");
    schedule(When::Cron(cron), TimeZone::get(zone).expect("known"), dst)
}

fn schedule(when: When, timezone: TimeZone, dst: Dst) -> Schedule {
    Schedule { when, timezone, start: None, end: None, catchup: Catchup::Latest, catchup_window: None, overlap: Overlap::Queue, dst }
}

fn every(interval: &str) -> Schedule {
    schedule(When::Every(crate::pipeline::duration::parse(interval).expect("valid")), TimeZone::UTC, Dst::Vixie)
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The firings after `from` as `date time offset mark`.
fn shown(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let mark = |firing: &Firing| firing.dst.map(|dst| format!(" {}", dst.word())).unwrap_or_default();
    firings(schedule, instant(from))
        .take(count)
        .map(|firing| format!("{}{}", firing.local.strftime("%m-%d %H:%M %:z"), mark(&firing)))
        .collect()
}

#[test]
fn a_fixed_time_in_the_gap_runs_once_right_after_it() {
    let prague = |expression, dst| shown(&cron(expression, "Europe/Prague", dst), "2027-03-27T12:00:00Z", 3);
    assert_eq!(prague("30 2 * * *", Dst::Vixie), ["03-28 03:00 +02:00 gap", "03-29 02:30 +02:00", "03-30 02:30 +02:00"]);
    assert_eq!(prague("30 2 * * *", Dst::Skip), ["03-29 02:30 +02:00", "03-30 02:30 +02:00", "03-31 02:30 +02:00"]);
    assert_eq!(prague("30 2 * * *", Dst::Both), prague("30 2 * * *", Dst::Skip));
    // However many of its times are in the gap, and if the first instant after the gap is one of its own: once.
    assert_eq!(prague("*/20,1 2-4 * * *", Dst::Vixie)[..2], ["03-28 03:00 +02:00", "03-28 03:01 +02:00"], "begins with a star");
    assert_eq!(prague("0,20,40 2-3 * * *", Dst::Vixie), ["03-28 03:00 +02:00 gap", "03-28 03:20 +02:00", "03-28 03:40 +02:00"]);
    assert_eq!(prague("15 2-4 * * *", Dst::Vixie), ["03-28 03:00 +02:00 gap", "03-28 03:15 +02:00", "03-28 04:15 +02:00"]);
    assert_eq!(prague("0 3 * * *", Dst::Vixie)[0], "03-28 03:00 +02:00", "not in the gap, which ends there");
}

#[test]
fn a_fixed_time_in_the_overlap_runs_once() {
    let new_york = |expression, dst| shown(&cron(expression, "America/New_York", dst), "2026-11-01T04:00:00Z", 3);
    assert_eq!(new_york("30 1 * * *", Dst::Vixie), ["11-01 01:30 -04:00 overlap", "11-02 01:30 -05:00", "11-03 01:30 -05:00"]);
    assert_eq!(new_york("30 1 * * *", Dst::Skip), new_york("30 1 * * *", Dst::Vixie));
    assert_eq!(new_york("30 1 * * *", Dst::Both), ["11-01 01:30 -04:00 overlap", "11-01 01:30 -05:00 overlap", "11-02 01:30 -05:00"]);
    // A look between the two must not find it again.
    assert_eq!(shown(&cron("30 1 * * *", "America/New_York", Dst::Vixie), "2026-11-01T05:30:00Z", 1), ["11-02 01:30 -05:00"]);
    assert_eq!(shown(&cron("30 1 * * *", "America/New_York", Dst::Vixie), "2026-11-01T06:10:00Z", 1), ["11-02 01:30 -05:00"]);
}

#[test]
fn what_has_a_star_follows_real_time() {
    let at = |zone, from, expression| shown(&cron(expression, zone, Dst::Vixie), from, 5);
    assert_eq!(
        at("America/New_York", "2026-11-01T04:59:59Z", "*/30 1 * * *"),
        [
            "11-01 01:00 -04:00 overlap",
            "11-01 01:30 -04:00 overlap",
            "11-01 01:00 -05:00 overlap",
            "11-01 01:30 -05:00 overlap",
            "11-02 01:00 -05:00"
        ]
    );
    assert_eq!(
        at("Europe/Prague", "2027-03-28T00:00:00Z", "30 */2 * * *"),
        ["03-28 04:30 +02:00", "03-28 06:30 +02:00", "03-28 08:30 +02:00", "03-28 10:30 +02:00", "03-28 12:30 +02:00"]
    );
}

#[test]
fn a_gap_of_half_an_hour_is_one() {
    // Lord Howe: 02:00 becomes 02:30 in October, and 01:30 again in April.
    let at = |from, expression| shown(&cron(expression, "Australia/Lord_Howe", Dst::Vixie), from, 2);
    assert_eq!(at("2026-10-03T12:00:00Z", "15 2 * * *"), ["10-04 02:30 +11:00 gap", "10-05 02:15 +11:00"]);
    assert_eq!(at("2026-04-04T12:00:00Z", "45 1 * * *"), ["04-05 01:45 +11:00 overlap", "04-06 01:45 +10:30"]);
    assert_eq!(at("2026-04-04T12:00:00Z", "15 1 * * *"), ["04-05 01:15 +11:00", "04-06 01:15 +10:30"]);
}

#[test]
fn a_midnight_that_does_not_exist_is_made_up_for_at_one() {
    for (zone, from, first) in [
        ("America/Sao_Paulo", "2018-11-03T12:00:00Z", "11-04 01:00 -02:00 gap"),
        ("Asia/Beirut", "2026-03-28T12:00:00Z", "03-29 01:00 +03:00 gap"),
        ("Africa/Cairo", "2026-04-23T12:00:00Z", "04-24 01:00 +03:00 gap"),
    ] {
        assert_eq!(shown(&cron("@daily", zone, Dst::Vixie), from, 1), [first], "{zone}");
    }
    // And one that is an end: 00:00 falls back to 23:00, so that 23:30 comes twice and midnight once.
    let sao_paulo = cron("0,30 0,23 * * *", "America/Sao_Paulo", Dst::Vixie);
    assert_eq!(
        shown(&sao_paulo, "2018-02-18T00:30:00Z", 4),
        ["02-17 23:00 -02:00 overlap", "02-17 23:30 -02:00 overlap", "02-18 00:00 -03:00", "02-18 00:30 -03:00"]
    );
}

#[test]
fn a_day_that_a_country_skips_is_a_gap() {
    // Samoa had no 30 December 2011.
    let apia = |expression| shown(&cron(expression, "Pacific/Apia", Dst::Vixie), "2011-12-29T12:00:00Z", 3);
    assert_eq!(apia("0 3 * * *"), ["12-29 03:00 -10:00", "12-31 00:00 +14:00 gap", "12-31 03:00 +14:00"]);
    assert_eq!(apia("0 3 30 * *")[0], "12-31 00:00 +14:00 gap");
    assert_eq!(apia("0 */12 * * *"), ["12-29 12:00 -10:00", "12-31 00:00 +14:00", "12-31 12:00 +14:00"]);
}

#[test]
fn a_new_standard_time_is_a_seam_like_any_other() {
    // Caracas went from -04:30 to -04:00 on 2016-05-01 at 02:30, Pyongyang from +09:00 to +08:30 on 2015-08-15 at 00:00.
    assert_eq!(shown(&cron("45 2 * * *", "America/Caracas", Dst::Vixie), "2016-05-01T00:00:00Z", 1), ["05-01 03:00 -04:00 gap"]);
    assert_eq!(
        shown(&cron("45 23 * * *", "Asia/Pyongyang", Dst::Vixie), "2015-08-14T12:00:00Z", 2),
        ["08-14 23:45 +09:00 overlap", "08-15 23:45 +08:30"]
    );
}

#[test]
fn a_search_that_finds_nothing_ends() {
    // The second Sunday of March at 02:30 is the gap itself, each year.
    assert_eq!(shown(&cron("30 2 8-14 3 */7", "America/New_York", Dst::Skip), "2026-01-01T00:00:00Z", 1), [""; 0]);
    assert_eq!(shown(&cron("30 2 8-14 3 */7", "America/New_York", Dst::Vixie), "2026-01-01T00:00:00Z", 1), ["03-08 03:00 -04:00 gap"]);
    // 29 February on a Sunday: 2032, and after 2088 only in 2128.
    let rare = cron("0 0 29 2 */7", "UTC", Dst::Vixie);
    let years: Vec<i16> = firings(&rare, instant("2080-01-01T00:00:00Z")).take(2).map(|firing| firing.local.year()).collect();
    assert_eq!(years, [2088, 2128]);
    assert_eq!(firings(&rare, instant("9999-01-01T00:00:00Z")).next(), None);
    assert_eq!(firings(&rare, Timestamp::MAX).next(), None);
    assert_eq!(firings(&every("36525d"), Timestamp::MAX).next(), None);
}

#[test]
fn an_interval_counts_from_the_epoch_or_from_its_start() {
    let mut every = every("90m");
    assert_eq!(shown(&every, "2026-01-01T00:00:00Z", 2), ["01-01 01:30 +00:00", "01-01 03:00 +00:00"]);
    every.start = Some(instant("2026-01-01T00:20:00Z"));
    assert_eq!(shown(&every, "2020-01-01T00:00:00Z", 2), ["01-01 00:20 +00:00", "01-01 01:50 +00:00"], "the start itself fires");
    assert_eq!(shown(&every, "2026-01-01T01:49:59.999Z", 1), ["01-01 01:50 +00:00"]);
    assert_eq!(shown(&every, "2026-01-01T01:50:00Z", 1), ["01-01 03:20 +00:00"], "strictly after");
    // The store keeps milliseconds: a firing between two of them would come again for ever.
    every.start = Some(instant("2026-01-01T00:20:00.0004Z"));
    assert_eq!(firings(&every, instant("2026-01-01T00:00:00Z")).next().map(|firing| firing.at), Some(instant("2026-01-01T00:20:00.001Z")));
    every.when = When::Every(Duration::from_secs(1));
    assert_eq!(firings(&every, instant("1969-12-31T23:59:59Z")).next().map(|firing| firing.at), Some(instant("2026-01-01T00:20:00.001Z")));
}

#[test]
fn start_and_end_may_fire_themselves() {
    let mut daily = cron("0 3 * * *", "UTC", Dst::Vixie);
    (daily.start, daily.end) = (Some(instant("2026-01-05T03:00:00Z")), Some(instant("2026-01-07T03:00:00Z")));
    let days = ["01-05 03:00 +00:00", "01-06 03:00 +00:00", "01-07 03:00 +00:00"];
    assert_eq!(shown(&daily, "2020-01-01T00:00:00Z", 9), days);
    assert_eq!(shown(&daily, "2026-01-05T03:00:00Z", 9), days[1..]);
    let mut iterator = firings(&daily, instant("2026-01-07T03:00:00Z"));
    assert_eq!((iterator.next(), iterator.next()), (None, None));
}

#[test]
fn passing_over_firings_counts_what_walking_them_finds() {
    for (expression, zone) in [
        ("*/5 * * * *", "Europe/Prague"),
        ("* 1-3 * * *", "America/New_York"),
        ("7,37 * * * 1-5", "Australia/Lord_Howe"),
        ("30 2 * * *", "Europe/Prague"),
        ("15,45 0-2 */2 * *", "America/Sao_Paulo"),
        ("0 0 29 2 */7", "UTC"),
    ] {
        for dst in [Dst::Vixie, Dst::Skip, Dst::Both] {
            let schedule = cron(expression, zone, dst);
            let (from, until) = (instant("2018-10-05T12:34:56Z"), instant("2018-11-06T07:08:09Z"));
            let walked: Vec<Timestamp> = firings(&schedule, from).map(|firing| firing.at).take_while(|at| *at <= until).collect();
            let next = firings(&schedule, until).next();
            for keep in [0, 1, 1_000, walked.len().saturating_sub(1), walked.len()] {
                let mut passing = firings(&schedule, from);
                let passed = passing.pass_over(until, keep as u64);
                let (old, kept) = walked.split_at(walked.len().saturating_sub(keep));
                let expected = old.first().zip(old.last()).map(|(first, last)| (*first, *last, old.len() as u64));
                assert_eq!(passed, expected, "{expression} in {zone}, {dst:?}, keep {keep}");
                let rest: Vec<Timestamp> = passing.by_ref().take(kept.len()).map(|firing| firing.at).collect();
                assert_eq!((rest.as_slice(), passing.next()), (kept, next.clone()), "{expression} in {zone}, {dst:?}, keep {keep}");
            }
        }
    }
}
