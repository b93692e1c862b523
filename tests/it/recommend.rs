//! Lists of recommendations, through the binary.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A workspace with a small trained model, and the training ratings by user: what each item got last.
fn trained() -> (Sandbox, BTreeMap<i32, BTreeMap<i32, String>>) {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["run", "quickstart", "-p", "ratings=4000", "-p", "rank=4", "-p", "max_iter=3"]).exits(0);
    let mut latest: BTreeMap<(i32, i32), (String, String)> = BTreeMap::new();
    let mut movie = 0;
    for line in sandbox.read("data/quickstart/train.txt").lines() {
        if let Some(header) = line.strip_suffix(':') {
            movie = header.parse().expect("a movie");
            continue;
        }
        let [user, stars, date] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        // Of one date the highest rating counts.
        let rating = (date.to_owned(), stars.to_owned());
        let known = latest.entry((user.parse().expect("a user"), movie)).or_insert_with(|| rating.clone());
        *known = known.clone().max(rating);
    }
    let mut by_user: BTreeMap<i32, BTreeMap<i32, String>> = BTreeMap::new();
    for ((user, movie), (_, stars)) in latest {
        by_user.entry(user).or_default().insert(movie, stars);
    }
    (sandbox, by_user)
}

fn items(answer: &Value) -> Vec<(i64, f64)> {
    let places = answer["items"].as_array().expect("a list");
    places.iter().map(|place| (place["item"].as_i64().expect("an item"), place["score"].as_f64().expect("a score"))).collect()
}

#[test]
fn a_user_a_new_user_and_the_table_of_all_agree() {
    let (sandbox, by_user) = trained();
    let (user, ratings) = by_user.iter().max_by_key(|(_, ratings)| ratings.len()).expect("users");
    let id = user.to_string();

    let answer = sandbox.recflow(&["recommend", "--user", &id, "-k", "5", "--exclude-seen", "--json"]).exits(0).json();
    let unseen = items(&answer);
    assert_eq!((answer["user"].as_i64(), unseen.len()), (Some(i64::from(*user)), 5));
    assert!(unseen.iter().all(|(item, _)| !ratings.contains_key(&(*item as i32))), "{unseen:?} of {ratings:?}");
    assert!(unseen.is_sorted_by(|a, b| a.1 >= b.1));

    // The best of everything is what prediction says of it.
    let all = items(&sandbox.json(&["recommend", "--user", &id, "-k", "3", "--model", "latest", "--json"]));
    let best = all[0].0.to_string();
    let predicted = sandbox.json(&["predict", "--user", &id, "--item", &best, "--json"]);
    assert!((predicted["prediction"].as_f64().expect("a number") - all[0].1).abs() < 1e-4, "{predicted} {all:?}");

    // Somebody with this user's ratings gets this user's list.
    let own: Vec<String> = ratings.iter().map(|(item, stars)| format!("{item}={stars}")).collect();
    let folded = items(&sandbox.json(&["recommend", "--fold-in", &own.join(","), "-k", "5", "--json"]));
    for (a, b) in folded.iter().zip(&unseen) {
        assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-4, "{folded:?} {unseen:?}");
    }

    let model = answer["model"].as_str().expect("a path").to_owned();
    let arguments = [format!("model={model}"), "output=best.parquet".to_owned(), "k=3".to_owned()];
    let arguments: Vec<&str> = ["stage", "recommend"].into_iter().chain(arguments.iter().map(String::as_str)).chain(["--json"]).collect();
    let output = sandbox.recflow(&arguments).exits(0).json()["tasks"]["recommend"]["output"].clone();
    assert_eq!(output["rows"].as_u64(), output["users"].as_u64().map(|users| 3 * users), "{output}");
    assert_eq!((&output["path"], output["users"].as_u64()), (&json!("best.parquet"), Some(by_user.len() as u64)));
    assert!(sandbox.file("best.parquet").is_file());
}

#[test]
fn who_or_what_the_model_does_not_know_is_told_and_the_exit_code_is_1() {
    let (sandbox, by_user) = trained();
    let user = by_user.keys().next().expect("users").to_string();
    for (arguments, message) in [
        (&["recommend", "--user", "-7"][..], "does not know user -7"),
        (&["recommend", "--item", "99999"], "does not know item 99999"),
        (&["recommend", "--fold-in", "99999=5"], "knows none of the rated items"),
        (&["predict", "--user", "-7", "--item", "1"], "does not know user -7"),
        (&["predict", "--user", &user, "--item", "99999", "--json"], "does not know item 99999"),
        (&["recommend", "--user", "1", "--model", "version_20000101_000000"], "there is no model version"),
        (&["recommend", "--user", "1", "--model", "./nowhere"], "nowhere"),
    ] {
        let ran = sandbox.recflow(arguments).exits(1);
        assert!(ran.err.contains(message) && ran.out.is_empty(), "{arguments:?}: {}", ran.all());
    }
    for arguments in [&["recommend"][..], &["recommend", "--user", "1", "--item", "1"], &["recommend", "--fold-in", "1:5"]] {
        sandbox.recflow(arguments).exits(2);
    }
}

#[test]
fn people_get_a_table() {
    let (sandbox, by_user) = trained();
    let user = by_user.keys().next().expect("users").to_string();
    let ran = sandbox.recflow(&["recommend", "--user", &user, "-k", "2"]).exits(0);
    assert!(ran.out.starts_with(&format!("items for user {user}, by models/artifacts/version_")), "{}", ran.all());
    assert_eq!(ran.out.lines().count(), 4, "{}", ran.out);
    let item = by_user.values().flat_map(BTreeMap::keys).next().expect("items").to_string();
    let ran = sandbox.recflow(&["recommend", "--item", &item, "-k", "2"]).exits(0);
    assert!(ran.out.contains("cosine") && !ran.out.lines().skip(2).any(|line| line.contains(&format!("  {item}  "))), "{}", ran.all());
}

#[test]
fn a_model_is_evaluated_at_several_lengths_at_once_and_each_figure_can_be_asked_for() {
    let (sandbox, _) = trained();
    let model = sandbox.status()["tasks"]["train"]["output"]["path"].as_str().expect("a path").to_owned();
    let model = format!("model={model}");
    let stage = ["stage", "evaluate", &model, "ratings=data/quickstart/parquet/test", "train=data/quickstart/parquet/train"];
    let lengths = ["k=[5, 20]", r#"protocols=["unseen_items", "test_items"]"#, "--json"];
    let output = sandbox.recflow(&[&stage[..], &lengths].concat()).exits(0).json()["tasks"]["evaluate"]["output"].clone();
    assert_eq!((output["k"].as_u64(), &output["precision_at_k"]), (Some(5), &output["at_k"]["5"]["precision_at_k"]));
    let figure = |path: &str| output.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {output}"));
    for protocol in ["", "/unseen_items", "/test_items"] {
        assert!(figure(&format!("/at_k/20{protocol}/recall_at_k")) >= figure(&format!("/at_k/5{protocol}/recall_at_k")));
    }
    let asked = sandbox.recflow(&["output", "latest", "evaluate", "at_k.20.unseen_items.ndcg_at_k"]).exits(0);
    assert_eq!(asked.out.trim().parse().ok(), Some(figure("/at_k/20/unseen_items/ndcg_at_k")));
}
