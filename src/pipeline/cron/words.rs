//! An expression in plain words: `at 03:00, Monday to Friday`.
//!
//! The words say what the masks mean, so `*/7` reads as the minutes that it stands for.

use super::Cron;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// So many times of a day are listed one by one.
const TIMES_MAX: u32 = 6;

impl Cron {
    /// What it means, for people.
    pub fn words(&self) -> String {
        let mut words = self.time_words();
        words.push_str(&self.day_words());
        if self.months != all(1..=12) {
            words.push_str(&format!(" in {}", list(self.months, 1..=12, |month| MONTHS[month as usize - 1].to_owned())));
        }
        words
    }

    fn time_words(&self) -> String {
        let (minutes, hours) = (self.minutes.count_ones(), self.hours.count_ones());
        let every_hour = hours == 24;
        if minutes * hours <= TIMES_MAX {
            let times: Vec<String> =
                bits(self.hours).flat_map(|hour| bits(self.minutes).map(move |minute| format!("{hour:02}:{minute:02}"))).collect();
            return format!("at {}", joined(&times, "and"));
        }
        let minute_words = match (minutes, step(self.minutes, 60)) {
            (60, _) => "every minute".to_owned(),
            (1, _) if every_hour && self.minutes == 1 => return "every hour, on the hour".to_owned(),
            (_, Some(step)) => format!("every {step} minutes"),
            (1, _) => format!("at minute {}", numbers(self.minutes, 0..=59)),
            _ => format!("at the minutes {}", numbers(self.minutes, 0..=59)),
        };
        match step(self.hours, 24) {
            _ if every_hour && (minutes == 60 || step(self.minutes, 60).is_some()) => minute_words,
            _ if every_hour => format!("{minute_words} of every hour"),
            Some(hours) if hours > 1 => format!("{minute_words} of every {} hour", ordinal(hours)),
            _ => format!("{minute_words} of the hour{} {}", if hours == 1 { "" } else { "s" }, numbers(self.hours, 0..=23)),
        }
    }

    fn day_words(&self) -> String {
        let (any_day, any_weekday) = (self.days == all(1..=31), self.weekdays == all(0..=6));
        let days = || format!("on day{} {} of the month", if self.days.count_ones() == 1 { "" } else { "s" }, numbers(self.days, 1..=31));
        let weekdays = || list(self.weekdays, 0..=6, |day| WEEKDAYS[day as usize].to_owned());
        let either = !self.any_day && !self.any_weekday;
        match (any_day, any_weekday) {
            (true, true) => ", every day".to_owned(),
            // Either is enough, and one of them always holds.
            _ if either && (any_day || any_weekday) => ", every day".to_owned(),
            (false, true) => format!(", {}", days()),
            (true, false) => format!(", {}", weekdays()),
            (false, false) if either => format!(", {} and on every {}", days(), weekdays()),
            (false, false) => format!(", {} if that is a {}", days(), list_or(self.weekdays)),
        }
    }
}

fn list_or(weekdays: u64) -> String {
    joined(&bits(weekdays).map(|day| WEEKDAYS[day as usize].to_owned()).collect::<Vec<_>>(), "or")
}

/// The values of a mask.
fn bits(mask: u64) -> impl Iterator<Item = u32> + Clone {
    (0..64).filter(move |bit| mask >> bit & 1 == 1)
}

fn all(range: std::ops::RangeInclusive<u32>) -> u64 {
    range.fold(0, |mask, bit| mask | 1 << bit)
}

/// The step of a mask that is `*/step` where that divides the field: 15 for 0, 15, 30, 45.
fn step(mask: u64, cycle: u32) -> Option<u32> {
    let count = mask.count_ones();
    let step = cycle.checked_div(count)?;
    (count > 1 && cycle.is_multiple_of(count) && bits(mask).eq((0..cycle).step_by(step as usize))).then_some(step)
}

fn numbers(mask: u64, range: std::ops::RangeInclusive<u32>) -> String {
    list(mask, range, |value| value.to_string())
}

/// The values of a mask in order; three or more in a row are a range.
fn list(mask: u64, range: std::ops::RangeInclusive<u32>, name: impl Fn(u32) -> String) -> String {
    let mut items = Vec::new();
    let mut value = *range.start();
    while value <= *range.end() {
        let run = (value..=*range.end()).take_while(|bit| mask >> bit & 1 == 1).count() as u32;
        match run {
            0 => value += 1,
            1 | 2 => items.extend((value..value + run).map(&name)),
            _ => items.push(format!("{} to {}", name(value), name(value + run - 1))),
        }
        value += run;
    }
    joined(&items, "and")
}

/// `a, b and c`.
fn joined(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

fn ordinal(number: u32) -> String {
    match number {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        number => format!("{number}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_reads_as_people_say_it() {
        let expressions = [
            "* * * * *",
            "*/15 * * * *",
            "0 * * * *",
            "5 * * * *",
            "0,30 * * * *",
            "0 3 * * *",
            "30 6,18 * * mon-fri",
            "*/10 9-17 * * 1-5",
            "0 */2 * * *",
            "*/7 * * * *",
            "0 0 13 * 5",
            "0 0 1-7 * */7",
            "0 0 1 1 *",
            "15 2-4 1,2 jun-aug *",
            "* 4 * * *",
            "0 0 1-31 * 1",
            "@weekly",
            "20 8-20 * */3 0,6",
            "*/20 */6 * * *",
        ];
        let words = expressions.map(|expression| format!("{expression:22} {}", Cron::parse(expression).expect("valid").words()));
        insta::assert_snapshot!(words.join("\n"), @r"
        * * * * *              every minute, every day
        */15 * * * *           every 15 minutes, every day
        0 * * * *              every hour, on the hour, every day
        5 * * * *              at minute 5 of every hour, every day
        0,30 * * * *           every 30 minutes, every day
        0 3 * * *              at 03:00, every day
        30 6,18 * * mon-fri    at 06:30 and 18:30, Monday to Friday
        */10 9-17 * * 1-5      every 10 minutes of the hours 9 to 17, Monday to Friday
        0 */2 * * *            at minute 0 of every second hour, every day
        */7 * * * *            at the minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour, every day
        0 0 13 * 5             at 00:00, on day 13 of the month and on every Friday
        0 0 1-7 * */7          at 00:00, on days 1 to 7 of the month if that is a Sunday
        0 0 1 1 *              at 00:00, on day 1 of the month in January
        15 2-4 1,2 jun-aug *   at 02:15, 03:15 and 04:15, on days 1 and 2 of the month in June to August
        * 4 * * *              every minute of the hour 4, every day
        0 0 1-31 * 1           at 00:00, every day
        @weekly                at 00:00, Sunday
        20 8-20 * */3 0,6      at minute 20 of the hours 8 to 20, Sunday and Saturday in January, April, July and October
        */20 */6 * * *         every 20 minutes of every 6th hour, every day
        ");
    }
}
