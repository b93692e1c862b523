//! What a served model answers: held against slow sums, the command line's own functions and the training itself.

use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::builtin::TrainAls;
use crate::dataset::{Begin, Change, Layout as DatasetLayout, Mode, RatingTypeChoice, Transaction};
use crate::model::{Which, versions};
use crate::names::{Id, NameMap, Names};
use crate::recommend::ask::{self, ModelChoice};
use crate::{AnyStage, Context, PublishKey, Ratings, WorkspacePath};

/// A workspace with the dataset `train` and models trained on it.
struct World {
    folder: tempfile::TempDir,
    context: Context,
}

/// User, item and stars.
type Row = (i32, i32, u8);

impl World {
    fn new(rows: &[Row], inputs: Value) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "train", 0));
        let world = Self { folder, context };
        world.write(rows);
        let mut all = json!({ "ratings": "train", "models": "models", "rank": 3, "max_iter": 3 });
        all.as_object_mut().unwrap().extend(inputs.as_object().unwrap().clone());
        AnyStage::of::<TrainAls>().run(all.as_object().unwrap().clone(), &world.context).unwrap();
        world
    }

    fn write(&self, rows: &[Row]) {
        let path = self.folder.path().join("train");
        let context = Context { publish_key: PublishKey::new("run", "etl", 0), ..self.context.clone() };
        let Begin::Open(mut transaction) = Transaction::begin(&[&path], &context).unwrap() else { panic!("published before") };
        let mut ratings = Ratings::default();
        rows.iter().for_each(|&(user, item, stars)| ratings.push(item, user, f32::from(stars), 0));
        let change = Change { rows: vec![ratings].into(), mode: Mode::Upsert, rating_type: RatingTypeChoice::Auto };
        transaction.write(0, change, &DatasetLayout::default()).unwrap();
        transaction.commit(&Value::Null).unwrap();
    }

    fn version(&self) -> crate::model::Version {
        versions::find(&self.folder.path().join("models"), &Which::Latest, &self.context).unwrap()
    }

    fn served(&self) -> ServedModel {
        let served = ServedModel::open(self.version()).unwrap();
        served.read_seen(&self.context).unwrap();
        served
    }
}

fn some_rows() -> Vec<Row> {
    vec![(1, 10, 5), (1, 20, 1), (2, 10, 4), (2, 30, 2), (3, 20, 5), (3, 10, 3), (3, 40, 1), (4, 40, 5)]
}

fn for_user(user: impl Into<Id>, k: usize, exclude_seen: bool) -> Request {
    Request { whom: Whom::User { user: user.into(), exclude_seen }, k }
}

fn for_new(ratings: &[(i32, f32)], k: usize) -> Request {
    Request { whom: Whom::NewUser { ratings: ratings.iter().map(|&(item, stars)| (Id::from(item), stars)).collect() }, k }
}

fn one(served: &ServedModel, request: Request) -> Result<List, Refusal> {
    served.answer(&[request]).pop().unwrap()
}

fn ids(list: &List) -> Vec<Id> {
    list.items.iter().map(|listed| listed.item.clone()).collect()
}

/// The list of somebody with these factors, the slow way: every score in f64, everything sorted.
fn brute_force(served: &ServedModel, factors: &[f32], k: usize, excluded: &[i32]) -> Vec<(i32, f64)> {
    let items = served.model.items();
    let score = |row: u32| factors.iter().zip(items.row(row)).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let mut all: Vec<(i32, f64)> = (0..).zip(items.ids().as_slice()).map(|(row, &item)| (item, score(row))).collect();
    all.retain(|(item, _)| !excluded.contains(item));
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(k);
    all
}

/// As good a list: items whose scores differ by no more than rounding may stand in another order.
fn agrees(list: &List, expected: &[(i32, f64)]) -> bool {
    let close = |(listed, expected): (&ListedItem, &(i32, f64))| (listed.score - expected.1).abs() < 1e-4;
    list.items.len() == expected.len() && list.items.iter().zip(expected).all(close)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Lists are what sorting all scores gives; whoever else asks at the same time changes no digit; and whoever rates as a user of the training did
    /// gets what that user gets.
    #[test]
    fn lists_are_those_of_brute_force_whatever_else_is_asked_and_folding_in_repeats_the_training(
        rows in prop::collection::vec((0_i32..9, 0_i32..130, 1_u8..6), 1..300),
        (k, implicit, biases) in (1_usize..140, any::<bool>(), any::<bool>()),
    ) {
        let mut rows = rows;
        rows.sort_by_key(|&(user, item, _)| (user, item));
        rows.dedup_by_key(|row| (row.0, row.1));
        let world = World::new(&rows, json!({ "implicit": implicit, "biases": biases && !implicit }));
        let served = world.served();
        let users = served.model.users().ids().as_slice().to_vec();
        let rated = |user: i32| rows.iter().filter(move |row| row.0 == user);
        let own = |user: i32| rated(user).map(|row| (row.1, f32::from(row.2))).collect::<Vec<_>>();
        let mut requests: Vec<Request> = users.iter().map(|&user| for_user(user, k, false)).collect();
        requests.extend(users.iter().map(|&user| for_user(user, k, true)));
        requests.extend(users.iter().map(|&user| for_new(&own(user), k)));
        let together: Vec<List> = served.answer(&requests).into_iter().map(Result::unwrap).collect();
        for (request, list) in requests.iter().zip(&together) {
            prop_assert_eq!(&one(&served, request.clone()).unwrap(), list);
        }
        let (all, rest) = together.split_at(users.len());
        let (unseen, folded_in) = rest.split_at(users.len());
        for (place, &user) in users.iter().enumerate() {
            let factors = served.model.users().of(user).unwrap();
            let seen: Vec<i32> = rated(user).map(|row| row.1).collect();
            prop_assert!(agrees(&all[place], &brute_force(&served, factors, k, &[])));
            prop_assert!(agrees(&unseen[place], &brute_force(&served, factors, k, &seen)));
            // A training ends with the users' half-step, so folding in is that step again.
            prop_assert_eq!(&folded_in[place], &unseen[place]);
        }
    }
}

#[test]
fn answers_are_those_of_the_command_line() {
    let world = World::new(&some_rows(), json!({ "biases": true, "cold_start": "mean" }));
    let served = world.served();
    let choice = ModelChoice { model: "latest".to_owned(), models: WorkspacePath::from("models") };
    let asked = ask::recommend(&choice, ask::Subject::User(Id::from(2)), 3, Some(&ask::SeenIn::Training), &world.context).unwrap();
    let list = one(&served, for_user("2", 3, true)).unwrap();
    assert_eq!(ids(&list), asked.items.iter().map(|place| place.item.clone()).collect::<Vec<_>>());
    assert!(list.items.iter().zip(&asked.items).all(|(listed, place)| listed.score == f64::from(place.score)));
    for (user, item) in [(2, 40), (99, 40), (2, 99), (98, 99)] {
        let (user, item) = (Id::from(user), Id::from(item));
        let theirs = ask::predict(&choice, &user, &item, &world.context).unwrap();
        let ours = served.predict(&user, &item);
        assert_eq!((ours.rating, ours.fallback.is_some()), (Some(theirs.prediction), theirs.cold));
        assert_eq!((ours.knows_user, ours.knows_item), (user == Id::from(2), item == Id::from(40)));
    }
    let cold = World::new(&some_rows(), json!({}));
    assert_eq!(cold.served().predict(&Id::from(99), &Id::from(10)).rating, None);
}

#[test]
fn whoever_is_not_known_gets_what_is_popular_and_is_told() {
    let world = World::new(&some_rows(), json!({}));
    let served = world.served();
    for request in [for_user(77, 3, true), for_user("nobody", 3, false), for_new(&[], 3)] {
        let list = one(&served, request).unwrap();
        assert_eq!((list.fallback, ids(&list)), (Some(Fallback::Popular), vec![Id::from(10), Id::from(20), Id::from(40)]));
        assert_eq!(list.items.iter().map(|listed| listed.score).collect::<Vec<_>>(), [3.0, 2.0, 2.0], "numbers of ratings");
    }
    let list = one(&served, for_new(&[(55, 4.0)], 9)).unwrap();
    assert_eq!((list.fallback, list.items.len(), list.unknown_items), (Some(Fallback::Popular), 4, vec![Id::from(55)]));
    let list = one(&served, for_new(&[(55, 4.0), (10, 4.0)], 9)).unwrap();
    assert_eq!((list.fallback, list.items.len(), list.unknown_items), (None, 3, vec![Id::from(55)]), "one known item suffices");
}

#[test]
fn a_version_without_a_list_of_popular_items_says_so_and_serves_whom_it_knows() {
    let world = World::new(&some_rows(), json!({}));
    fs::remove_dir_all(world.version().path.join("popularity")).unwrap();
    let served = world.served();
    assert!(!served.layout().knows_popular && one(&served, for_user(1, 2, false)).is_ok());
    for request in [for_user(77, 3, false), for_new(&[], 3)] {
        let Err(Refusal::Unknown(error)) = one(&served, request) else { panic!("nothing is known about them") };
        assert!(error.hint.unwrap().contains("train again"));
    }
}

#[test]
fn a_model_without_a_record_serves_its_users_and_folds_nobody_in() {
    let world = World::new(&some_rows(), json!({}));
    fs::remove_file(world.version().path.join("recflow.json")).unwrap();
    let served = ServedModel::open(world.version()).unwrap();
    assert!(one(&served, for_user(1, 2, false)).is_ok());
    let Err(Refusal::Unable(error)) = one(&served, for_new(&[(10, 4.0)], 3)) else { panic!("how it was trained is unknown") };
    assert!(error.message.contains("has no recflow.json"));
    assert!(served.read_seen(&world.context).unwrap_err().message.contains("the dataset that it was trained on is unknown"));
}

#[test]
fn ratings_that_make_no_sense_are_refused_and_spoil_nobody_elses_list() {
    let served = World::new(&some_rows(), json!({})).served();
    let requests =
        [for_new(&[(10, 4.0), (10, 5.0)], 3), for_user(1, 2, false), for_new(&[(10, f32::NAN)], 3), for_new(&[(10, f32::INFINITY)], 3)];
    let answers = served.answer(&requests);
    let message = |at: usize| match &answers[at] {
        Err(Refusal::Invalid(error)) => error.message.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(message(0), "item 10 is rated twice");
    assert_eq!(message(2), "the rating of item 10 is NaN, not a finite number");
    assert_eq!(message(3), "the rating of item 10 is inf, not a finite number");
    assert_eq!(answers[1], one(&served, for_user(1, 2, false)));
    // Finite, but the sums over it are not.
    let Err(Refusal::Unable(error)) = one(&served, for_new(&[(10, f32::MAX), (20, f32::MAX), (30, f32::MAX)], 3)) else {
        panic!("it overflows")
    };
    assert_eq!(error.hint.as_deref(), Some("are the ratings huge?"));
}

#[test]
fn ids_that_are_names_are_asked_for_and_answered_as_names() {
    let world = World::new(&some_rows(), json!({}));
    let names = |names: &[&str]| {
        let mut map = NameMap::default();
        names.iter().for_each(|name| drop(map.id_or_add(name)));
        Some(Arc::new(map))
    };
    // Numbers 0 to 4 of users, 0 to 40 of items.
    let users = names(&["nil", "ann", "bob", "cy", "7"]);
    let items: Vec<String> = (0..41).map(|number| format!("item/{number}")).collect();
    let items = names(&items.iter().map(String::as_str).collect::<Vec<_>>());
    let served = ServedModel { names: Names { users, items }, ..world.served() };
    assert_eq!(ids(&one(&served, for_user("ann", 9, true)).unwrap()).len(), 2);
    assert!(one(&served, for_user(7, 1, false)).unwrap().fallback.is_none(), "a name may read as a number");
    assert_eq!(one(&served, for_user(1, 1, false)).unwrap().fallback, Some(Fallback::Popular), "and a number is no name");
    let list =
        one(&served, Request { whom: Whom::NewUser { ratings: vec![(Id::from("item/10"), 4.0), (Id::from("x"), 1.0)] }, k: 1 }).unwrap();
    assert!(ids(&list)[0].as_text().starts_with("item/"));
    assert_eq!(list.unknown_items, [Id::from("x")]);
    assert!(served.predict(&Id::from("bob"), &Id::from("item/20")).rating.is_some());
    let error = served.read_seen(&world.context);
    assert!(error.is_ok(), "it was read before: {error:?}");
}

#[test]
fn a_list_is_as_long_as_there_are_items() {
    let served = World::new(&some_rows(), json!({})).served();
    assert_eq!(one(&served, for_user(1, K_MAX, false)).unwrap().items.len(), 4);
    assert_eq!(one(&served, for_user(1, K_MAX, true)).unwrap().items.len(), 2);
    assert_eq!(one(&served, for_user(1, 1, false)).unwrap().items.len(), 1);
    assert!(served.answer(&[]).is_empty());
}
