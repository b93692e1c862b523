//! The recommender over models in a folder: what is promoted serves, whatever is asked meanwhile.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use prometheus_client::registry::Registry;
use recflow_stages::clock::SystemClock;
use recflow_stages::model::promotion::{by_hand, rollback};
use recflow_stages::names::Id;
use recflow_stages::serving::{K_MAX, RATINGS_MAX};
use recflow_stages::{Catalog, Context, PublishKey};
use serde_json::{Value, json};

use super::recommender::{Listed, PAIRS_MAX};
use super::*;
use crate::workspace::Workspace;

/// A workspace with ratings of five users, and as many models as are trained.
pub(super) struct World {
    folder: tempfile::TempDir,
    trained: u32,
    pub(super) recommender: Recommender,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path(), None).unwrap();
        let figures = Figures::register(&mut Registry::default());
        let recommender = Recommender::with_figures(&workspace, Arc::new(SystemClock), figures);
        let rows: String = (0..5)
            .flat_map(|user| (0..8).map(move |item| (user, item)))
            .filter(|(user, item)| (user + item) % 3 != 0)
            .fold("user,item,rating\n".to_owned(), |text, (user, item)| {
                text + &format!("{user},{},{}\n", 10 * item, 1 + (user * 7 + item * 3) % 5)
            });
        fs::write(folder.path().join("ratings.csv"), rows).unwrap();
        let world = Self { folder, trained: 0, recommender };
        world.stage("import", json!({ "train_file": "ratings.csv", "train_output": "train" }), 0);
        world
    }

    pub(super) fn with_models(count: u32) -> (Self, Vec<String>) {
        let mut world = Self::new();
        let names = (0..count).map(|_| world.train()).collect();
        (world, names)
    }

    fn context(&self, generation: u32) -> Context {
        Context::plain(self.folder.path(), PublishKey::new("run", "task", generation))
    }

    fn stage(&self, name: &str, inputs: Value, generation: u32) -> Value {
        let stage = Catalog::builtin().get(name).unwrap();
        stage.run(inputs.as_object().unwrap().clone(), &self.context(generation)).unwrap()
    }

    /// Another model, of other factors; its version.
    pub(super) fn train(&mut self) -> String {
        self.trained += 1;
        let inputs = json!({ "ratings": "train", "models": "models/artifacts", "rank": 4, "max_iter": 2, "seed": self.trained });
        self.stage("train_als", inputs, self.trained)["version"].as_str().unwrap().to_owned()
    }

    fn models(&self) -> PathBuf {
        self.folder.path().join(MODELS)
    }

    pub(super) fn promote(&self, version: &str) {
        by_hand(&self.models(), version, "test", &self.context(0)).unwrap().unwrap();
    }

    pub(super) async fn serving(&self) -> Standing {
        self.recommender.shelf(MODELS).await.unwrap().standing()
    }

    /// Waits until what serves is as it should be.
    async fn until(&self, holds: impl Fn(&Standing) -> bool) {
        while !holds(&self.serving().await) {
            tokio::task::yield_now().await;
        }
    }

    async fn refused(&self, user: i32) -> StatusCode {
        self.recommender.for_user(MODELS, Id::from(user), 3, false).await.unwrap_err().status()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_under_load_loses_no_request_and_none_gets_a_mixture() {
    let (world, names) = World::with_models(3);
    world.promote(&names[0]);
    let recommender = &world.recommender;
    // What each version answers when it is asked alone.
    let mut expected = Vec::new();
    for name in &names {
        let _ = by_hand(&world.models(), name, "test", &world.context(0)).unwrap();
        world.until(|standing| standing.model.version() == name).await;
        expected.push(recommender.for_user(MODELS, Id::from(1), 5, true).await.unwrap().1.list);
    }
    assert!(expected[0] != expected[1] && expected[1] != expected[2], "they can be told apart");
    let stop = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..8)
        .map(|_| {
            let (recommender, stop) = (recommender.clone(), stop.clone());
            tokio::spawn(async move {
                let mut answers = Vec::new();
                while !stop.load(Ordering::Acquire) {
                    answers.push(recommender.for_user(MODELS, Id::from(1), 5, true).await.map(|(_, listed)| listed));
                }
                answers
            })
        })
        .collect();
    for name in [&names[0], &names[1], &names[2], &names[1]] {
        world.promote(name);
        world.until(|standing| standing.model.version() == name).await;
    }
    stop.store(true, Ordering::Release);
    let mut seen = [0; 3];
    for asker in askers {
        for answer in asker.await.unwrap() {
            let Listed { version, list } = answer.expect("no request is lost");
            let place = names.iter().position(|name| *name == version).unwrap();
            assert_eq!(list, expected[place], "a list is of one model");
            seen[place] += 1;
        }
    }
    assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_version_that_is_broken_is_reported_and_the_one_before_goes_on() {
    let (world, names) = World::with_models(2);
    world.promote(&names[0]);
    world.until(|standing| standing.model.version() == names[0]).await;
    let factors = world.models().join(&names[1]).join("userFactors");
    let part = fs::read_dir(&factors).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some()).unwrap();
    fs::write(&part, "no Parquet").unwrap();
    world.promote(&names[1]);
    world.until(|standing| standing.trouble.is_some()).await;
    let standing = world.serving().await;
    assert_eq!(standing.model.version(), names[0]);
    assert!(standing.trouble.unwrap().message.contains("userFactors"));
    assert_eq!(world.recommender.for_user(MODELS, Id::from(1), 3, false).await.unwrap().1.version, names[0]);
    rollback(&world.models(), None, &world.context(0)).unwrap();
    world.until(|standing| standing.trouble.is_none()).await;
    assert_eq!(world.serving().await.model.version(), names[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_where_there_is_no_model_or_a_broken_one_and_the_reason_is_given() {
    let mut world = World::new();
    assert_eq!(world.refused(1).await, StatusCode::NOT_FOUND);
    let first = world.train();
    let second = world.train();
    world.promote(&first);
    let metadata = world.models().join(&first).join("metadata");
    fs::rename(&metadata, world.folder.path().join("aside")).unwrap();
    // Not the newest one instead: whoever promoted this one wanted no other.
    assert_eq!(world.refused(1).await, StatusCode::SERVICE_UNAVAILABLE);
    fs::rename(world.folder.path().join("aside"), &metadata).unwrap();
    assert_eq!(world.serving().await.model.version(), first);
    world.promote(&second);
    world.until(|standing| standing.model.version() == second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_promotion_the_newest_version_serves() {
    let (mut world, names) = World::with_models(2);
    assert_eq!(world.serving().await.model.version(), names[1]);
    let third = world.train();
    world.until(|standing| standing.model.version() == third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limits_are_refused_before_anything_is_loaded() {
    let world = World::new();
    let recommender = &world.recommender;
    let is_bad = |problem: crate::server::problem::Problem| assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
    for k in [0, K_MAX as u32 + 1, u32::MAX] {
        is_bad(recommender.for_user(MODELS, Id::from(1), k, false).await.unwrap_err());
        is_bad(recommender.for_new_user(MODELS, Vec::new(), k).await.unwrap_err());
    }
    is_bad(recommender.for_new_user(MODELS, vec![(Id::from(1), 1.0); RATINGS_MAX + 1], 3).await.unwrap_err());
    for pairs in [0, PAIRS_MAX + 1] {
        is_bad(recommender.predict(MODELS, vec![(Id::from(1), Id::from(1)); pairs]).await.unwrap_err());
    }
    let elsewhere = recommender.for_user("../elsewhere", Id::from(1), 3, false).await.unwrap_err();
    assert_eq!(elsewhere.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_have_rated_is_left_out_from_the_first_request_on() {
    let (world, _) = World::with_models(1);
    let recommender = &world.recommender;
    let rated = |item: &Id| (0..8).any(|number| Id::from(10 * number) == *item && (1 + number) % 3 != 0);
    let all = recommender.for_user(MODELS, Id::from(1), 99, false).await.unwrap().1.list;
    let unseen = recommender.for_user(MODELS, Id::from(1), 99, true).await.unwrap().1.list;
    assert_eq!(all.items.len(), 8);
    assert!(unseen.items.len() == 2 && !unseen.items.iter().any(|listed| rated(&listed.item)), "{unseen:?}");
    fs::remove_dir_all(world.folder.path().join("train")).unwrap();
    assert_eq!(recommender.for_user(MODELS, Id::from(1), 99, true).await.unwrap().1.list, unseen, "it is in memory");
}
