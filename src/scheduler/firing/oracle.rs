//! Firings against a minute walker: every time zone, every change of its offset from 2000 to 2037.
//!
//! The walker is Vixie cron as its source has it: it looks at each minute of real time, and keeps a virtual clock for
//! fixed-time jobs. It shares with the code under test only [`Cron::matches`], which has an oracle of its own.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rayon::prelude::*;

use super::firings;
use super::tests::cron;
use crate::pipeline::cron::Cron;
use crate::pipeline::schedule::{Dst, When};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// A search starts up to so long before a change, or after it.
const AROUND: SignedDuration = SignedDuration::from_hours(48);
/// The walker begins so long before the first search, so that its virtual clock is right by then.
const WARM_UP: SignedDuration = SignedDuration::from_hours(54);
const EXPRESSIONS: u64 = 4;

/// The minutes around a change, each with its wall-clock time.
struct Window {
    change: Timestamp,
    minutes: Vec<(Timestamp, DateTime)>,
}

impl Window {
    fn new(zone: &TimeZone, change: Timestamp) -> Self {
        let mut at = change - AROUND - WARM_UP;
        let mut minutes = Vec::new();
        while at < change + AROUND + AROUND {
            let local = zone.to_datetime(at);
            assert_eq!(local.second(), 0, "minutes of {:?} are not those of UTC at {at}", zone.iana_name());
            minutes.push((at, local));
            at += MINUTE;
        }
        Self { change, minutes }
    }

    /// The instants at which the walker runs the job.
    fn walk(&self, cron: &Cron, dst: Dst) -> BTreeSet<Timestamp> {
        let is_real_time = !cron.is_fixed_time() || dst == Dst::Both;
        let mut fired = BTreeSet::new();
        let mut clock = self.minutes[0].1 - 1.minute();
        for (at, local) in &self.minutes {
            if is_real_time {
                fired.extend(cron.matches(*local).then_some(*at));
                continue;
            }
            if dst == Dst::Skip && *local > clock {
                clock = *local - 1.minute();
            }
            while clock < *local {
                clock += 1.minute();
                fired.extend(cron.matches(clock).then_some(*at));
            }
        }
        fired
    }
}

/// SplitMix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// A field, half of the time with a value near `near`.
    fn field(&mut self, least: u64, most: u64, near: u64) -> String {
        let span = most - least + 1;
        let value = |random: &mut Self| {
            if random.below(2) == 0 { (near + random.below(3)).clamp(least + 1, most + 1) - 1 } else { least + random.below(span) }
        };
        let range = |random: &mut Self| {
            let (a, b) = (value(random), value(random));
            (a.min(b), a.max(b))
        };
        match self.below(6) {
            0 => "*".to_owned(),
            1 => format!("*/{}", 1 + self.below(span)),
            2 => format!("{}-{}", range(self).0, most),
            3 => {
                let (first, last) = range(self);
                format!("{first}-{last}/{},{}", 1 + self.below(5), value(self))
            }
            _ => value(self).to_string(),
        }
    }

    /// An expression that has something to do with the wall-clock times around a change.
    fn expression(&mut self, before: DateTime, after: DateTime) -> String {
        let near = if self.below(2) == 0 { before } else { after };
        let minute = self.field(0, 59, near.minute() as u64);
        let hour = self.field(0, 23, near.hour() as u64);
        let (mut day, mut month, mut weekday) = ("*".to_owned(), "*".to_owned(), "*".to_owned());
        match self.below(8) {
            0 => day = self.field(1, 31, near.day() as u64),
            1 => weekday = self.field(0, 7, near.date().weekday().to_sunday_zero_offset() as u64),
            2 => {
                day = self.field(1, 31, near.day() as u64);
                weekday = self.field(0, 7, near.date().weekday().to_sunday_zero_offset() as u64);
            }
            3 => month = self.field(1, 12, near.month() as u64),
            _ => {}
        }
        format!("{minute} {hour} {day} {month} {weekday}")
    }

    /// An instant within two days of a change; at times the change itself, or the nanosecond before.
    fn instant(&mut self, change: Timestamp) -> Timestamp {
        match self.below(8) {
            0 => change,
            1 => change - SignedDuration::from_nanos(1),
            2 => change + SignedDuration::from_mins(self.below(180) as i64 - 90),
            _ => change - AROUND + SignedDuration::from_millis(self.below(2 * AROUND.as_millis() as u64) as i64),
        }
    }
}

/// Compares some expressions around one change; the number of firings that were compared.
fn compare(name: &str, change: Timestamp, seed: u64) -> usize {
    let zone = TimeZone::get(name).expect("listed");
    let window = Window::new(&zone, change);
    let before = zone.to_offset(change - SignedDuration::from_nanos(1)).to_datetime(change);
    let mut random = Random(seed);
    let mut compared = 0;
    for _ in 0..EXPRESSIONS {
        let expression = random.expression(before, zone.to_datetime(change));
        let Ok(_) = Cron::parse(&expression) else { continue };
        let dst = [Dst::Vixie, Dst::Vixie, Dst::Skip, Dst::Both][random.below(4) as usize];
        let schedule = cron(&expression, name, dst);
        let When::Cron(parsed) = &schedule.when else { unreachable!("made of an expression") };
        let walked = window.walk(parsed, dst);
        for _ in 0..3 {
            let after = random.instant(window.change);
            let last = window.minutes[window.minutes.len() - 1].0;
            let found: Vec<Timestamp> = firings(&schedule, after).map(|firing| firing.at).take_while(|at| *at <= last).collect();
            let expected: Vec<Timestamp> = walked.iter().copied().filter(|at| *at > after).collect();
            assert_eq!(found, expected, "`{expression}` in {name}, {dst:?}, after {after}, near the change of {change}, seed {seed}");
            compared += found.len();
        }
    }
    compared
}

/// Compares around one in `every` of the changes of all zones from 2000 to 2037: how many changes, how many firings.
fn compare_all(every: usize) -> (usize, usize) {
    let instant = |text: &str| text.parse::<Timestamp>().expect("valid");
    let (from, until) = (instant("2000-01-01T00:00:00Z"), instant("2038-01-01T00:00:00Z"));
    let mut all = Vec::new();
    for name in jiff::tz::db().available() {
        let zone = jiff::tz::db().get(name.as_str()).expect("listed");
        let changes = zone.following(from).map(|change| change.timestamp()).take_while(|change| *change < until);
        all.extend(changes.map(|change| (name.to_string(), change)));
    }
    let chosen: Vec<_> = all.iter().zip(0_u64..).step_by(every).collect();
    let compared = chosen.par_iter().map(|((name, change), seed)| compare(name, *change, *seed)).sum();
    let zones = all.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len();
    println!("{zones} zones, {} transitions, {EXPRESSIONS} expressions each, {compared} firings compared", chosen.len());
    (chosen.len(), compared)
}

#[test]
fn a_sample_of_all_changes_agrees_with_the_minute_walker() {
    let (changes, compared) = compare_all(97);
    assert!(changes > 100 && compared > 10_000, "{changes} changes, {compared} firings");
}

#[test]
#[ignore = "takes minutes: `make proof` runs it"]
fn every_change_of_every_zone_agrees_with_the_minute_walker() {
    let (changes, compared) = compare_all(1);
    assert!(changes > 10_000 && compared > 1_000_000, "{changes} changes, {compared} firings");
}
