//! Real files, read from the folder beside the repository: what `import` makes of them is what `etl` makes of the same ratings
//! as Netflix text.

use std::collections::BTreeMap;
use std::io::Read;

use super::*;
use crate::builtin::Etl;

/// A file of the shared data; `None`, loudly, if it is not there.
fn shared(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if !path.is_file() {
        assert!(std::env::var_os("RECFLOW_REQUIRE_SHARED").is_none(), "`{}` is missing", path.display());
        eprintln!("SKIPPED: `{}` is missing", path.display());
        return None;
    }
    Some(path)
}

fn imported(name: &str) -> Option<(Workspace, Value)> {
    let file = shared(name)?;
    let workspace = Workspace::new(&[]);
    let output = workspace.run("a", &inputs(file.to_str().unwrap())).unwrap();
    Some((workspace, output["train"].clone()))
}

/// The fingerprint of what `etl` writes of `user item rating day` lines.
fn fingerprint_by_etl(lines: impl Iterator<Item = [String; 4]>) -> Value {
    let mut movies: BTreeMap<i32, String> = BTreeMap::new();
    for [user, item, rating, day] in lines {
        *movies.entry(item.parse().unwrap()).or_default() += &format!("{user},{rating},{day}\n");
    }
    let text: String = movies.iter().map(|(movie, rows)| format!("{movie}:\n{rows}")).collect();
    let workspace = Workspace::new(&[("train.txt", &text)]);
    let inputs = json!({ "train_file": "train.txt", "train_output": "parquet/train" });
    let output = AnyStage::of::<Etl>().run(inputs.as_object().unwrap().clone(), &workspace.context("etl")).unwrap();
    output["train"]["fingerprint"].clone()
}

/// The fields of a file, by a way of reading that has nothing to do with `import`.
fn fields(name: &str, separator: &str) -> Vec<[String; 4]> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(shared(name).unwrap()).unwrap()).read_to_string(&mut text).unwrap();
    let day = |seconds: Option<&&str>| format_iso(seconds.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0).div_euclid(86_400) as i32);
    let line = |line: &str| {
        let fields: Vec<&str> = line.trim_end().split(separator).collect();
        [fields[0].to_owned(), fields[1].to_owned(), fields[2].to_owned(), day(fields.get(3))]
    };
    text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).map(line).collect()
}

#[test]
fn movielens_100k_latest_small_1m_and_filmtrust_equal_what_etl_makes_of_them() {
    for (name, separator, layout, rows, rating_type, undated) in [
        ("ml-100k/u.data.gz", "\t", "movielens_u_data", 100_000, "int", 0),
        ("ml-latest-small/ratings.csv.gz", ",", "movielens_csv", 100_836, "float", 0),
        ("ml-1m/ratings_users_1_2999.dat.gz", "::", "movielens_dat", 487_650, "int", 0),
        ("ml-1m/ratings.csv.gz", ",", "table", 1_000_209, "int", 512_559),
        ("filmtrust/ratings.txt.gz", " ", "table", 35_497, "float", 35_497),
    ] {
        let Some((_workspace, train)) = imported(name) else { return };
        assert_eq!((&train["layouts"], &train["read"], &train["rejected"]), (&json!([layout]), &json!(rows), &json!(0)), "{name}");
        assert_eq!((&train["rating_type"], &train["undated"]), (&json!(rating_type), &json!(undated)), "{name}");
        assert_eq!(train["fingerprint"], fingerprint_by_etl(fields(name, separator).into_iter()), "{name}");
    }
}

#[test]
fn mapped_ids_of_movielens_lead_back_to_the_originals() {
    let Some(file) = shared("ml-100k/u.data.gz") else { return };
    let workspace = Workspace::new(&[]);
    let output = workspace.run("a", &with(inputs(file.to_str().unwrap()), "ids", json!("map"))).unwrap();
    assert_eq!((&output["mapped_users"], &output["mapped_items"]), (&json!(943), &json!(1682)));
    let mut expected: Vec<String> = fields("ml-100k/u.data.gz", "\t").into_iter().map(|fields| fields.join(" ")).collect();
    let mut found = workspace.rows("parquet/train");
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}
