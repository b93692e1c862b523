//! What the documentation shows works: its pipelines load, its command lines parse, its lists are complete.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use recflow::pipeline::{TriggerRule, load, schema};
use recflow::shipped;
use recflow_stages::Catalog;
use serde_json::Value;

use crate::sandbox::Sandbox;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const REFERENCE: &str = "docs/pipelines.md";

/// A fenced block of a document.
struct Block {
    /// `FILE:LINE` of its first line.
    place: String,
    /// What stands behind the opening fence: `yaml`, `yaml,invalid`, `sh`.
    language: String,
    text: String,
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files that people read: those at the root, and all below `docs/`.
fn documents() -> Vec<String> {
    let mut found = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(Path::new(ROOT).join(&folder)).expect("the folder is there").flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.to_str().expect("UTF-8").to_owned());
            }
        }
    }
    assert!(found.iter().any(|file| file == REFERENCE), "{found:?}");
    found
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for file in documents() {
        let mut inside = false;
        for (number, line) in (1..).zip(read(&file).lines()) {
            match line.strip_prefix("```") {
                Some(_) if inside => inside = false,
                Some(language) => {
                    inside = true;
                    blocks.push(Block { place: format!("{file}:{}", number + 1), language: language.to_owned(), text: String::new() });
                }
                None if inside => blocks.last_mut().expect("a block is open").text.extend([line, "\n"]),
                None => {}
            }
        }
        assert!(!inside, "{file}: a block is never closed");
    }
    blocks
}

#[test]
fn every_pipeline_in_the_documentation_is_what_it_claims_to_be() {
    let (mut valid, mut invalid) = (0, 0);
    for Block { place, language, text } in blocks().iter().filter(|block| block.text.contains("tasks:")) {
        let loaded = load(text, "example.yaml", Catalog::builtin());
        match language.as_str() {
            "yaml" => {
                valid += 1;
                assert!(loaded.diagnostics.is_empty(), "{place}\n{}", loaded.render(false));
            }
            "yaml,invalid" => {
                invalid += 1;
                assert!(loaded.pipeline.is_none(), "{place} is valid");
            }
            _ => {}
        }
    }
    assert!(valid >= 5 && invalid >= 1, "{valid} valid and {invalid} invalid pipelines were found");
}

/// The words of each `recflow …` in a line for a shell: what follows `&&`, `|` or `;`, without comments.
fn invocations(line: &str) -> Vec<Vec<&str>> {
    let line = line.split(" #").next().unwrap_or_default();
    let commands = line.split("&&").flat_map(|part| part.split(['|', ';']));
    let is_setting = |word: &&str| word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let words = commands.map(|command| command.split_whitespace().skip_while(is_setting).collect::<Vec<_>>());
    words.filter(|words| words.first().is_some_and(|program| *program == "recflow" || program.ends_with("/recflow"))).collect()
}

/// What GitHub calls the section under a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_in_the_documentation_leads_somewhere() {
    let mut seen = 0;
    for file in documents() {
        let text = read(&file);
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or_default();
            if link.contains("://") {
                continue;
            }
            seen += 1;
            let (path, section) = link.split_once('#').map_or((link, None), |(path, section)| (path, Some(section)));
            let target = if path.is_empty() { PathBuf::from(&file) } else { Path::new(&file).parent().expect("a file").join(path) };
            assert!(Path::new(ROOT).join(&target).exists(), "{file}: there is no `{path}`");
            if let Some(section) = section {
                let text = read(target.to_str().expect("UTF-8"));
                let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#')));
                assert!(headings.into_iter().any(|heading| heading == section), "{file}: `{link}` leads to no heading");
            }
        }
    }
    assert!(seen >= 20, "{seen} links were found");
}

#[test]
fn every_command_line_in_the_documentation_parses() {
    let sandbox = Sandbox::new();
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = 0;
    for block in blocks().iter().filter(|block| block.language == "sh") {
        for words in block.text.lines().flat_map(invocations) {
            seen += 1;
            let place = format!("{}: {}", block.place, words.join(" "));
            let verb = words.get(1).copied().unwrap_or_else(|| panic!("{place}: there is no verb"));
            // `data` has verbs of its own.
            let verbs: Vec<&str> =
                if ["data", "models"].contains(&verb) { words[1..].iter().take(2).copied().collect() } else { vec![verb] };
            let verb = verbs.join(" ");
            let help = helps.entry(verb.clone()).or_insert_with(|| {
                let ran = sandbox.recflow(&[&verbs[..], &["--help"]].concat());
                assert_eq!(ran.code, Some(0), "{place}: there is no verb `{verb}`\n{}", ran.all());
                ran.out
            });
            let known: Vec<&str> = help.split([' ', ',', '\n']).filter(|word| word.starts_with('-')).collect();
            let flags = words[2..].iter().take_while(|word| **word != "--").filter(|word| word.starts_with('-') && word.len() > 1);
            for flag in flags.map(|word| word.split('=').next().unwrap_or(word)) {
                assert!(known.contains(&flag), "{place}: `recflow {verb}` has no `{flag}`");
            }
        }
    }
    assert!(seen >= 10, "{seen} command lines were found");
}

#[test]
fn the_reference_names_every_key_rule_and_code() {
    let text = read(REFERENCE);
    let is_there = |word: &str| text.contains(&format!("`{word}`"));
    let schema = schema::json_schema(Catalog::builtin());
    let maps = ["", "/properties/defaults", "/$defs/task", "/$defs/param", "/$defs/schedule"];
    for keys in maps.map(|map| schema.pointer(&format!("{map}/properties")).and_then(Value::as_object).expect("a map")) {
        for key in keys.keys() {
            assert!(is_there(key), "the key `{key}` is missing in {REFERENCE}");
        }
    }
    for rule in TriggerRule::ALL {
        assert!(text.contains(&format!("| `{rule}` |")) || text.contains(&format!("| `{rule}` (")), "the rule `{rule}` is missing");
    }
    for code in codes() {
        assert!(text.contains(&format!("| `{code}` |")), "the diagnostic `{code}` is missing in {REFERENCE}");
    }
}

/// The codes of the diagnostics that `tests/diagnostics` shows.
fn codes() -> Vec<String> {
    let mut codes = Vec::new();
    for entry in std::fs::read_dir(Path::new(ROOT).join("tests/diagnostics")).expect("the folder is there").flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "snap") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("readable");
        for severity in ["error[", "warning["] {
            let found = text.split(severity).skip(1).filter_map(|rest| rest.split_once(']'));
            codes.extend(found.map(|(code, _)| code.to_owned()));
        }
    }
    codes.sort();
    codes.dedup();
    assert!(codes.len() >= 30, "{codes:?}");
    codes
}

#[test]
fn every_shipped_pipeline_is_valid_and_in_the_binary() {
    let sandbox = Sandbox::new();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(Path::new(ROOT).join("pipelines")).expect("the folder is there").flatten() {
        files.push(entry.path().to_str().expect("UTF-8").to_owned());
    }
    files.retain(|file| file.ends_with(".yaml"));
    let arguments: Vec<&str> = ["validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let ran = sandbox.recflow(&arguments).exits(0);
    assert!(ran.err.is_empty() && !ran.out.contains("warning"), "{}", ran.all());
    for file in &files {
        let name = Path::new(file).file_stem().and_then(|stem| stem.to_str()).expect("UTF-8");
        assert!(shipped::find(name).is_some(), "{file} is not in the binary: name it in src/shipped.rs");
    }
    assert_eq!(files.len(), shipped::ALL.len());
}

#[test]
fn the_committed_schema_is_the_one_that_the_binary_prints() {
    let file = format!("pipelines/{}", shipped::SCHEMA_FILE);
    let printed = Sandbox::new().recflow(&["schema"]).exits(0).out;
    // Not `assert_eq!`: two times 1,400 lines help nobody.
    assert!(read(&file) == printed, "{file} is out of date; write it anew: cargo run -- schema > {file}");
}
