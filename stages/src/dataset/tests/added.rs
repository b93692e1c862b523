//! Columns that others added: kept, null in new rows, and never in the way of reading.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array, Float64Array, Int64Array,
    LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt8Array,
};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::data_type::{Int32Type as ParquetInt32, Int96, Int96Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::adopted::{as_spark_writes, days, foreign, int};
use super::*;

/// The four columns that every file has.
fn plain(rows: &[Rating]) -> Vec<(&'static str, ArrayRef)> {
    let column = |value: fn(&Rating) -> i32| int(&rows.iter().map(|row| Some(value(row))).collect::<Vec<_>>());
    let dates: Vec<&str> = rows.iter().map(|row| row.3).collect();
    vec![
        ("MOVIE_ID", column(|row| row.0)),
        ("CUST_ID", column(|row| row.1)),
        ("RATING", column(|row| row.2 as i32)),
        ("DATE", days(&dates)),
    ]
}

fn with(rows: &[Rating], added: Vec<(&'static str, ArrayRef)>) -> Vec<(&'static str, ArrayRef)> {
    plain(rows).into_iter().chain(added).collect()
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// The batches of all files of a dataset, as any engine reads them.
fn batches(place: &Place, name: &str) -> Vec<RecordBatch> {
    let read = |file: &String| {
        let file = fs::File::open(place.path(name).join(file)).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    place.files(name).iter().flat_map(read).collect()
}

/// Movie and user of each row, with what is in a string column there.
fn texts(place: &Place, name: &str, column: &str) -> Vec<(i32, i32, Option<String>)> {
    let mut found = Vec::new();
    for batch in batches(place, name) {
        let ids =
            ["MOVIE_ID", "CUST_ID"].map(|id| batch.column_by_name(id).unwrap().as_primitive::<arrow_array::types::Int32Type>().clone());
        let values = batch.column_by_name(column).map(|values| values.as_string::<i32>().clone());
        for row in 0..batch.num_rows() {
            let value = values.as_ref().filter(|values| values.is_valid(row)).map(|values| values.value(row).to_owned());
            found.push((ids[0].value(row), ids[1].value(row), value));
        }
    }
    found.sort();
    found
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn an_upsert_keeps_the_values_of_the_rows_that_stay_and_gives_new_rows_null() {
    let place = Place::new();
    let january = [(1, 1, 3.0, "2005-01-01"), (1, 2, 3.0, "2005-01-01"), (1, 3, 3.0, "2005-01-01")];
    foreign(&place, "train/year=2005/month=1/a.parquet", with(&january, vec![("SOURCE", strings(&[Some("web"), Some("tv"), None]))]));
    as_spark_writes(&place, "train/year=2005/month=1/b.parquet", &[(1, 4, 3.0, "2005-01-02")]);
    as_spark_writes(&place, "train/year=2005/month=2/a.parquet", &[(1, 1, 3.0, "2005-02-01")]);
    assert_eq!(place.read("train").len(), 5, "readers do not mind");
    let inode = || fs::metadata(place.path("train").join("year=2005/month=2/a.parquet")).unwrap().ino();
    let before = inode();
    // The same rating again, a higher one, a new row, and one in a new month.
    let written = place
        .upsert("train", &[(1, 1, 3.0, "2005-01-01"), (1, 2, 5.0, "2005-01-01"), (9, 9, 1.0, "2005-01-09"), (9, 9, 1.0, "2005-03-09")]);
    assert_eq!((written.rows, written.duplicates), (7, 2));
    assert_eq!(inode(), before, "a month that does not change keeps its file, without the column");
    assert_eq!(
        texts(&place, "train", "SOURCE"),
        [(1, 1, None), (1, 1, some("web")), (1, 2, None), (1, 3, None), (1, 4, None), (9, 9, None), (9, 9, None)],
        "the row with the higher rating came without a source"
    );
    let schemas: Vec<usize> = batches(&place, "train").iter().map(RecordBatch::num_columns).collect();
    assert_eq!(schemas, [5, 4, 5], "a new month has all columns of the dataset");
}

#[test]
fn the_manifest_lists_added_columns_and_a_later_upsert_still_keeps_them() {
    let place = Place::new();
    let rows = [(1, 1, 3.0, "2005-01-01")];
    foreign(
        &place,
        "train/year=2005/month=1/a.parquet",
        with(&rows, vec![("SOURCE", strings(&[Some("web")])), ("year", int(&[Some(2005)]))]),
    );
    for user in 2..5 {
        place.upsert("train", &[(1, user, 3.0, "2005-01-01")]);
    }
    let context = place.context("reader");
    let dataset = Dataset::open(&place.path("train"), &context).unwrap();
    let columns: Vec<(&str, &str)> = dataset.manifest().columns.iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    assert_eq!(columns[3..], [("DATE", "date32"), ("SOURCE", "Utf8")], "`year` is in the folder's name");
    assert_eq!(texts(&place, "train", "SOURCE")[0], (1, 1, some("web")));
    let overview = crate::dataset::overview(&dataset, &context).unwrap();
    assert_eq!(overview.columns[4].name, "SOURCE");
    let replaced = Change { mode: Mode::Overwrite, ..change(&[(2, 2, 2.0, "2005-01-01")]) };
    publish(&[(&place.path("train"), replaced)], &place.context("over")).unwrap();
    assert_eq!(Dataset::open(&place.path("train"), &context).unwrap().manifest().columns.len(), 4, "an overwrite replaces the columns too");
}

#[test]
fn every_flat_type_comes_back_as_it_was() {
    let place = Place::new();
    let rows = [(1, 1, 3.0, "2005-01-01"), (1, 2, 3.0, "2005-01-01")];
    let added: Vec<(&str, ArrayRef)> = vec![
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("tiny", Arc::new(UInt8Array::from(vec![None, Some(200)]))),
        ("long", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("real", Arc::new(Float32Array::from(vec![Some(1.5), Some(f32::INFINITY)]))),
        ("double", Arc::new(Float64Array::from(vec![None, Some(-0.1)]))),
        ("price", Arc::new(Decimal128Array::from(vec![Some(12_345), None]).with_precision_and_scale(10, 2).unwrap())),
        ("day", Arc::new(Date32Array::from(vec![Some(-1), None]))),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![None, Some(1)]))),
        ("instant", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None]).with_timezone("UTC"))),
        ("local", Arc::new(TimestampNanosecondArray::from(vec![Some(1), None]))),
        ("text", strings(&[Some("ü"), None])),
        ("blob", Arc::new(BinaryArray::from(vec![None, Some(b"\0x".as_slice())]))),
        ("id", Arc::new(FixedSizeBinaryArray::try_from_iter([[1_u8, 2], [3, 4]].iter()).unwrap())),
    ];
    foreign(&place, "train/year=2005/month=1/a.parquet", with(&rows, added.clone()));
    place.upsert("train", &[(1, 3, 3.0, "2005-01-01")]);
    let [batch] = batches(&place, "train").try_into().unwrap();
    for (name, before) in added {
        let after = batch.column_by_name(name).unwrap();
        assert_eq!((after.data_type(), &after.slice(0, 2)), (before.data_type(), &before), "{name}");
        assert!(after.is_null(2), "{name}");
    }
}

#[test]
fn a_string_is_a_string_whichever_engine_wrote_it_and_names_differ_in_case() {
    let place = Place::new();
    let row = |user| [(1, user, 3.0, "2005-01-01")];
    foreign(
        &place,
        "train/year=2005/month=1/polars.parquet",
        with(&row(1), vec![("Source", Arc::new(LargeStringArray::from(vec!["web"])))]),
    );
    foreign(&place, "train/year=2005/month=1/pandas.parquet", with(&row(2), vec![("SOURCE", Arc::new(StringViewArray::from(vec!["tv"])))]));
    let nulls = arrow_array::new_null_array(&DataType::Null, 1);
    foreign(&place, "train/year=2005/month=1/empty.parquet", with(&row(3), vec![("source", nulls)]));
    place.upsert("train", &[(1, 4, 3.0, "2005-01-01")]);
    // Of the spellings, the first in the order of the files: one that holds only nulls does not count.
    assert_eq!(texts(&place, "train", "SOURCE"), [(1, 1, some("web")), (1, 2, some("tv")), (1, 3, None), (1, 4, None)]);
}

#[test]
fn a_column_of_two_types_is_an_error_that_names_both_files_and_reading_goes_on() {
    let place = Place::new();
    let row = |user| [(1, user, 3.0, "2005-01-01")];
    foreign(&place, "train/year=2005/month=1/a.parquet", with(&row(1), vec![("SOURCE", strings(&[Some("web")]))]));
    foreign(&place, "train/year=2005/month=1/b.parquet", with(&row(2), vec![("SOURCE", int(&[Some(1)]))]));
    let error = publish(&[(&place.path("train"), change(&row(3)))], &place.context("a")).unwrap_err();
    for part in ["column `SOURCE` is Utf8 in `", "a.parquet` and Int32 in `", "b.parquet`"] {
        assert!(error.message.contains(part), "{error}");
    }
    assert_eq!(place.read("train").len(), 2);
    assert!(!place.path(".train.snapshots/1.json").exists());
}

#[test]
fn a_nested_column_is_refused_rather_than_lost() {
    let place = Place::new();
    let tags = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]);
    foreign(&place, "train/year=2005/month=1/a.parquet", with(&[(1, 1, 3.0, "2005-01-01")], vec![("TAGS", Arc::new(tags))]));
    let error = publish(&[(&place.path("train"), change(&[(2, 2, 2.0, "2005-01-01")]))], &place.context("a")).unwrap_err();
    assert!(error.message.contains("column `TAGS`") && error.message.contains("cannot keep"), "{error}");
    assert!(error.hint.unwrap().contains("overwrite"));
}

/// Spark's default for instants is a Parquet type that no Arrow writer makes.
#[test]
fn the_instants_of_spark_are_kept_as_microseconds_in_utc() {
    let place = Place::new();
    let path = place.path("train/year=2005/month=1/part-0.c000.snappy.parquet");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let schema = "message spark_schema { optional int32 MOVIE_ID; optional int32 CUST_ID; optional int32 RATING; optional int32 DATE (DATE); optional int96 SEEN; }";
    let mut writer =
        SerializedFileWriter::new(fs::File::create(path).unwrap(), Arc::new(parse_message_type(schema).unwrap()), Default::default())
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    for value in [1, 2, 3, parse_iso(b"2005-01-01").unwrap()] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ParquetInt32>().write_batch(&[value], Some(&[1]), None).unwrap();
        column.close().unwrap();
    }
    // Noon of 9999-12-31, which nanoseconds since 1970 cannot hold: Julian day 5373484.
    let noon = 43_200_000_000_000_u64;
    let mut instant = Int96::new();
    instant.set_data(noon as u32, (noon >> 32) as u32, 5_373_484);
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int96Type>().write_batch(&[instant], Some(&[1]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();

    place.upsert("train", &[(9, 9, 3.0, "2005-01-01")]);
    let [batch] = batches(&place, "train").try_into().unwrap();
    let seen = batch.column_by_name("SEEN").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(seen.timezone(), Some("UTC"));
    let day = i64::from(parse_iso(b"9999-12-31").unwrap());
    assert_eq!((seen.value(0), seen.is_null(1)), ((day * 86_400 + 43_200) * 1_000_000, true));
}

/// Movie, user and the number of the date.
type Key = (i32, i32, usize);

/// A row as the model knows it: key, stars, and its values of the added columns `A` and `B`.
type Known = (Key, i32, Option<i64>, Option<String>);

const DATES: [&str; 4] = ["2004-12-31", "2005-01-01", "2005-01-02", "2005-11-01"];

/// A file of another engine: which of the added columns it has, and its rows.
#[derive(Debug, Clone)]
struct Foreign {
    has: [bool; 2],
    rows: Vec<Known>,
}

fn any_foreign() -> impl Strategy<Value = Foreign> {
    let key = (0..3_i32, 0..3_i32, 0..4_usize);
    let row = (key, 1..6_i32, prop::option::of(any::<i64>()), prop::option::of("[a-c]{0,2}"));
    (any::<[bool; 2]>(), prop::collection::vec(row, 0..10)).prop_map(|(has, rows)| {
        let seen = |(key, stars, a, b): Known| (key, stars, a.filter(|_| has[0]), b.filter(|_| has[1]));
        Foreign { has, rows: rows.into_iter().map(seen).collect() }
    })
}

/// Writes a file's rows into the folders of their months, as `partitionBy` does.
fn write(place: &Place, number: usize, file: &Foreign) {
    let mut months: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for row in &file.rows {
        months.entry(&DATES[row.0.2][..7]).or_default().push(row);
    }
    for (month, rows) in months {
        let (year, month) = month.split_once('-').unwrap();
        let ratings: Vec<Rating> = rows.iter().map(|row| (row.0.0, row.0.1, row.1 as f32, DATES[row.0.2])).collect();
        let mut added: Vec<(&str, ArrayRef)> = Vec::new();
        if file.has[0] {
            added.push(("A", Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>())));
        }
        if file.has[1] {
            added.push(("B", Arc::new(rows.iter().map(|row| row.3.as_deref()).collect::<StringArray>())));
        }
        foreign(place, &format!("train/year={year}/month={}/{number}.parquet", month.parse::<u32>().unwrap()), with(&ratings, added));
    }
}

/// What is in the dataset, added columns included.
fn known(place: &Place) -> Vec<Known> {
    let mut found = Vec::new();
    for batch in batches(place, "train") {
        let int = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<arrow_array::types::Int32Type>().clone();
        let (movie, user, stars) = (int("MOVIE_ID"), int("CUST_ID"), int("RATING"));
        let date = batch.column_by_name("DATE").unwrap().as_primitive::<arrow_array::types::Date32Type>();
        for row in 0..batch.num_rows() {
            let iso = crate::date::format_iso(date.value(row));
            let a = batch.column_by_name("A").map(|column| column.as_primitive::<Int64Type>()).filter(|column| column.is_valid(row));
            let b = batch.column_by_name("B").map(|column| column.as_string::<i32>()).filter(|column| column.is_valid(row));
            let key = (movie.value(row), user.value(row), DATES.iter().position(|date| *date == iso).unwrap());
            found.push((key, stars.value(row), a.map(|column| column.value(row)), b.map(|column| column.value(row).to_owned())));
        }
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_sequence_of_upserts_keeps_added_columns_as_a_map_would(
        files in prop::collection::vec(any_foreign(), 0..4),
        batches in prop::collection::vec(prop::collection::vec(((0..3_i32, 0..3_i32, 0..4_usize), 1..6_i32), 0..6), 1..3),
    ) {
        let place = Place::new();
        let mut model: BTreeMap<Key, Known> = BTreeMap::new();
        let mut upsert = |(key, stars, a, b): Known| {
            let kept = model.entry(key).or_insert((key, i32::MIN, None, None));
            if stars > kept.1 {
                *kept = (key, stars, a, b);
            }
        };
        for (number, file) in files.iter().enumerate() {
            write(&place, number, file);
            file.rows.iter().cloned().for_each(&mut upsert);
        }
        for batch in &batches {
            let rows: Vec<Rating> = batch.iter().map(|(key, stars)| (key.0, key.1, *stars as f32, DATES[key.2])).collect();
            place.upsert("train", &rows);
            batch.iter().for_each(|(key, stars)| upsert((*key, *stars, None, None)));
        }
        let expected: Vec<Known> = model.into_values().collect();
        prop_assert_eq!(known(&place), expected);
    }
}

/// For those who run it under other circumstances.
pub(super) fn upserts_keep_added_columns_as_a_map_would() {
    any_sequence_of_upserts_keeps_added_columns_as_a_map_would();
}
