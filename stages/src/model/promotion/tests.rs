//! The link and its records: what a crash leaves, who wins of two at once, and the way back.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::metrics::Metric;
use crate::model::tests::World;
use crate::model::versions::{Which, find};
use crate::storage::{Disk, FailAfter};
use crate::{Context, PublishKey};

fn draft(version: &str, promoted: bool) -> Draft {
    let reason = format!("because of {version}");
    Draft { decision: Decision::Comparison, promoted, version: version.to_owned(), restores: None, reason, comparison: None }
}

/// Decides whatever is current at the moment.
fn decide(world: &World, version: &str, promoted: bool) -> Promotion {
    let seen = pointer::read(&world.models()).unwrap();
    settle(&world.models(), draft(version, promoted), seen.as_ref(), &world.context).unwrap().unwrap()
}

fn history(world: &World) -> History {
    History::read(&world.models(), &world.context).unwrap()
}

fn current(models: &Path) -> Option<String> {
    pointer::read(models).unwrap().map(|pointer| pointer.version)
}

/// What a promoter leaves that died before it switched.
fn die_before_switching(world: &World, version: &str, key: &PublishKey) {
    let context = Context { publish_key: key.clone(), ..world.context.clone() };
    let history = History::read(&world.models(), &context).unwrap();
    let dead = Promotion { number: history.next, publish_key: key.clone(), version: version.to_owned(), ..decide_nothing(&history) };
    dead.write(&world.models(), &*context.storage).unwrap();
}

fn decide_nothing(history: &History) -> Promotion {
    Promotion {
        format: record::FORMAT,
        number: 0,
        decided_at: "2025-03-01T00:00:00.000Z".to_owned(),
        publish_key: PublishKey::new("dead", "promote", 0),
        decision: Decision::Comparison,
        promoted: true,
        version: String::new(),
        previous: history.current_version().map(str::to_owned),
        replaces: history.head().map(|head| head.number),
        restores: None,
        reason: "died".to_owned(),
        comparison: None,
    }
}

#[test]
fn the_link_names_the_version_and_the_reason_and_opens_as_the_version() {
    let world = World::new();
    let (first, second) = (world.another(), world.another());
    decide(&world, &first, true);
    let record = decide(&world, &second, true);
    assert_eq!((record.number, record.previous.as_deref(), record.replaces), (2, Some(first.as_str()), Some(1)));
    let link = world.models().join("current");
    assert_eq!(fs::read_link(&link).unwrap(), Path::new(&format!(".promotions/2/{second}")));
    assert_eq!(link.canonicalize().unwrap(), world.models().join(&second).canonicalize().unwrap());
    assert_eq!(crate::model::open(&link).unwrap().rank(), 3);
    assert_eq!(find(&world.models(), &Which::Current, &world.context).unwrap().name, second);
    assert_eq!(history(&world).current(), Some(&record));
    assert!(world.warnings.0.lock().unwrap().is_empty());
}

#[test]
fn a_challenger_that_lost_is_recorded_and_switches_nothing() {
    let world = World::new();
    let (first, second) = (world.another(), world.another());
    decide(&world, &first, true);
    let lost = decide(&world, &second, false);
    assert_eq!(current(&world.models()), Some(first));
    let history = history(&world);
    assert_eq!(history.decisions.iter().map(|record| (record.number, record.promoted)).collect::<Vec<_>>(), [(2, false), (1, true)]);
    assert_eq!(history.by_key(&world.context.publish_key), Some(&lost));
}

#[test]
fn a_decision_about_another_champion_is_not_settled() {
    let world = World::new();
    let (first, second) = (world.another(), world.another());
    let seen = pointer::read(&world.models()).unwrap();
    decide(&world, &first, true);
    for promoted in [true, false] {
        assert_eq!(settle(&world.models(), draft(&second, promoted), seen.as_ref(), &world.context).unwrap(), None);
    }
    assert_eq!((current(&world.models()), history(&world).decisions.len()), (Some(first), 1));
}

#[test]
fn a_version_that_was_removed_meanwhile_is_not_promoted() {
    let world = World::new();
    let first = world.another();
    let error = settle(&world.models(), draft("version_gone", true), None, &world.context).unwrap_err();
    assert_eq!(error.message, "there is no model version `version_gone` in `models`");
    assert_eq!(error.hint, Some(format!("newest there: {first}")));
    assert_eq!(current(&world.models()), None);
}

#[test]
fn a_disk_that_fills_up_at_any_write_leaves_the_old_or_the_new_and_the_next_attempt_decides_once() {
    for operations in 0.. {
        let mut world = World::new();
        let (first, second) = (world.another(), world.another());
        decide(&world, &first, true);
        world.context.publish_key = PublishKey::new("run", "promote", 0);
        world.context.storage = Arc::new(FailAfter::new(Disk, operations, io::ErrorKind::StorageFull));
        let seen = pointer::read(&world.models()).unwrap();
        let result = settle(&world.models(), draft(&second, true), seen.as_ref(), &world.context);
        let before = history(&world);
        let done = before.by_key(&world.context.publish_key).cloned();
        // Version, link and record agree whatever happened.
        let expected = if done.is_some() { &second } else { &first };
        assert_eq!(before.current_version(), Some(expected.as_str()), "{operations}");
        assert_eq!(before.current().map(|record| &record.version), Some(expected), "{operations}");
        if let Ok(record) = &result {
            assert_eq!(done.as_ref(), record.as_ref());
            assert!(operations > 5);
            return;
        }
        world.context.storage = Arc::new(Disk);
        if done.is_none() {
            decide(&world, &second, true);
        }
        let after = history(&world);
        assert_eq!(after.current_version(), Some(second.as_str()));
        assert_eq!(after.decisions.len(), 2, "{operations}: the work is decided once");
        assert!(fs::symlink_metadata(world.models().join(".current.next")).is_err(), "{operations}");
    }
}

#[test]
fn a_promoter_that_died_before_the_switch_has_decided_nothing() {
    let world = World::new();
    let (first, second) = (world.another(), world.another());
    let key = PublishKey::new("dead", "promote", 0);
    // Also where nothing is current yet.
    die_before_switching(&world, &first, &key);
    assert_eq!((current(&world.models()), history(&world).by_key(&key)), (None, None));
    decide(&world, &first, true);
    die_before_switching(&world, &second, &key);
    let found = history(&world);
    assert_eq!((found.current_version(), found.by_key(&key)), (Some(first.as_str()), None));
    assert_eq!(found.decisions.iter().map(|record| record.number).collect::<Vec<_>>(), [2]);
    symlink("version_of_the_dead", world.models().join(".current.next")).unwrap();
    // The next one takes another number, and the dead record stays unseen.
    assert_eq!(decide(&world, &second, true).number, 4);
    assert_eq!(history(&world).decisions.iter().map(|record| record.number).collect::<Vec<_>>(), [4, 2]);
}

#[test]
fn of_many_that_promote_at_once_each_replaces_the_one_before_it() {
    let world = World::new();
    let names: Vec<String> = (0..8).map(|_| world.another()).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let (models, context) = (world.models(), &world.context);
            scope.spawn(
                move || {
                    while settle(&models, draft(name, true), pointer::read(&models).unwrap().as_ref(), context).unwrap().is_none() {}
                },
            );
        }
    });
    let history = history(&world);
    assert_eq!(history.decisions.len(), names.len());
    for pair in history.decisions.windows(2) {
        assert_eq!((pair[0].replaces, pair[0].previous.as_ref()), (Some(pair[1].number), Some(&pair[1].version)));
    }
}

#[test]
fn a_person_promotes_and_goes_back_and_further_back() {
    let world = World::new();
    let names: Vec<String> = (0..3).map(|_| world.another()).collect();
    let models = world.models();
    assert!(rollback(&models, None, &world.context).unwrap_err().message.starts_with("no version in `models` was current before"));
    for name in &names {
        let record = by_hand(&models, name, "I say so", &world.context).unwrap().unwrap();
        assert_eq!((record.decision, record.reason.as_str()), (Decision::Person, "I say so"));
    }
    assert_eq!(by_hand(&models, &names[2], "again", &world.context).unwrap(), None);
    assert_eq!(
        by_hand(&models, "version_x", "?", &world.context).unwrap_err().message,
        "there is no model version `version_x` in `models`"
    );
    let back = rollback(&models, Some("it recommends nonsense"), &world.context).unwrap();
    assert_eq!((back.version.as_str(), back.restores, back.reason.as_str()), (names[1].as_str(), Some(2), "it recommends nonsense"));
    assert_eq!(rollback(&models, None, &world.context).unwrap().version, names[0]);
    rollback(&models, None, &world.context).unwrap_err();
    assert_eq!(current(&models).as_ref(), Some(&names[0]));
}

#[test]
fn a_rollback_passes_over_versions_that_are_gone() {
    let world = World::new();
    let names: Vec<String> = (0..3).map(|_| world.another()).collect();
    names.iter().for_each(|name| drop(decide(&world, name, true)));
    fs::remove_dir_all(world.models().join(&names[1])).unwrap();
    assert_eq!(rollback(&world.models(), None, &world.context).unwrap().version, names[0]);
}

#[test]
fn a_link_that_a_person_made_is_current_and_the_way_back_leads_to_what_was_promoted_last() {
    let world = World::new();
    let names: Vec<String> = (0..3).map(|_| world.another()).collect();
    decide(&world, &names[0], true);
    decide(&world, &names[1], true);
    let link = world.models().join("current");
    fs::remove_file(&link).unwrap();
    symlink(&names[2], &link).unwrap();
    let found = history(&world);
    assert_eq!((found.current_version(), found.current()), (Some(names[2].as_str()), None));
    assert_eq!(found.decisions.len(), 2);
    assert_eq!(rollback(&world.models(), None, &world.context).unwrap().version, names[1]);
    // A person may give a record to what is current without one.
    fs::remove_file(&link).unwrap();
    symlink(&names[2], &link).unwrap();
    let record = by_hand(&world.models(), &names[2], "as it was", &world.context).unwrap().unwrap();
    assert_eq!((record.previous.as_ref(), history(&world).current()), (Some(&names[2]), Some(&record)));
}

#[test]
fn a_record_that_cannot_be_read_is_passed_over_with_a_warning_and_current_still_is() {
    let world = World::new();
    let (first, second) = (world.another(), world.another());
    decide(&world, &first, true);
    decide(&world, &second, true);
    fs::write(world.models().join(".promotions/2/promotion.json"), r#"{ "format": 2 }"#).unwrap();
    let found = history(&world);
    assert_eq!((found.current_version(), found.current()), (Some(second.as_str()), None));
    let warnings = world.warnings.0.lock().unwrap();
    assert!(warnings[0].contains("promotion.json` has format 2; this recflow knows formats up to 1"), "{warnings:?}");
}

/// A record as version 0.1.0 wrote it. Never edit: it stands for the files that users have.
#[test]
fn a_record_of_format_1_is_read() {
    let text = r#"{
      "format": 1, "number": 7, "decided_at": "2025-03-01T03:15:00.250Z", "publish_key": "run/promote/0", "decision": "comparison",
      "promoted": true, "version": "version_2", "previous": "version_1", "replaces": 6, "reason": "better",
      "comparison": {
        "ratings": { "path": "data/test", "fingerprint": "f", "rows": 10 }, "metric": "ndcg_at_k", "tolerance": 0.0, "pairs": 9,
        "champion": null,
        "challenger": { "version": "version_2", "value": 0.5, "rmse": 0.9, "mae": 0.7, "scored": 9, "coverage": 0.9,
                        "own_rmse": 0.9, "own_mae": null }
      }
    }"#;
    let record: Promotion = serde_json::from_str(text).unwrap();
    let comparison = record.comparison.unwrap();
    assert_eq!((record.number, record.restores, comparison.metric, comparison.challenger.own_mae), (7, None, Metric::NdcgAtK, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Promotions push, rollbacks pop, lost challenges and dead promoters change nothing.
    #[test]
    fn the_history_is_a_stack(steps in prop::collection::vec((0_u8..5, 0_usize..3), 1..14)) {
        let world = World::new();
        let names: Vec<String> = (0..3).map(|_| world.another()).collect();
        let mut stack: Vec<&str> = Vec::new();
        for (kind, which) in steps {
            let name = names[which].as_str();
            match kind {
                0 | 1 => {
                    if by_hand(&world.models(), name, "why not", &world.context).unwrap().is_some() {
                        stack.push(name);
                    }
                }
                2 => drop(decide(&world, name, false)),
                3 => die_before_switching(&world, name, &PublishKey::new("dead", "promote", 0)),
                _ => match rollback(&world.models(), None, &world.context) {
                    Ok(_) => drop(stack.pop()),
                    Err(_) => prop_assert!(stack.len() < 2),
                },
            }
            prop_assert_eq!(current(&world.models()), stack.last().map(|name| (*name).to_owned()));
        }
    }
}
