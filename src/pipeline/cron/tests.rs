//! The meaning of crontab(5), checked by hand-made cases and against a slow, plain reading of the rules.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

use super::*;

fn fires(expression: &str, time: DateTime) -> bool {
    Cron::parse(expression).expect("valid").matches(time)
}

fn message(expression: &str) -> String {
    let problems = Cron::parse(expression).expect_err("invalid");
    problems.iter().map(|problem| format!("[{}] {}", &expression[problem.range.clone()], problem.message)).collect::<Vec<_>>().join("; ")
}

#[test]
fn weekdays_count_from_sunday_which_is_also_seven() {
    let monday = date(2026, 11, 23).at(3, 0, 0, 0);
    assert!(fires("0 3 * * 1", monday) && fires("0 3 * * mon", monday) && fires("0 3 * * MON-wed", monday));
    assert!(!fires("0 3 * * 0", monday) && !fires("1 3 * * 1", monday));
    let sunday = date(2026, 11, 22).at(0, 0, 0, 0);
    assert!(fires("0 0 * * 0", sunday) && fires("0 0 * * 7", sunday) && fires("0 0 * * 5-7", sunday) && fires("@weekly", sunday));
}

#[test]
fn two_restricted_day_fields_are_joined_by_or_and_a_star_by_and() {
    let friday_13 = date(2026, 11, 13).at(0, 0, 0, 0);
    let friday_20 = date(2026, 11, 20).at(0, 0, 0, 0);
    let sunday_1 = date(2026, 11, 1).at(0, 0, 0, 0);
    let sunday_8 = date(2026, 11, 8).at(0, 0, 0, 0);
    assert!(fires("0 0 13 * 5", friday_13) && fires("0 0 13 * 5", friday_20));
    // A field that begins with a star does not restrict, even with a step: the first Sunday of the month.
    assert!(fires("0 0 1-7 * */7", sunday_1) && !fires("0 0 1-7 * */7", sunday_8));
    assert!(fires("0 0 */10 * 0", sunday_1) && !fires("0 0 */10 * 0", sunday_8));
}

#[test]
fn what_crontab_does_not_allow_is_an_error_at_its_place() {
    insta::assert_snapshot!(
        [
            "* * * *", "0 0 3 * * 1", "60 24 0 13 8", "5/15 * * * *", "30-10 * * * *", "*/0 * * * *", "1SUN 0 * * *", "0 0 L * ?",
            "+5 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "@reboot", "1,,2 * * * *", "", "0 0 * foo *", "1- * * * *",
        ]
        .map(|expression| format!("{expression:20} {}", message(expression)))
        .join("\n"),
        @r"
    * * * *              [* * * *] a cron expression has five fields, this one has 4
    0 0 3 * * 1          [0 0 3 * * 1] a cron expression has five fields, this one has 6
    60 24 0 13 8         [60] 60 cannot be the minute, which goes from 0 to 59; [24] 24 cannot be the hour, which goes from 0 to 23; [0] 0 cannot be the day of month, which goes from 1 to 31; [13] 13 cannot be the month, which goes from 1 to 12; [8] 8 cannot be the day of week, which goes from 0 to 7
    5/15 * * * *         [5/15] a step needs a range, and `5` is a single minute
    30-10 * * * *        [30-10] the range `30-10` goes backwards
    */0 * * * *          [*/0] the step of `*/0` is not a number from 1
    1SUN 0 * * *         [1SUN] `1SUN` cannot be the minute, which goes from 0 to 59
    0 0 L * ?            [L] `L` cannot be the day of month, which goes from 1 to 31; [?] `?` cannot be the day of week, which goes from 0 to 7
    +5 * * * *           [+5] `+5` cannot be the minute, which goes from 0 to 59
    0 0 30 2 *           [30 2] this never fires: no month that it names has such a day
    0 0 31 4,6,9,11 *    [31 4,6,9,11] this never fires: no month that it names has such a day
    @reboot              [@reboot] unknown macro `@reboot`
    1,,2 * * * *         [] a value is missing
                         [] a cron expression has five fields, this one has 0
    0 0 * foo *          [foo] `foo` cannot be the month, which goes from 1 to 12
    1- * * * *           [1-] a value is missing
    "
    );
}

#[test]
fn a_day_that_comes_only_in_leap_years_still_comes() {
    assert!(Cron::parse("0 0 29 2 *").is_ok());
    assert!(Cron::parse("0 0 30 2 1").is_ok(), "or on Mondays");
    assert!(Cron::parse("0 0 30 2,3 *").is_ok());
}

#[test]
fn steps_that_do_not_divide_their_field_are_pointed_out() {
    let surprises = |expression: &str| Cron::parse(expression).expect("valid").surprises().len();
    assert_eq!(["*/7 * * * *", "*/90 * * * *", "0 */5 * * *", "0 0 */2 * *", "0 0 * */5 *"].map(surprises), [1; 5]);
    assert_eq!(["*/15 * * * *", "0 */6 * * *", "0-30/7 * * * *", "0 0 1-7 * */7", "@daily"].map(surprises), [0; 5]);
}

/// The values of a field by enumeration: no masks, no shortcuts.
fn slow_values(field: &str, least: i64, most: i64) -> BTreeSet<i64> {
    let mut values = BTreeSet::new();
    for part in field.split(',') {
        let (base, step) = part.split_once('/').map_or((part, 1), |(base, step)| (base, step.parse().expect("a number")));
        let (first, last) = match base.split_once('-') {
            _ if base == "*" => (least, most),
            Some((first, last)) => (first.parse().expect("a number"), last.parse().expect("a number")),
            None => (base.parse().expect("a number"), base.parse().expect("a number")),
        };
        values.extend((first..=last).filter(|value| (value - first) % step == 0));
    }
    values
}

fn slow_matches(expression: &str, time: DateTime) -> bool {
    let fields: Vec<&str> = expression.split(' ').collect();
    let day = slow_values(fields[2], 1, 31).contains(&i64::from(time.day()));
    let weekday = i64::from(time.date().weekday().to_sunday_zero_offset());
    let weekdays = slow_values(fields[4], 0, 6);
    let weekday = weekdays.contains(&weekday) || (weekday == 0 && weekdays.contains(&7));
    let restricted = !fields[2].starts_with('*') && !fields[4].starts_with('*');
    slow_values(fields[0], 0, 59).contains(&i64::from(time.minute()))
        && slow_values(fields[1], 0, 23).contains(&i64::from(time.hour()))
        && slow_values(fields[3], 1, 12).contains(&i64::from(time.month()))
        && if restricted { day || weekday } else { day && weekday }
}

fn field(least: u32, most: u32) -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("*".to_owned()),
        (1..=most).prop_map(|step| format!("*/{step}")),
        (least..=most).prop_map(|value| value.to_string()),
        (least..=most, least..=most, 1_u32..6).prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ];
    prop::collection::vec(part, 1..3).prop_map(|parts| parts.join(","))
}

proptest! {
    #[test]
    fn masks_agree_with_plain_enumeration(
        fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)),
        minutes in prop::collection::vec(0_i64..6_000_000, 40),
    ) {
        let expression = format!("{} {} {} {} {}", fields.0, fields.1, fields.2, fields.3, fields.4);
        let Ok(cron) = Cron::parse(&expression) else {
            // Only a schedule that never fires is refused.
            let start = date(2024, 1, 1).at(0, 0, 0, 0);
            for day in 0..1_461 {
                let midnight = start + day.days();
                let restricted_days = slow_values(&fields.2, 1, 31);
                let months = slow_values(&fields.3, 1, 12);
                let possible = months.contains(&i64::from(midnight.month())) && restricted_days.contains(&i64::from(midnight.day()));
                prop_assert!(!possible, "{} was refused", expression);
            }
            return Ok(());
        };
        for minute in minutes {
            let time = date(2020, 1, 1).at(0, 0, 0, 0) + minute.minutes();
            prop_assert_eq!(cron.matches(time), slow_matches(&expression, time), "{} at {}", expression, time);
        }
    }

    #[test]
    fn the_next_match_is_the_first_minute_that_matches(
        fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)),
        from in 0_i64..6_000_000,
        seconds in 0_i64..60,
    ) {
        let expression = format!("{} {} {} {} {}", fields.0, fields.1, fields.2, fields.3, fields.4);
        let Ok(cron) = Cron::parse(&expression) else { return Ok(()) };
        let from = date(2020, 1, 1).at(0, 0, 0, 0) + from.minutes();
        let mut walked = (0..1_440).map(|minute| from + minute.minutes()).filter(|time| cron.matches(*time));
        let next = cron.next_match(from).expect("it fires");
        prop_assert!(cron.matches(next) && next >= from);
        let expected = walked.next();
        prop_assert!(if next < from + 1.day() { expected == Some(next) } else { expected.is_none() }, "{} from {}: {}", expression, from, next);
        // Part of a minute counts up.
        prop_assert_eq!(cron.next_match(from + seconds.seconds()), cron.next_match(if seconds == 0 { from } else { from + 1.minute() }));
        let (last, count) = cron.last_match(next.date()).expect("it fires that day");
        let day: Vec<_> = (0..1_440).map(|minute| next.date().at(0, 0, 0, 0) + minute.minutes()).filter(|time| cron.matches(*time)).collect();
        prop_assert_eq!((day.last(), day.len() as u64), (Some(&last), count));
    }

    #[test]
    fn any_text_is_a_schedule_or_an_error(text in "[-*/,0-9a-z@ ]{0,24}|\\PC{0,16}") {
        if let Err(problems) = Cron::parse(&text) {
            prop_assert!(problems.iter().all(|problem| text.get(problem.range.clone()).is_some()));
        }
    }
}
