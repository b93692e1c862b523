//! From named ids through a model and back to them.

use crate::builtin::{Evaluate, Export, Recommend, TrainAls};
use crate::recommend::ask::{self, ModelChoice, SeenIn, Subject};

use super::*;

/// Forty users like either the even or the odd ones of twenty items.
fn csv() -> String {
    let mut text = "reviewer,asin,stars\n".to_owned();
    for (user, item) in (0..40).flat_map(|user| (0..20).map(move |item| (user, item))).filter(|(user, item)| (user * 7 + item * 3) % 4 != 0)
    {
        let stars = if (user + item) % 2 == 0 { 5 } else { 1 };
        text += &format!("user {user},\"B{item:03}, the \"\"best\"\"\",{stars}\n");
    }
    text
}

fn stage<S: Stage>(workspace: &Workspace, key: &str, inputs: &Value) -> Result<Value> {
    let context = Context::plain(workspace.0.path(), PublishKey::new("run", key, 0));
    AnyStage::of::<S>().run(inputs.as_object().unwrap().clone(), &context)
}

/// A workspace with a dataset of named ids, a test set and a model; and the model's path.
fn trained() -> (Workspace, String) {
    let workspace = Workspace::new(&[("r.csv", &csv())]);
    let inputs = with(with(inputs("r.csv"), "test_output", json!("parquet/test")), "test_ratio", json!(0.2));
    workspace.run("import", &inputs).unwrap();
    let output =
        stage::<TrainAls>(&workspace, "train", &json!({ "ratings": "parquet/train", "models": "models", "rank": 4, "max_iter": 5 }))
            .unwrap();
    (workspace, output["path"].as_str().unwrap().to_owned())
}

fn item(number: i32) -> String {
    format!("B{number:03}, the \"best\"")
}

#[test]
fn a_model_carries_the_names_and_is_asked_and_answers_by_them() {
    let (workspace, path) = trained();
    let mut entries: Vec<_> =
        fs::read_dir(workspace.path(&path)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    entries.sort();
    assert_eq!(
        entries,
        ["ids", "itemFactors", "metadata", "popularity", "recflow.json", "userFactors"],
        "Spark reads its three folders and nothing else"
    );

    let context = workspace.context("ask");
    let choice = ModelChoice { model: "latest".to_owned(), models: "models".into() };
    let answer = ask::recommend(&choice, Subject::User(Id::from("user 4")), 5, None, &context).unwrap();
    for place in &answer.items {
        let name = place.item.as_text().into_owned();
        let number: i32 = name[1..4].parse().unwrap();
        assert!(name == item(number) && number % 2 == 0, "{name}");
    }
    let best = &answer.items[0];
    let predicted = ask::predict(&choice, &Id::from("user 4"), &best.item, &context).unwrap();
    assert!((predicted.prediction - f64::from(best.score)).abs() < 1e-4);
    assert_eq!(serde_json::to_value(&predicted).unwrap()["user"], "user 4");

    let unseen = ask::recommend(&choice, Subject::User(Id::from("user 4")), 20, Some(&SeenIn::Training), &context).unwrap();
    let rated: Vec<String> =
        workspace.rows("parquet/train").into_iter().filter_map(|row| row.strip_prefix("user 4 ").map(|row| row.to_owned())).collect();
    assert_eq!(unseen.items.len() + rated.len(), 20);
    assert!(unseen.items.iter().all(|place| !rated.iter().any(|row| row.starts_with(&*place.item.as_text()))));

    // Enough of both kinds: of one alone, four factors could say anything about the other.
    let stars = |number: i32| if number % 2 == 1 { 5.0 } else { 1.0 };
    let mut odd: Vec<_> = (1..9).map(|number| (Id::from(item(number).as_str()), stars(number))).collect();
    odd.push((Id::from("B999"), 5.0));
    let answer = ask::recommend(&choice, Subject::NewUser(odd), 3, None, &context).unwrap();
    assert_eq!(answer.unknown_items, [Id::from("B999")]);
    assert!(answer.items.iter().all(|place| place.item.as_text()[1..4].parse::<i32>().unwrap() % 2 == 1), "{:?}", answer.items);
    let similar = ask::recommend(&choice, Subject::Item(Id::from(item(6).as_str())), 3, None, &context).unwrap();
    assert!(similar.items.iter().all(|place| place.item.as_text()[1..4].parse::<i32>().unwrap() % 2 == 0));

    for (subject, message) in [
        (Subject::User(Id::from("nobody")), "the model does not know user nobody"),
        (Subject::User(Id::from(4)), "the model does not know user 4"),
        (Subject::Item(Id::from("B999")), "the model does not know item B999"),
        (
            Subject::NewUser(vec![(Id::from(item(1).as_str()), 5.0), (Id::from(item(1).as_str()), 4.0)]),
            "item B001, the \"best\" is rated twice",
        ),
    ] {
        assert!(ask::recommend(&choice, subject, 3, None, &context).unwrap_err().message.starts_with(message), "{message}");
    }
    assert!(ask::predict(&choice, &Id::from("user 4"), &Id::from("B999"), &context).unwrap_err().message.contains("item B999"));
}

#[test]
fn a_table_of_recommendations_bears_the_names_and_is_exported_with_them() {
    let (workspace, model) = trained();
    let inputs = json!({
        "model": model, "output": "best", "k": 2, "users": ["user 4", "nobody", "user 7", 3],
        "exclude_items": [item(0), item(1)], "exclude_seen": "parquet/train",
    });
    let output = stage::<Recommend>(&workspace, "recommend", &inputs).unwrap();
    assert_eq!((&output["users"], &output["rows"], &output["cold_users"]), (&json!(2), &json!(4), &json!(2)));
    let output = stage::<Export>(&workspace, "export", &json!({ "recommendations": "best", "output": "out/best.csv" })).unwrap();
    let text = fs::read_to_string(workspace.path("out/best.csv")).unwrap();
    assert_eq!((&output["rows"], &output["bytes"]), (&json!(4), &json!(text.len())));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), &["user", "rank", "item", "score"][..]);
    let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert!(rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).eq([
        ("user 4", "1"),
        ("user 4", "2"),
        ("user 7", "1"),
        ("user 7", "2")
    ]));
    assert!(rows.iter().all(|row| row[2].ends_with(", the \"best\"") && row[2] != item(0)), "{rows:?}");
}

#[test]
fn what_was_exported_is_imported_as_the_same_dataset() {
    let (workspace, _) = trained();
    for output in ["out/train.csv", "out/train.parquet"] {
        let exported = stage::<Export>(&workspace, "export", &json!({ "ratings": "parquet/train", "output": output })).unwrap();
        let again = with(inputs(output), "train_output", json!(format!("again/{output}")));
        let imported = workspace.run(output, &again).unwrap();
        assert_eq!((&imported["train"]["rows"], &imported["train"]["rejected"]), (&exported["rows"], &json!(0)));
        let (mut before, mut after) = (workspace.rows("parquet/train"), workspace.rows(&format!("again/{output}")));
        before.sort();
        after.sort();
        assert_eq!(before, after);
    }
}

#[test]
fn factors_are_exported_in_three_formats() {
    let (workspace, model) = trained();
    let export = |output: &str| stage::<Export>(&workspace, "export", &json!({ "model": model, "output": output })).unwrap();
    for output in ["f.csv", "f.parquet", "f.npz"] {
        assert_eq!(export(output)["rows"], 60, "{output}");
    }
    let text = fs::read_to_string(workspace.path("f.csv")).unwrap();
    assert!(text.starts_with("side,id,features_0,features_1,features_2,features_3\nuser,user 0,"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("item,\"B0")).count(), 20);
    for (wrong, message) in [
        (json!({ "model": model, "output": "f.txt" }), "does not say what file it is"),
        (json!({ "model": model, "ratings": "parquet/train", "output": "f.csv" }), "one of `recommendations`, `model` and `ratings`"),
        (json!({ "ratings": "parquet/train", "output": "f.npz" }), "a NumPy archive holds"),
        (json!({ "recommendations": "f.parquet", "output": "g.csv" }), "is no table of recommendations"),
        (json!({ "model": model, "output": "parquet", "format": "csv" }), "`output` is a folder"),
    ] {
        let error = stage::<Export>(&workspace, "export", &wrong).unwrap_err();
        assert!(error.message.contains(message) && error.hint.is_some(), "{error:?}");
    }
}

#[test]
fn a_model_is_not_measured_against_a_dataset_that_counts_its_ids_otherwise() {
    let (workspace, model) = trained();
    let evaluate = |ratings: &str| stage::<Evaluate>(&workspace, "evaluate", &json!({ "model": model, "ratings": ratings }));
    assert!(evaluate("parquet/test").unwrap()["scored"].as_u64().unwrap() > 50);
    fs::write(workspace.path("other.csv"), "user,item,rating\nsomebody,B9,3\nuser 4,B8,2\n").unwrap();
    workspace.run("other", &with(inputs("other.csv"), "train_output", json!("parquet/other"))).unwrap();
    let error = evaluate("parquet/other").unwrap_err();
    assert_eq!(error.message, "the model and `parquet/other` do not speak of the same ids");
    assert_eq!(error.causes, ["number 0 of the users is `user 0` in the model and `somebody` in `parquet/other`"]);
    let inputs = json!({ "model": model, "output": "best", "exclude_seen": "parquet/other" });
    assert!(stage::<Recommend>(&workspace, "recommend", &inputs).unwrap_err().message.contains("do not speak of the same ids"));
}
