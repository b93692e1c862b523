//! Ratings with named ids, through the binary: from a CSV file to recommendations and back to files.

use serde_json::json;

use crate::sandbox::Sandbox;

/// Users like either the even or the odd ones of ten items.
fn imported() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut text = "reviewer,asin,stars,unixReviewTime\n".to_owned();
    for (user, item) in (0..20).flat_map(|user| (0..10).map(move |item| (user, item))).filter(|(user, item)| (user * 7 + item * 3) % 5 != 0)
    {
        text += &format!("u-{user},B{item:03},{},{}\n", if (user + item) % 2 == 0 { 5 } else { 1 }, 1_100_000_000 + user * 86_400);
    }
    sandbox.write("ratings.csv", &text);
    sandbox.recflow(&["stage", "import", "train_file=ratings.csv", "train_output=data/train"]).exits(0);
    sandbox.recflow(&["stage", "train_als", "ratings=data/train", "models=models/artifacts", "rank=3", "max_iter=5"]).exits(0);
    sandbox
}

#[test]
fn people_ask_and_are_answered_by_the_ids_of_their_data() {
    let sandbox = imported();
    let shown = sandbox.recflow(&["data", "show", "data/train"]).exits(0);
    assert!(shown.out.contains("ids          mapped, 20 users, 10 items"), "{}", shown.all());
    assert_eq!(sandbox.json(&["data", "show", "data/train", "--json"])["ids"], json!({ "users": 20, "items": 10 }));

    let list = sandbox.recflow(&["recommend", "--user", "u-4", "-k", "2"]).exits(0);
    assert!(list.out.starts_with("items for user u-4, by models/artifacts/version_"), "{}", list.all());
    let answer = sandbox.json(&["recommend", "--user", "u-4", "-k", "2", "--json"]);
    let best = answer["items"][0]["item"].as_str().expect("a name").to_owned();
    assert_eq!(answer["user"], "u-4");
    let predicted = sandbox.json(&["predict", "--user", "u-4", "--item", &best, "--json"]);
    let difference = predicted["prediction"].as_f64().expect("a number") - answer["items"][0]["score"].as_f64().expect("a number");
    assert!(difference.abs() < 1e-4 && predicted["item"] == best.as_str(), "{predicted} {answer}");

    let folded = sandbox.json(&["recommend", "--fold-in", "B001=5,B003=5,B000=1,no such=2", "-k", "2", "--json"]);
    assert_eq!(folded["unknown_items"], json!(["no such"]));
    for place in folded["items"].as_array().expect("a list") {
        let digit = place["item"].as_str().and_then(|item| item.chars().last()).and_then(|c| c.to_digit(10)).expect("a digit");
        assert!(digit % 2 == 1, "{folded}");
    }
    let unknown = sandbox.recflow(&["recommend", "--user", "4"]).exits(1);
    assert!(unknown.err.contains("the model does not know user 4"), "{}", unknown.all());
}

#[test]
fn ratings_recommendations_and_factors_leave_as_plain_files() {
    let sandbox = imported();
    sandbox.recflow(&["stage", "export", "ratings=data/train", "output=out/train.csv"]).exits(0);
    let text = sandbox.read("out/train.csv");
    assert!(text.starts_with("user,item,rating,date\n") && text.contains("\nu-4,B002,5,2004-11-13\n"), "{text}");
    let model = sandbox.json(&["recommend", "--user", "u-4", "--json"])["model"].as_str().expect("a path").to_owned();
    sandbox.recflow(&["stage", "export", &format!("model={model}"), "output=out/factors.npz"]).exits(0);
    assert!(sandbox.file("out/factors.npz").is_file());
    let refused =
        sandbox.recflow(&["stage", "import", "train_file=out/train.csv", "train_output=data/train", "columns={\"user\":\"usr\"}"]).exits(1);
    assert!(refused.all().contains("has no column `usr`; it has user, item, rating, date"), "{}", refused.all());
    assert!(refused.all().contains("did you mean `user`?"), "{}", refused.all());
}
