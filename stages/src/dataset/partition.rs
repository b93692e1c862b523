//! Partitions: a calendar month of ratings, stored under `year=2005/month=12` (the month is not padded, as Spark writes it).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::date::civil_from_days;

/// A month. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Partition {
    /// Gregorian year.
    pub year: i32,
    /// 1-12.
    pub month: u32,
}

impl Partition {
    /// The month that a day (days since 1970-01-01) falls into.
    pub fn of_day(days: i32) -> Self {
        let (year, month, _) = civil_from_days(days);
        Self { year, month }
    }

    /// The folder of the partition, relative to the dataset.
    pub fn dir(self) -> String {
        format!("year={}/month={}", self.year, self.month)
    }

    /// The partition of a folder; `None` unless it is written exactly as [`Partition::dir`] writes it.
    pub fn parse(dir: &str) -> Option<Self> {
        let (year, month) = dir.strip_prefix("year=")?.split_once("/month=")?;
        let partition = Self { year: year.parse().ok()?, month: month.parse().ok()? };
        (partition.dir() == dir && (1..=12).contains(&partition.month)).then_some(partition)
    }
}

/// Rows by partition.
pub(super) type Scattered<L> = BTreeMap<Partition, Vec<L>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_not_padded_and_only_the_exact_spelling_is_a_partition() {
        let partition = Partition::of_day(13_148);
        assert_eq!(partition.dir(), "year=2005/month=12");
        assert_eq!(Partition::parse("year=2005/month=12"), Some(partition));
        assert_eq!(Partition::parse("year=2005/month=2").map(Partition::dir).as_deref(), Some("year=2005/month=2"));
        for other in
            ["year=2005/month=02", "year=2005/month=13", "year=2005", "month=1/year=2005", "year=__HIVE_DEFAULT_PARTITION__/month=1", ""]
        {
            assert_eq!(Partition::parse(other), None, "{other}");
        }
    }
}
