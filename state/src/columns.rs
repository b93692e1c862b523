//! Reads a row column by column.
//!
//! Asking for a column by its name has SQLite spell out and compare the names of those before it: a tenth of the time of a busy daemon. So
//! columns are read by place: a function that reads a row asks for them in the order in which its statement lists them, and `finish` has
//! every test notice where the two differ in number. What a column is called is looked up only to say which one is damaged.

use rusqlite::Row;
use rusqlite::types::FromSql;
use serde_json::Value;

use crate::json::FromJson;

/// The columns of a row that are still to be read, in the order of the statement.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    /// All columns of a row.
    pub(crate) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(crate) fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let place = self.next;
        self.next += 1;
        self.row.get(place)
    }

    /// The next column, which holds JSON.
    pub(crate) fn value(&mut self) -> rusqlite::Result<Value> {
        Ok(self.get::<FromJson>()?.0)
    }

    /// The next column, which holds JSON or nothing.
    pub(crate) fn value_or_null(&mut self) -> rusqlite::Result<Option<Value>> {
        Ok(self.get::<Option<FromJson>>()?.map(|json| json.0))
    }

    /// The next column, which holds a count or nothing: the reverse of [`signed`](crate::select::signed). A negative number is damage.
    pub(crate) fn count_or_null(&mut self) -> rusqlite::Result<Option<u64>> {
        let place = self.next;
        let Some(stored) = self.get::<Option<i64>>()? else { return Ok(None) };
        u64::try_from(stored).map(Some).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(place, stored))
    }

    /// The next column, which holds a count; 0 where there is none.
    pub(crate) fn count(&mut self) -> rusqlite::Result<u64> {
        Ok(self.count_or_null()?.unwrap_or(0))
    }

    /// Ends the reading of a row with what was made of it.
    pub(crate) fn finish<T>(self, value: T) -> rusqlite::Result<T> {
        debug_assert_eq!(self.next, self.row.as_ref().column_count(), "a statement lists other columns than are read");
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn read<T>(sql: &str, map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        Connection::open_in_memory().unwrap().query_row(sql, [], map)
    }

    #[test]
    fn columns_come_in_the_order_of_the_statement() {
        let read = read("SELECT 'a', 7, '[1]', NULL, NULL", |row| {
            let mut columns = Columns::of(row);
            let value = (columns.get::<String>()?, columns.count()?, columns.value()?, columns.value_or_null()?, columns.count()?);
            columns.finish(value)
        });
        assert_eq!(read.unwrap(), ("a".to_owned(), 7, serde_json::json!([1]), None, 0));
    }

    #[test]
    fn a_negative_count_names_its_column() {
        let error = read("SELECT 1 AS a, -2 AS b", |row| {
            let mut columns = Columns::of(row);
            columns.get::<i64>()?;
            columns.count()
        });
        assert!(matches!(error, Err(rusqlite::Error::IntegralValueOutOfRange(1, -2))), "{error:?}");
    }

    #[test]
    #[should_panic(expected = "other columns than are read")]
    fn a_column_that_nobody_reads_is_noticed() {
        let _ = read("SELECT 1, 2", |row| {
            let mut columns = Columns::of(row);
            let first = columns.get::<i64>()?;
            columns.finish(first)
        });
    }
}
