//! Lists by hand, the laws of folding in, and what a reader finds in the table at any moment.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::new_user::fold_in;
use super::*;
use crate::als::{AlsParams, Fit, RegScaling};
use crate::builtin::Recommend;
use crate::context::CancelToken;
use crate::dataset::{Begin, Change, Layout, Mode, RatingTypeChoice, Transaction};
use crate::kernel::{Aligned, padded};
use crate::matrix::{Duplicates, Ids, RatingMatrix};
use crate::model::publish::Claim;
use crate::model::record::{DatasetRecord, FORMAT, to_created_at};
use crate::model::{AlsModel, ColdStart, Factors, ModelRecord, publish};
use crate::storage::{Disk, FailAfter};
use crate::{AnyStage, Context, ErrorKind, PublishKey, Ratings, Result};

fn factors(rows: &[(i32, [f32; 2])]) -> Factors {
    let mut padded_rows = Aligned::zeroed(rows.len() * padded(2));
    for (to, (_, row)) in padded_rows.as_mut_slice().chunks_mut(padded(2)).zip(rows) {
        to[..2].copy_from_slice(row);
    }
    Factors::from_padded(Ids::of(&rows.iter().map(|row| row.0).collect::<Vec<_>>()), 2, padded_rows)
}

/// User 1 likes the first taste, user 2 the second, user 3 both. Items 10 and 20 have one each, 30 both, 40 neither.
fn model() -> AlsModel {
    let users = factors(&[(1, [1.0, 0.0]), (2, [0.0, 2.0]), (3, [1.0, 1.0])]);
    AlsModel::new(users, factors(&[(10, [4.0, 0.0]), (20, [0.0, 2.0]), (30, [1.0, 1.0]), (40, [0.0, 0.0])]))
}

fn pairs(list: &[Recommended]) -> Vec<(u32, i32, f32)> {
    list.iter().map(|place| (place.rank, place.item, place.score)).collect()
}

#[test]
fn a_user_s_list_by_hand() {
    assert_eq!(pairs(&to_user(&model(), 1, 3, |_| false).unwrap()), [(1, 10, 4.0), (2, 30, 1.0), (3, 20, 0.0)]);
    // 20 and 30 score alike for user 3: the lower id comes first.
    assert_eq!(pairs(&to_user(&model(), 3, 9, |item| item == 10).unwrap()), [(1, 20, 2.0), (2, 30, 2.0), (3, 40, 0.0)]);
    assert!(to_user(&model(), 1, 3, |_| true).unwrap().is_empty());
    let error = to_user(&model(), 7, 3, |_| false).unwrap_err();
    assert!(error.message.contains("does not know user 7") && error.hint.is_some(), "{error}");
}

#[test]
fn similar_items_by_hand() {
    let found = similar_items(&model(), 10, 5).unwrap();
    assert_eq!(found.iter().map(|place| place.item).collect::<Vec<_>>(), [30, 20], "neither itself nor the one without direction");
    assert!((found[0].score - 0.5_f32.sqrt()).abs() < 1e-6 && found[1].score == 0.0, "{found:?}");
    assert!(similar_items(&model(), 40, 5).unwrap_err().message.contains("factors of 0 only"));
    assert!(similar_items(&model(), 41, 5).unwrap_err().message.contains("does not know item 41"));
}

#[test]
fn folding_in_by_hand() {
    // One rating of 4 for an item of (4, 0): x = 4·4 / (16 + λ) in the first direction, 0 in the other.
    let params = AlsParams { reg: 0.5, ..AlsParams::default() };
    let found = fold_in(&model(), &params, &[(10, 4.0), (99, 1.0)]).unwrap();
    assert!((found.factors[0] - 16.0 / 16.5).abs() < 1e-6 && found.factors[1] == 0.0, "{found:?}");
    assert_eq!(found.unknown_items, [99]);
    assert_eq!(to_new_user(&model(), &found.factors, 1, |item| item == 10)[0].item, 30);
}

#[test]
fn what_cannot_be_folded_in_is_refused_with_the_reason() {
    let refused = |params: &AlsParams, ratings: &[(i32, f32)]| fold_in(&model(), params, ratings).unwrap_err().message;
    let params = AlsParams::default();
    assert_eq!(refused(&params, &[(10, 4.0), (20, 1.0), (10, 5.0)]), "item 10 is rated twice");
    assert_eq!(refused(&params, &[(10, f32::NAN)]), "the rating of item 10 is NaN, not a finite number");
    assert!(refused(&params, &[(98, 4.0)]).contains("knows none of the rated items"));
    assert!(refused(&AlsParams { reg: 0.0, ..params }, &[(10, 4.0)]).contains("1 ratings do not determine the 2 factors"));
}

fn some_ratings(rows: &[(i32, i32, u8)]) -> Ratings {
    let mut ratings = Ratings::default();
    rows.iter().for_each(|&(user, item, stars)| ratings.push(item, user, f32::from(stars), 0));
    ratings
}

fn fit(params: &AlsParams, matrix: &RatingMatrix) -> Fit {
    params.clone().check().unwrap().fit(matrix, &CancelToken::new(), |_| {}).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A training ends with the users' half-step, so one more of it changes nothing.
    #[test]
    fn folding_in_a_training_user_s_own_ratings_gives_the_factors_of_the_training(
        rows in prop::collection::vec((0_i32..9, 0_i32..12, 1_u8..6), 1..70),
        (rank, reg, implicit, plain, nonnegative) in (1_usize..20, 0.05_f64..1.0, any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let reg_scaling = if plain { RegScaling::Plain } else { RegScaling::AlsWr };
        let params = AlsParams { rank, reg, implicit, reg_scaling, nonnegative, max_iter: 2, ..AlsParams::default() };
        let matrix = RatingMatrix::build(&some_ratings(&rows), Duplicates::Latest).unwrap();
        let model = fit(&params, &matrix).model;
        let by_user = &matrix.layers()[0].by_user;
        for (user, row) in matrix.users().as_slice().iter().zip(by_user.outer_iterator()) {
            let own: Vec<(i32, f32)> = row.iter().map(|(item, &stars)| (matrix.items().as_slice()[item], stars)).collect();
            let found = fold_in(&model, &params, &own).unwrap();
            let trained = model.users().of(*user).unwrap();
            if nonnegative {
                // The search starts elsewhere, so the digits may differ.
                prop_assert!(found.factors.iter().zip(trained).all(|(a, b)| (a - b).abs() < 1e-3), "{:?} {:?}", found.factors, trained);
            } else {
                prop_assert_eq!(&found.factors[..], trained);
            }
        }
    }

    #[test]
    fn seen_knows_exactly_the_pairs_it_was_given(parts in prop::collection::vec(prop::collection::vec((0_u32..6, 0_u32..8), 0..20), 0..4)) {
        let seen = Seen::of(&parts, 6);
        for (user, item) in (0..6).flat_map(|user| (0..8).map(move |item| (user, item))) {
            prop_assert_eq!(seen.contains(user, item), parts.iter().flatten().any(|&pair| pair == (user, item)));
        }
        prop_assert_eq!(Seen::of(&[], 6), Seen::nothing(6));
    }
}

/// A workspace with the model `m` and the dataset `seen`, in which user 1 has rated 10 and user 9 (unknown) 30.
fn workspace() -> (tempfile::TempDir, Context) {
    let folder = tempfile::tempdir().unwrap();
    let context = Context::plain(folder.path(), PublishKey::new("run", "recommend", 0));
    let record = |claim: &Claim| ModelRecord {
        format: FORMAT,
        version: claim.version.clone(),
        created_at: to_created_at(claim.created_at),
        publish_key: PublishKey::new("run", "train", 0),
        output: Value::Null,
        binary_version: String::new(),
        instruction_set: String::new(),
        params: AlsParams::default(),
        duplicates: Duplicates::Latest,
        cold_start: ColdStart::Drop,
        mean_rating: None,
        dataset: DatasetRecord { path: "seen".to_owned(), fingerprint: String::new(), rows: 2 },
        holdout: None,
        rank: 2,
        users: 3,
        items: 4,
        ratings: 2,
        fit_seconds: 0.0,
        metrics: std::collections::BTreeMap::new(),
        iterations: Vec::new(),
    };
    let record = publish(&folder.path().join("models"), &model(), record, &context).unwrap();
    fs::rename(folder.path().join("models").join(record.version), folder.path().join("m")).unwrap();
    let path = folder.path().join("seen");
    let data = Context { publish_key: PublishKey::new("run", "etl", 0), ..context.clone() };
    let Begin::Open(mut transaction) = Transaction::begin(&[&path], &data).unwrap() else { panic!("nothing was published yet") };
    let rows = vec![some_ratings(&[(1, 10, 5), (9, 30, 5)])];
    transaction
        .write(0, Change { rows: rows.into(), mode: Mode::Upsert, rating_type: RatingTypeChoice::Auto }, &Layout::default())
        .unwrap();
    transaction.commit(&Value::Null).unwrap();
    (folder, context)
}

fn recommend(inputs: Value, context: &Context) -> Result<Value> {
    AnyStage::of::<Recommend>().run(inputs.as_object().unwrap().clone(), context)
}

/// The rows of a table: user, rank, item, score.
fn table(file: &Path) -> Vec<(i32, i32, i32, f32)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(file).unwrap()).unwrap();
    let names: Vec<String> = reader.schema().fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    assert_eq!(names, ["user Int32", "rank Int32", "item Int32", "score Float32"]);
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let ints = [0, 1, 2].map(|column| batch.column(column).as_primitive::<Int32Type>().values().to_vec());
        let scores = batch.column(3).as_primitive::<Float32Type>();
        rows.extend((0..batch.num_rows()).map(|row| (ints[0][row], ints[1][row], ints[2][row], scores.value(row))));
    }
    rows
}

#[test]
fn the_table_holds_every_user_s_list_in_order() {
    let (folder, context) = workspace();
    let output = recommend(json!({ "model": "m", "output": "out/best.parquet", "k": 2 }), &context).unwrap();
    assert_eq!(output, json!({ "path": "out/best.parquet", "users": 3, "rows": 6, "k": 2, "cold_users": 0 }));
    assert_eq!(
        table(&folder.path().join("out/best.parquet")),
        [(1, 1, 10, 4.0), (1, 2, 30, 1.0), (2, 1, 20, 4.0), (2, 2, 30, 2.0), (3, 1, 10, 4.0), (3, 2, 20, 2.0)]
    );
}

#[test]
fn what_was_seen_and_what_nobody_should_get_is_left_out_and_cold_users_are_counted() {
    let (folder, context) = workspace();
    let inputs =
        json!({ "model": "m", "output": "best", "k": 9, "users": [3, 1, 77, 1], "exclude_seen": "seen", "exclude_items": [40, 20, 5] });
    let output = recommend(inputs, &context).unwrap();
    assert_eq!(output, json!({ "path": "best", "users": 2, "rows": 3, "k": 9, "cold_users": 1 }));
    assert_eq!(table(&folder.path().join("best/part-00000.parquet")), [(1, 1, 30, 1.0), (3, 1, 10, 4.0), (3, 2, 30, 2.0)]);
}

#[test]
fn work_already_published_is_returned_and_a_new_generation_replaces_it() {
    let (folder, context) = workspace();
    let inputs = json!({ "model": "m", "output": "best", "k": 1 });
    let output = recommend(inputs.clone(), &context).unwrap();
    fs::rename(folder.path().join("m"), folder.path().join("gone")).unwrap();
    // There is no model: an attempt that did the work again would fail.
    assert_eq!(recommend(inputs.clone(), &context).unwrap(), output);
    fs::rename(folder.path().join("gone"), folder.path().join("m")).unwrap();
    let again = Context { publish_key: PublishKey::new("run", "recommend", 1), ..context };
    assert_eq!(recommend(json!({ "model": "m", "output": "best", "k": 2 }), &again).unwrap()["rows"], 6);
    assert_eq!(table(&folder.path().join("best/part-00000.parquet")).len(), 6);
}

#[test]
fn a_disk_that_fills_up_leaves_the_old_table_or_the_new_one() {
    let (folder, context) = workspace();
    recommend(json!({ "model": "m", "output": "best", "k": 1 }), &context).unwrap();
    let file = folder.path().join("best/part-00000.parquet");
    let mut failures = 0;
    for operations in 0.. {
        let full = Context {
            publish_key: PublishKey::new("run", "recommend", 1),
            storage: Arc::new(FailAfter::new(Disk, operations, std::io::ErrorKind::StorageFull)),
            ..context.clone()
        };
        let result = recommend(json!({ "model": "m", "output": "best", "k": 3 }), &full);
        let rows = table(&file).len();
        let leftovers = fs::read_dir(folder.path().join("best")).unwrap().count();
        assert_eq!(leftovers, 1, "only the table is there");
        match result {
            Ok(_) => {
                assert_eq!(rows, 9);
                break;
            }
            Err(error) => {
                failures += 1;
                assert_eq!(error.kind, ErrorKind::Io, "{error}");
                assert!(rows == 3 || rows == 9, "{rows} rows");
                // Once the new table is visible, an attempt finds it by its key.
                if rows == 9 {
                    break;
                }
            }
        }
    }
    assert!(failures >= 3, "{failures}");
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let (folder, context) = workspace();
    for output in ["m", "seen", "models"] {
        fs::write(folder.path().join("models/file"), "").unwrap();
        let error = recommend(json!({ "model": "m", "output": output }), &context).unwrap_err();
        assert!(error.message.contains("which is no list of recommendations"), "{error}");
    }
}

#[test]
fn a_cancelled_attempt_publishes_nothing() {
    let (folder, context) = workspace();
    context.cancel.cancel();
    let error = recommend(json!({ "model": "m", "output": "best" }), &context).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(!folder.path().join("best/part-00000.parquet").exists());
}
