//! Cron expressions: five fields with the meaning of crontab(5), as Vixie cron reads them.
//!
//! Each field is a bit mask, so a match is five tests. Only calendar rules are here (`next` finds the next match); time
//! zones and daylight saving are the scheduler's.

mod next;
mod words;

use std::fmt;

use jiff::civil::DateTime;

/// A schedule of five fields. Bit `n` of a mask is set if the field allows the value `n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    source: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Bits 0 to 6, Sunday first.
    weekdays: u64,
    /// Vixie's flag: the field begins with `*` (so `*/2` too) and does not restrict the day.
    any_day: bool,
    any_weekday: bool,
    /// Vixie's other flag: neither minute nor hour begins with `*`.
    fixed_time: bool,
}

/// What is wrong with an expression, and which bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronProblem {
    /// A lowercase fragment.
    pub message: String,
    /// The bytes of the expression that it is about.
    pub range: std::ops::Range<usize>,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// How many values come before the field starts again.
    cycle: u32,
    /// The first name stands for `least`.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, cycle: 60, names: &[] },
    Field { name: "hour", least: 0, most: 23, cycle: 24, names: &[] },
    Field { name: "day of month", least: 1, most: 31, cycle: 31, names: &[] },
    Field { name: "month", least: 1, most: 12, cycle: 12, names: &MONTHS },
    Field { name: "day of week", least: 0, most: 7, cycle: 7, names: &WEEKDAYS },
];
const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Cron {
    /// Reads five fields or a macro such as `@daily`. All mistakes are returned.
    ///
    /// # Errors
    /// What is not crontab(5), and a schedule that never fires, such as `0 0 30 2 *`.
    pub fn parse(source: &str) -> Result<Self, Vec<CronProblem>> {
        let text = source.trim();
        let text = match MACROS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
            Some((_, fields)) => fields,
            None if text.starts_with('@') => {
                let known: Vec<_> = MACROS.iter().map(|(name, _)| *name).collect();
                return Err(vec![problem(0..source.len(), format!("unknown macro `{text}`")).hint(format!("known: {}", known.join(", ")))]);
            }
            None => source,
        };
        let fields = split(text);
        if fields.len() != FIELDS.len() {
            let message = format!("a cron expression has five fields, this one has {}", fields.len());
            let hint = if fields.len() == 6 {
                "there is no field for seconds; for less than a minute, use `every`".to_owned()
            } else {
                "they are: minute, hour, day of month, month, day of week".to_owned()
            };
            return Err(vec![problem(0..source.len(), message).hint(hint)]);
        }
        let mut problems = Vec::new();
        let mut masks = [0_u64; 5];
        for ((mask, field), (start, part)) in masks.iter_mut().zip(&FIELDS).zip(&fields) {
            match parse_field(part, field) {
                Ok(found) => *mask = found,
                Err(mut wrong) => {
                    wrong.range = wrong.range.start + start..wrong.range.end + start;
                    problems.push(wrong);
                }
            }
        }
        let [minutes, hours, days, months, weekdays] = masks;
        // Sunday is 0 and 7.
        let weekdays = (weekdays | weekdays >> 7) & 0x7f;
        let (any_day, any_weekday) = (fields[2].1.starts_with('*'), fields[4].1.starts_with('*'));
        let fixed_time = !fields[0].1.starts_with('*') && !fields[1].1.starts_with('*');
        let cron = Self { source: source.to_owned(), minutes, hours, days, months, weekdays, any_day, any_weekday, fixed_time };
        if problems.is_empty() && cron.never_fires() {
            let range = fields[2].0..fields[3].0 + fields[3].1.len();
            problems.push(problem(range, "this never fires: no month that it names has such a day".to_owned()));
        }
        if problems.is_empty() { Ok(cron) } else { Err(problems) }
    }

    /// Steps that mean something else than they seem to, such as `*/7` minutes, which starts again each hour.
    pub fn surprises(&self) -> Vec<CronProblem> {
        let mut surprises = Vec::new();
        for (field, (start, part)) in FIELDS.iter().zip(split(&self.source)) {
            let Some(step) = part.strip_prefix("*/").and_then(|step| step.parse::<u32>().ok()) else { continue };
            if step == 0 || field.cycle % step == 0 {
                continue;
            }
            let range = start..start + part.len();
            let whole = match field.name {
                "minute" => "hour",
                "hour" => "day",
                "day of month" => "month",
                "month" => "year",
                _ => "week",
            };
            let message = format!("`{part}` does not divide the {whole} evenly: it starts again with each {whole}");
            surprises.push(problem(range, message).hint("for a steady interval, use `every`"));
        }
        surprises
    }

    /// Whether it fires in the minute of `time`, a time on the wall clock of its zone.
    pub fn matches(&self, time: DateTime) -> bool {
        let has = |mask: u64, value: i8| mask >> value & 1 == 1;
        has(self.minutes, time.minute())
            && has(self.hours, time.hour())
            && has(self.months, time.month())
            && self.matches_day(has(self.days, time.day()), has(self.weekdays, time.date().weekday().to_sunday_zero_offset()))
    }

    /// Vixie's rule: if both fields restrict the day, either is enough; a field with a star must hold as well.
    fn matches_day(&self, day: bool, weekday: bool) -> bool {
        if self.any_day || self.any_weekday { day && weekday } else { day || weekday }
    }

    fn never_fires(&self) -> bool {
        // With two restricted fields some weekday always comes; with a star in `day`, day 1 is always allowed.
        let only_days = self.any_weekday && !self.any_day;
        let longest = |month: u32| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        only_days && (1..=12).filter(|month| self.months >> month & 1 == 1).all(|month| self.days & ((1 << (longest(month) + 1)) - 1) == 0)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source.trim())
    }
}

fn problem(range: std::ops::Range<usize>, message: String) -> CronProblem {
    CronProblem { message, range, hint: None }
}

impl CronProblem {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The fields with the byte where each begins.
fn split(text: &str) -> Vec<(usize, &str)> {
    text.split_ascii_whitespace().map(|part| (part.as_ptr() as usize - text.as_ptr() as usize, part)).collect()
}

/// A list of `*`, values and ranges, those with stars or ranges with an optional step.
fn parse_field(text: &str, field: &Field) -> Result<u64, CronProblem> {
    let mut mask = 0;
    let mut start = 0;
    for part in text.split(',') {
        let range = start..start + part.len();
        start += part.len() + 1;
        let wrong = |message: String| problem(range.clone(), message);
        let (base, step) = match part.split_once('/') {
            Some((base, step)) => {
                let step = parse_number(step).filter(|step| *step > 0);
                (base, Some(step.ok_or_else(|| wrong(format!("the step of `{part}` is not a number from 1")))?))
            }
            None => (part, None),
        };
        let (first, last) = if base == "*" {
            (field.least, field.most.min(field.least + field.cycle - 1))
        } else if let Some((first, last)) = base.split_once('-') {
            (value(first, field).map_err(wrong)?, value(last, field).map_err(wrong)?)
        } else {
            let single = value(base, field).map_err(wrong)?;
            if let Some(step) = step {
                let error = wrong(format!("a step needs a range, and `{base}` is a single {}", field.name));
                return Err(error.hint(format!("write `{single}-{}/{step}`", field.most)));
            }
            (single, single)
        };
        if first > last {
            let error = wrong(format!("the range `{base}` goes backwards"));
            return Err(error.hint(format!("write `{first}-{},{}-{last}`", field.most.min(field.least + field.cycle - 1), field.least)));
        }
        for value in (first..=last).step_by(step.unwrap_or(1) as usize) {
            mask |= 1 << value;
        }
    }
    Ok(mask)
}

fn value(text: &str, field: &Field) -> Result<u32, String> {
    if let Some(place) = field.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(field.least + place as u32);
    }
    let wrong = |found: String| format!("{found} cannot be the {}, which goes from {} to {}", field.name, field.least, field.most);
    let value =
        parse_number(text).ok_or_else(|| if text.is_empty() { "a value is missing".to_owned() } else { wrong(format!("`{text}`")) })?;
    if (field.least..=field.most).contains(&value) { Ok(value) } else { Err(wrong(value.to_string())) }
}

/// Up to four digits and nothing else; `u32::from_str` would take a sign.
fn parse_number(text: &str) -> Option<u32> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
