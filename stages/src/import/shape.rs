//! How a table is laid out: separators, header, which column is which, and what well-known layout that is.

use csv::ByteRecord;

use super::cell::Cell;
use super::known::{Role, did_you_mean, find, plain};
use super::options::{ColumnRef, Columns, Delimiter, Options};
use crate::error::{Result, StageError};
use crate::intake::{Defect, RatingRange};

/// The places of the columns, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) user: usize,
    pub(super) item: usize,
    pub(super) rating: Option<usize>,
    pub(super) time: Option<usize>,
}

impl Places {
    /// In the order of the cells of a row.
    pub(super) fn all(self) -> [Option<usize>; 4] {
        [Some(self.user), Some(self.item), self.rating, self.time]
    }
}

/// A layout that is known, and what its ratings mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    /// What the output calls it.
    pub(super) name: &'static str,
    /// The ratings that count.
    pub(super) rating_range: RatingRange,
    /// The rating that stands for "seen, not rated".
    pub(super) unrated: Option<f32>,
}

/// A text file, understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) delimiter: Delimiter,
    pub(super) header: bool,
    /// Fields of every row.
    pub(super) width: usize,
    pub(super) places: Places,
    pub(super) layout: Layout,
}

/// What may stand between fields, in the order in which it is preferred where several give the same number of them.
const BYTES: [u8; 4] = [b'\t', b',', b';', b'|'];

/// What stands between the fields of this line: what cuts it into most pieces.
pub(super) fn delimiter_of(line: &[u8]) -> Option<Delimiter> {
    if line.windows(2).any(|pair| pair == b"::") {
        return Some(Delimiter::DoubleColon);
    }
    let count = |byte: u8| line.iter().filter(|&&other| other == byte).count();
    let best = BYTES.into_iter().rev().max_by_key(|&byte| count(byte))?;
    match (count(best), count(b' ')) {
        (0, 0) => None,
        (0, _) => Some(Delimiter::Blank),
        _ => Some(Delimiter::Byte(best)),
    }
}

/// How many fields a record has. None if what lies between two colons is not empty: that is no `::`.
pub(super) fn width(record: &ByteRecord, delimiter: Delimiter) -> Option<usize> {
    match delimiter {
        Delimiter::Byte(_) => Some(record.len()),
        Delimiter::DoubleColon => record.iter().skip(1).step_by(2).all(<[u8]>::is_empty).then(|| record.len().div_ceil(2)),
        Delimiter::Blank => Some(record.iter().filter(|field| !field.is_empty()).count()),
    }
}

/// The field at a place, from 0.
pub(super) fn field(record: &ByteRecord, delimiter: Delimiter, place: usize) -> Option<&[u8]> {
    match delimiter {
        Delimiter::Byte(_) => record.get(place),
        Delimiter::DoubleColon => record.get(place * 2),
        Delimiter::Blank => record.iter().filter(|field| !field.is_empty()).nth(place),
    }
}

/// Understands a text file from its first records. `name` is the file as people write it.
///
/// # Errors
/// One column only; columns that are not there or cannot be told apart.
pub(super) fn understand(sample: &[ByteRecord], delimiter: Delimiter, options: &Options, name: &str) -> Result<Shape> {
    let first = sample.first().ok_or_else(|| StageError::input(format!("`{name}` is empty")))?;
    let width = width(first, delimiter).unwrap_or(0);
    if width < 2 {
        return Err(StageError::input(format!("`{name}` has one column only"))
            .with_hint("say what stands between the fields: `delimiter: \";\"`, `tab`, `blank` or `::`"));
    }
    let texts = |record: &ByteRecord| -> Vec<String> {
        let field = |place| String::from_utf8_lossy(field(record, delimiter, place).unwrap_or_default()).trim().to_owned();
        (0..width).map(field).collect()
    };
    let names = texts(first);
    let named = Role::ALL.iter().any(|&role| matches!(options.columns.of(role), Some(ColumnRef::Name(_))));
    let header = options.header.unwrap_or_else(|| named || names.iter().all(|name| name.parse::<f64>().is_err()));
    let rows = &sample[usize::from(header)..];
    let swapped = !header && delimiter == Delimiter::Byte(b',') && is_amazon_2018(rows, width);
    let layout = layout(header.then_some(names.as_slice()), delimiter, width, swapped);
    let places = if header {
        places_by_name(&options.columns, &names, options.default_rating.is_some(), name)?
    } else {
        places_by_order(&options.columns, width, swapped, options.default_rating.is_some(), name)?
    };
    Ok(Shape { delimiter, header, width, places, layout })
}

/// The places of the columns in a table whose columns have names.
///
/// # Errors
/// A column that is not there, or that is two things at once.
pub(super) fn places_by_name(columns: &Columns, names: &[String], rating_is_optional: bool, file: &str) -> Result<Places> {
    let mut found = [None; 4];
    for (place, role) in found.iter_mut().zip(Role::ALL) {
        *place = match columns.of(role) {
            Some(ColumnRef::Name(wanted)) => Some(find_named(wanted, names, file)?),
            Some(&ColumnRef::Place(wanted)) => Some(check_place(wanted, names.len(), file)?),
            None => find(role, names),
        };
    }
    let listed = || format!("it has {}", names.join(", "));
    finish(found, rating_is_optional, file, listed)
}

/// The places in a table without names: as said, else in the order user, item, rating, time.
fn places_by_order(columns: &Columns, width: usize, swapped: bool, rating_is_optional: bool, file: &str) -> Result<Places> {
    let usual = if swapped { [1, 0, 2, 3] } else { [0, 1, 2, 3] };
    // Once one column was said to be somewhere, the usual order says nothing of the user and the item; what was not said is not there.
    let is_said = Role::ALL.iter().any(|&role| columns.of(role).is_some());
    let mut found = [None; 4];
    for ((place, role), usual) in found.iter_mut().zip(Role::ALL).zip(usual) {
        *place = match columns.of(role) {
            Some(ColumnRef::Name(wanted)) => {
                return Err(StageError::input(format!("`{file}` has no header, so there is no column `{wanted}`"))
                    .with_hint(format!("give its place, from 1: `columns: {{ {}: 1 }}`; or `header: true`", role.name())));
            }
            Some(&ColumnRef::Place(wanted)) => Some(check_place(wanted, width, file)?),
            None => Some(usual).filter(|&usual| usual < width && !is_said),
        };
    }
    finish(found, rating_is_optional, file, || format!("it has {width} columns without names"))
}

fn finish(found: [Option<usize>; 4], rating_is_optional: bool, file: &str, listed: impl Fn() -> String) -> Result<Places> {
    let missing = |role: Role| {
        let (name, listed) = (role.name(), listed());
        let failed = StageError::input(format!("`{file}` has no column that is known to hold the {name}; {listed}"));
        let hint = format!("say which it is: `columns: {{ {name}: … }}`, by its name or its place, from 1");
        failed.with_hint(if role == Role::Rating { format!("{hint}; `default_rating: 1` gives every row that rating") } else { hint })
    };
    let [user, item, rating, time] = found;
    for (index, role) in Role::ALL.iter().enumerate() {
        if let Some(twin) = (0..index).find(|&other| found[other].is_some() && found[other] == found[index]) {
            let (one, other) = (Role::ALL[twin].name(), role.name());
            return Err(StageError::input(format!("the same column of `{file}` is the {one} and the {other}")).with_hint("check `columns`"));
        }
    }
    if rating.is_none() && !rating_is_optional {
        return Err(missing(Role::Rating));
    }
    Ok(Places { user: user.ok_or_else(|| missing(Role::User))?, item: item.ok_or_else(|| missing(Role::Item))?, rating, time })
}

fn find_named(wanted: &str, names: &[String], file: &str) -> Result<usize> {
    let exact = names.iter().position(|name| name == wanted);
    let found = exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)));
    found.ok_or_else(|| {
        let failed = StageError::input(format!("`{file}` has no column `{wanted}`; it has {}", names.join(", ")));
        match did_you_mean(wanted, names) {
            Some(name) => failed.with_hint(format!("did you mean `{name}`?")),
            None => failed.with_hint("name one of these in `columns`"),
        }
    })
}

fn check_place(wanted: usize, width: usize, file: &str) -> Result<usize> {
    if (1..=width).contains(&wanted) {
        return Ok(wanted - 1);
    }
    Err(StageError::input(format!("`{file}` has {width} columns, there is no {wanted}")).with_hint("places are counted from 1"))
}

/// The layout of a text file.
fn layout(names: Option<&[String]>, delimiter: Delimiter, width: usize, swapped: bool) -> Layout {
    let five = RatingRange::default();
    let ten = RatingRange::new(1.0, 10.0).unwrap_or(five);
    let named = |name| Layout { name, rating_range: five, unrated: None };
    let Some(names) = names else {
        return named(match (delimiter, width) {
            (Delimiter::DoubleColon, 4) => "movielens_dat",
            (Delimiter::Byte(b'\t'), 4) => "movielens_u_data",
            (Delimiter::Byte(b','), 4) if swapped => "amazon_2018",
            (Delimiter::Byte(b','), 4) => "amazon",
            _ => "table",
        });
    };
    let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["userid", "movieid", "rating", "timestamp"] => named("movielens_csv"),
        ["userid", "bookid", "rating"] => named("goodbooks"),
        ["userid", "animeid", "rating"] => Layout { name: "anime", rating_range: ten, unrated: Some(-1.0) },
        ["userid", "isbn", "bookrating"] => Layout { name: "book_crossing", rating_range: ten, unrated: Some(0.0) },
        _ => named("table"),
    }
}

/// Amazon's ratings of 2018 have the item first, those of 2014 the user; neither has a header. Product codes have ten characters,
/// reviewers' begin with an A and are longer.
fn is_amazon_2018(rows: &[ByteRecord], width: usize) -> bool {
    let is_swapped = |row: &ByteRecord| {
        let (item, user) = (row.get(0).unwrap_or_default(), row.get(1).unwrap_or_default());
        item.len() == 10 && user.len() > 10 && user.starts_with(b"A")
    };
    width == 4 && !rows.is_empty() && rows.iter().all(is_swapped)
}

/// The four cells of a record.
///
/// # Errors
/// The record has another number of fields than the first.
pub(super) fn cells<'a>(record: &'a ByteRecord, shape: &Shape) -> Result<[Cell<'a>; 4], Defect> {
    if width(record, shape.delimiter) != Some(shape.width) {
        return Err(Defect::RowLength);
    }
    let cell = |place| field(record, shape.delimiter, place).map_or(Cell::Missing, Cell::of_text);
    Ok(shape.places.all().map(|place: Option<usize>| place.map_or(Cell::Missing, cell)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(text: &str, options: &Options) -> Result<Shape> {
        let delimiter = delimiter_of(text.lines().next().unwrap_or_default().as_bytes()).unwrap();
        let byte = match delimiter {
            Delimiter::Byte(byte) => byte,
            Delimiter::DoubleColon => b':',
            Delimiter::Blank => b' ',
        };
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(byte).from_reader(text.as_bytes());
        let sample: Vec<ByteRecord> = reader.byte_records().map(|record| record.unwrap()).collect();
        understand(&sample, delimiter, options, "x.csv")
    }

    fn understood(text: &str) -> (&'static str, bool, [Option<usize>; 4]) {
        let shape = shape_of(text, &Options::default()).unwrap();
        (shape.layout.name, shape.header, shape.places.all())
    }

    #[test]
    fn well_known_layouts_are_recognised() {
        let all = [Some(0), Some(1), Some(2), Some(3)];
        let three = [Some(0), Some(1), Some(2), None];
        for (text, expected) in [
            ("196\t242\t3\t881250949\n", ("movielens_u_data", false, all)),
            ("1::1193::5::978300760\n", ("movielens_dat", false, all)),
            ("userId,movieId,rating,timestamp\n1,1,4.0,964982703\n", ("movielens_csv", true, all)),
            ("user_id,book_id,rating\n1,258,5\n", ("goodbooks", true, three)),
            ("user_id,anime_id,rating\n1,20,-1\n", ("anime", true, three)),
            ("\"User-ID\";\"ISBN\";\"Book-Rating\"\n\"276725\";\"034545104X\";\"0\"\n", ("book_crossing", true, three)),
            ("A1YJEY40YUW4SE,7806397051,1.0,1391040000\n", ("amazon", false, all)),
            ("0439893577,A1VXOAVRGKGEAK,5.0,1391990400\n", ("amazon_2018", false, [Some(1), Some(0), Some(2), Some(3)])),
            ("1050 215 3\n1050 250 2\n", ("table", false, three)),
            ("user,item,rating,timestamp\n1,1193,5,978300760\n", ("table", true, all)),
        ] {
            assert_eq!(understood(text), expected, "{text}");
        }
    }

    #[test]
    fn columns_are_found_by_name_by_place_and_by_what_was_said() {
        let columns = |user: ColumnRef, item: ColumnRef| Columns { user: Some(user), item: Some(item), ..Columns::default() };
        let name = |name: &str| ColumnRef::Name(name.to_owned());
        let with = |columns| Options { columns, default_rating: Some(1.0), ..Options::default() };
        let shape = shape_of("who,what,rating\n1,2,3\n", &with(columns(name("WHO"), ColumnRef::Place(2)))).unwrap();
        assert_eq!(shape.places.all(), [Some(0), Some(1), Some(2), None]);
        let shape = shape_of("1,2,3\n", &with(columns(ColumnRef::Place(3), ColumnRef::Place(1)))).unwrap();
        assert_eq!(shape.places.all(), [Some(2), Some(0), None, None]);
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_those_that_are_and_the_nearest() {
        let said = |columns: Columns| Options { columns, ..Options::default() };
        let wrong = said(Columns { user: Some(ColumnRef::Name("usr_id".to_owned())), ..Columns::default() });
        let error = shape_of("userId,movieId,rating\n1,2,3\n", &wrong).unwrap_err();
        assert_eq!(error.message, "`x.csv` has no column `usr_id`; it has userId, movieId, rating");
        assert_eq!(error.hint.as_deref(), Some("did you mean `userId`?"));

        let error = shape_of("who,movieId,rating\n1,2,3\n", &Options::default()).unwrap_err();
        assert_eq!(error.message, "`x.csv` has no column that is known to hold the user; it has who, movieId, rating");
        let error = shape_of("user,item\n1,2\n", &Options::default()).unwrap_err();
        assert!(error.hint.unwrap().contains("default_rating"));
        let twice = said(Columns { item: Some(ColumnRef::Place(1)), ..Columns::default() });
        assert_eq!(
            shape_of("user,item,rating\n1,2,3\n", &twice).unwrap_err().message,
            "the same column of `x.csv` is the user and the item"
        );
        let far = said(Columns { item: Some(ColumnRef::Place(9)), ..Columns::default() });
        assert_eq!(shape_of("1,2,3\n", &far).unwrap_err().message, "`x.csv` has 3 columns, there is no 9");
    }
}
