//! `import` as a task calls it: JSON in, JSON out.

mod real;
mod round_trip;

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::context::PublishKey;
use crate::dataset::Dataset;
use crate::date::format_iso;
use crate::error::ErrorKind;
use crate::names::Id;
use crate::stage::AnyStage;

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn context(&self, run: &str) -> Context {
        Context::plain(self.0.path(), PublishKey::new(run, "import", 0))
    }

    fn run(&self, run: &str, inputs: &Value) -> Result<Value> {
        AnyStage::of::<Import>().run(inputs.as_object().unwrap().clone(), &self.context(run))
    }

    /// `user item rating date`, original ids, in the order of the dataset.
    fn rows(&self, dataset: &str) -> Vec<String> {
        let context = self.context("reader");
        let dataset = Dataset::open(&self.path(dataset), &context).unwrap();
        let (names, rows) = (dataset.names().unwrap(), dataset.read(&context).unwrap());
        let row = |at: usize| {
            let (user, item) = (names.user_of(rows.user[at]), names.item_of(rows.movie[at]));
            format!("{user} {item} {} {}", rows.rating[at], format_iso(rows.date[at]))
        };
        (0..rows.len()).map(row).collect()
    }
}

fn inputs(file: &str) -> Value {
    json!({ "train_file": file, "train_output": "parquet/train" })
}

fn with(mut inputs: Value, key: &str, value: Value) -> Value {
    inputs[key] = value;
    inputs
}

#[test]
fn quoted_fields_a_byte_order_mark_crlf_and_a_missing_newline_are_fine() {
    let text = "\u{feff}\"title\",\"userId\",\"movieId\",\"rating\",\"timestamp\"\r\n\
                \"Heat, \"\"the\"\"\nfilm\",1,2,4.0,0\r\n\r\n  \r\nx,3,\"4\",5,86400";
    let workspace = Workspace::new(&[("r.csv", text)]);
    let output = workspace.run("a", &inputs("r.csv")).unwrap();
    assert_eq!((&output["train"]["read"], &output["train"]["rejected"]), (&json!(2), &json!(0)), "{output}");
    assert_eq!(workspace.rows("parquet/train"), ["1 2 4 1970-01-01", "3 4 5 1970-01-02"]);
    assert_eq!(output["train"]["rating_type"], "int");
}

#[test]
fn malformed_rows_are_counted_by_kind_shown_and_written_down() {
    let text = "user,item,rating,time\n1,1,3,0\nx,1,3,0\n1,y,3,0\n1,1,good,0\n1,1,NaN,0\n1,1,9,0\n1,1,3,soon\n1,,3,0\n1,1,3\n\
                99999999999,1,3,0\n1,1,3,0,0\n2,2,,0\n";
    let workspace = Workspace::new(&[("r.csv", text)]);
    let output = workspace.run("a", &with(inputs("r.csv"), "max_bad_rows", json!(11))).unwrap();
    let kinds = json!({
        "bad_id": 2, "bad_item": 1, "bad_rating": 2, "rating_out_of_range": 1, "bad_time": 1, "missing_value": 2, "row_length": 2
    });
    assert_eq!((&output["train"]["rejected_by_kind"], &output["train"]["read"]), (&kinds, &json!(1)));
    let rejects = fs::read_to_string(workspace.path(output["train"]["rejects_file"].as_str().unwrap())).unwrap();
    assert_eq!(rejects.lines().count(), 12, "{rejects}");
    assert!(rejects.contains("\nr.csv\t3\tbad_id\tx,1,3,0\n") && rejects.contains("\nr.csv\t12\trow_length\t1,1,3,0,0\n"), "{rejects}");

    let error = workspace.run("b", &with(inputs("r.csv"), "max_bad_rows", json!(10))).unwrap_err();
    assert_eq!(error.message, "`r.csv` has 11 malformed lines beside 1 good rows, `max_bad_rows` allows 10");
    assert_eq!(error.causes[0], "r.csv:3: user id is not a whole number: `x,1,3,0`");
}

#[test]
fn names_are_numbered_in_order_of_first_appearance_and_keep_their_numbers() {
    let workspace = Workspace::new(&[
        ("1.csv", "user,item,rating\nann,B1,5\nbob,B2,3\nann,B2,4\n"),
        ("2.csv", "user,item,rating\nzoe,B0,1\nbob,B1,2\nann,,4\n"),
    ]);
    let output = workspace.run("a", &inputs("1.csv")).unwrap();
    assert_eq!((&output["mapped_users"], &output["mapped_items"]), (&json!(2), &json!(2)));
    let output = workspace.run("b", &inputs("2.csv")).unwrap();
    assert_eq!((&output["mapped_users"], &output["train"]["rejected"]), (&json!(3), &json!(1)));
    let context = workspace.context("reader");
    let names = Dataset::open(&workspace.path("parquet/train"), &context).unwrap().names().unwrap();
    assert!(names.users.unwrap().iter().eq(["ann", "bob", "zoe"]));
    assert!(names.items.unwrap().iter().eq(["B1", "B2", "B0"]));
    let day = "1970-01-01";
    assert_eq!(
        workspace.rows("parquet/train"),
        [
            format!("ann B1 5 {day}"),
            format!("bob B1 2 {day}"),
            format!("ann B2 4 {day}"),
            format!("bob B2 3 {day}"),
            format!("zoe B0 1 {day}")
        ]
    );
    // Replaced, the names are still the same.
    workspace.run("c", &with(inputs("2.csv"), "mode", json!("overwrite"))).unwrap();
    let names = Dataset::open(&workspace.path("parquet/train"), &context).unwrap().names().unwrap();
    assert_eq!(names.user(&Id::from("zoe")), Some(2));
}

#[test]
fn each_side_is_mapped_for_itself_and_huge_numbers_are_names() {
    let workspace = Workspace::new(&[("r.csv", "user,item,rating\n76561197970982479,10,5\n18446744073709551616,20,3\n")]);
    let output = workspace.run("a", &inputs("r.csv")).unwrap();
    assert_eq!((&output["mapped_users"], &output["mapped_items"]), (&json!(2), &Value::Null));
    assert_eq!(workspace.rows("parquet/train"), ["76561197970982479 10 5 1970-01-01", "18446744073709551616 20 3 1970-01-01"]);
    let error = workspace.run("b", &with(inputs("r.csv"), "ids", json!("int"))).unwrap_err();
    assert!(error.message.contains("has its ids mapped, and `ids` is int"), "{error}");
    let fresh = with(with(inputs("r.csv"), "ids", json!("int")), "train_output", json!("parquet/int"));
    let error = workspace.run("c", &fresh).unwrap_err();
    assert!(error.message.contains("has no good row") && error.hint.unwrap().contains("`ids: map`"));
}

#[test]
fn a_dataset_of_numbers_stays_one() {
    let workspace = Workspace::new(&[("1.csv", "user,item,rating\n1,2,5\n"), ("2.csv", "user,item,rating\nann,2,5\n")]);
    workspace.run("a", &inputs("1.csv")).unwrap();
    assert!(workspace.run("b", &inputs("2.csv")).unwrap_err().message.contains("has no good row"));
    let error = workspace.run("c", &with(inputs("2.csv"), "ids", json!("map"))).unwrap_err();
    assert_eq!(error.message, "`parquet/train` holds numbers that are ids, and `ids` is map");
    workspace.run("d", &with(with(inputs("2.csv"), "ids", json!("map")), "mode", json!("overwrite"))).unwrap();
    assert_eq!(workspace.rows("parquet/train"), ["ann 2 5 1970-01-01"]);
}

#[test]
fn training_and_test_data_share_their_names() {
    let workspace = Workspace::new(&[("a.csv", "user,item,rating\nann,B1,5\n"), ("b.csv", "user,item,rating\nbob,B1,3\nann,B2,1\n")]);
    let both = json!({ "train_file": "a.csv", "train_output": "parquet/train", "test_file": "b.csv", "test_output": "parquet/test" });
    workspace.run("a", &both).unwrap();
    let context = workspace.context("reader");
    let names = |name: &str| {
        let users = Dataset::open(&workspace.path(name), &context).unwrap().names().unwrap().users.unwrap();
        users.iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("parquet/train"), names("parquet/test")),
        (vec!["ann".to_owned(), "bob".to_owned()], vec!["ann".to_owned(), "bob".to_owned()])
    );
    assert_eq!(workspace.rows("parquet/test").len(), 2);
    // What one of them learned alone, the other learns when both are imported again.
    workspace.run("b", &with(with(both.clone(), "test_file", Value::Null), "test_output", Value::Null)).unwrap();
    workspace.run("c", &both).unwrap();
    assert_eq!(names("parquet/train"), names("parquet/test"));
}

#[test]
fn one_file_is_split_by_a_share_or_a_day_and_importing_it_again_changes_nothing() {
    let text: String = (0..200).map(|row| format!("{},{},{},{}\n", row % 20, row / 20, row % 5 + 1, row * 86_400)).collect();
    let workspace = Workspace::new(&[("r.csv", &text)]);
    let split = |key: &str, value: Value| with(with(inputs("r.csv"), "test_output", json!("parquet/test")), key, value);
    let output = workspace.run("a", &split("test_ratio", json!(0.25))).unwrap();
    let (train, test) = (output["train"]["rows"].as_u64().unwrap(), output["test"]["rows"].as_u64().unwrap());
    assert!(train + test == 200 && (30..70).contains(&test), "{output}");
    let again = workspace.run("b", &split("test_ratio", json!(0.25))).unwrap();
    assert_eq!(
        (&again["train"]["fingerprint"], &again["test"]["fingerprint"]),
        (&output["train"]["fingerprint"], &output["test"]["fingerprint"])
    );
    let output = workspace.run("c", &with(split("test_from", json!("1970-06-01")), "mode", json!("overwrite"))).unwrap();
    assert_eq!((&output["train"]["rows"], &output["test"]["rows"]), (&json!(151), &json!(49)));
    for (wrong, message) in [
        (split("test_ratio", json!(1)), "`test_ratio` is 1"),
        (split("test_from", json!("June")), "`test_from` is `June`, not a day"),
        (split("test_file", Value::Null), "`test_output` goes with one of"),
        (with(inputs("r.csv"), "test_ratio", json!(0.5)), "without `test_output`"),
    ] {
        assert!(workspace.run("d", &wrong).unwrap_err().message.contains(message), "{wrong}");
    }
}

#[test]
fn ratings_on_another_scale_are_refused_rather_than_dropped() {
    let workspace = Workspace::new(&[
        ("r.csv", "user,item,rating\n1,1,8\n1,2,10\n1,3,4\n"),
        ("a.csv", "user_id,anime_id,rating\n1,1,8\n1,2,-1\n1,3,10\n"),
    ]);
    let error = workspace.run("a", &inputs("r.csv")).unwrap_err();
    assert_eq!(error.message, "2 of 3 ratings lie outside 0.5-5, from 8 to 10, in `r.csv` or before it");
    assert!(error.hint.unwrap().contains("rating_range"));
    assert_eq!(workspace.run("b", &with(inputs("r.csv"), "rating_range", json!("1-10"))).unwrap()["train"]["rows"], 3);
    let anime = workspace.run("c", &with(inputs("a.csv"), "train_output", json!("anime"))).unwrap();
    assert_eq!(
        (&anime["train"]["layouts"], &anime["train"]["unrated"], &anime["train"]["rows"]),
        (&json!(["anime"]), &json!(1), &json!(2))
    );
}

#[test]
fn clicks_get_the_default_rating_and_what_has_no_time_the_day_that_was_said() {
    let workspace = Workspace::new(&[("clicks.tsv", "visitorid\titemid\n7\t1\n8\t2\n")]);
    assert!(workspace.run("a", &inputs("clicks.tsv")).unwrap_err().hint.unwrap().contains("default_rating"));
    let clicks = with(with(inputs("clicks.tsv"), "default_rating", json!(1)), "undated", json!("2020-02-29"));
    assert_eq!(workspace.run("b", &clicks).unwrap()["train"]["undated"], 2);
    assert_eq!(workspace.rows("parquet/train"), ["7 1 1 2020-02-29", "8 2 1 2020-02-29"]);
    assert!(workspace.run("c", &with(clicks, "undated", json!("2021-02-29"))).unwrap_err().message.contains("`undated` is `2021-02-29`"));
}

#[test]
fn what_is_no_table_is_named_with_a_remedy() {
    for (text, message, hint) in [
        ("8:\n1,3,2005-01-01\n", "`f` is Netflix text, not a table", "`etl`"),
        ("{\"user\": 1}\n", "`f` is JSON, not a table", "CSV"),
        ("PK\u{3}\u{4}rest", "`f` is a ZIP archive", "unpack"),
        ("a\0b,c\0d\n", "`f` is neither text nor Parquet", "UTF-8"),
        ("hello\nworld\n", "`f` has one column only", "delimiter"),
    ] {
        let workspace = Workspace::new(&[("f", text)]);
        let error = workspace.run("a", &inputs("f")).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Input, message));
        assert!(error.hint.as_ref().is_some_and(|found| found.contains(hint)), "{error:?}");
        assert!(!workspace.path("parquet/train").exists());
    }
    let cut = Workspace::new(&[("f", "PAR1 is not enough")]).run("a", &inputs("f")).unwrap_err();
    assert!(cut.kind == ErrorKind::Input && cut.message.ends_with("/f` is not readable Parquet"), "{cut}");
    let missing = Workspace::new(&[]).run("a", &inputs("no.csv")).unwrap_err();
    assert_eq!(missing.message, "there is no file `no.csv`");
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_the_memory() {
    let workspace = Workspace::new(&[]);
    let mut file = std::io::BufWriter::new(fs::File::create(workspace.path("r.csv")).unwrap());
    file.write_all(b"user,item,rating\n1,2,3\n1,\"2,3\n").unwrap();
    (0..4_000_000).for_each(|_| file.write_all(b"1,2,3\n").unwrap());
    drop(file);
    let error = workspace.run("a", &inputs("r.csv")).unwrap_err();
    assert_eq!(error.message, "the record that begins in line 3 of `r.csv` is longer than 16777216 bytes");
    assert!(error.hint.unwrap().contains("quoting: false"));
    let output = workspace.run("b", &with(inputs("r.csv"), "quoting", json!(false))).unwrap();
    assert_eq!((&output["train"]["read"], &output["train"]["rejected"]), (&json!(4_000_001), &json!(1)));
}

#[test]
fn an_empty_file_and_one_of_a_header_alone_give_an_empty_dataset() {
    let workspace = Workspace::new(&[("empty.csv", ""), ("header.csv", "user,item,rating\n")]);
    let list = with(inputs("empty.csv"), "train_file", json!(["empty.csv", "header.csv"]));
    let output = workspace.run("a", &list).unwrap();
    assert_eq!((&output["train"]["rows"], &output["train"]["layouts"]), (&json!(0), &json!(["empty", "table"])));
}

#[test]
fn a_second_try_of_the_same_work_returns_what_the_first_published() {
    let workspace = Workspace::new(&[("r.csv", "user,item,rating\nann,B1,5\n")]);
    let output = workspace.run("a", &inputs("r.csv")).unwrap();
    fs::remove_file(workspace.path("r.csv")).unwrap();
    assert_eq!(workspace.run("a", &inputs("r.csv")).unwrap(), output);
}

#[test]
fn parquet_is_read_in_whatever_types_its_columns_have() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

    let workspace = Workspace::new(&[]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("Unused", Arc::new(StringArray::from(vec!["a", "b", "c", "d"]))),
        ("rating", Arc::new(Float64Array::from(vec![Some(4.5), Some(3.0), Some(f64::NAN), Some(2.0)]))),
        ("user_id", Arc::new(Float64Array::from(vec![Some(7.0), Some(8.0), Some(9.0), None]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(vec![Some(86_400_000_000), None, Some(0), Some(0)]))),
        ("asin", Arc::new(Int64Array::from(vec![1 << 40, 5, 6, 7]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(workspace.path("r.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let output = workspace.run("a", &with(inputs("r.parquet"), "ids", json!("map"))).unwrap();
    assert_eq!(output["train"]["rejected_by_kind"], json!({ "bad_rating": 1, "missing_value": 1 }));
    assert_eq!((&output["train"]["layouts"], &output["train"]["undated"]), (&json!(["parquet"]), &json!(1)));
    assert_eq!(workspace.rows("parquet/train"), ["7 1099511627776 4.5 1970-01-02", "8 5 3 1970-01-01"]);
    let rejects = fs::read_to_string(workspace.path(output["train"]["rejects_file"].as_str().unwrap())).unwrap();
    assert!(rejects.contains("r.parquet\t4\tmissing_value\t,7,2,1970-01-01"), "{rejects}");
    let wrong = with(inputs("r.parquet"), "columns", json!({ "user": "userid", "time": "timestmp" }));
    let error = workspace.run("b", &wrong).unwrap_err();
    assert_eq!(error.message, "`r.parquet` has no column `userid`; it has Unused, rating, user_id, timestamp, asin");
    assert_eq!(error.hint.as_deref(), Some("did you mean `user_id`?"));
}

#[test]
fn an_import_is_cancelled_between_rows_and_leaves_nothing() {
    let workspace = Workspace::new(&[("r.csv", &format!("user,item,rating\n{}", "1,2,3\n".repeat(20_000)))]);
    let context = workspace.context("a");
    context.cancel.cancel();
    let error = AnyStage::of::<Import>().run(inputs("r.csv").as_object().unwrap().clone(), &context).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(!workspace.path("parquet/train").exists());
}
