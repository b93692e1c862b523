//! What `recflow validate` says of bad pipelines: each file of `tests/diagnostics` and the text printed for it.
//!
//! `cargo insta review` shows what changed. The messages are part of the product: read them as a user would.

#![allow(missing_docs)]

mod support;

use std::path::Path;

use recflow::pipeline::load;

#[test]
fn every_bad_pipeline_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let catalog = support::catalog();
    let mut files: Vec<_> = std::fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 28, "files are missing: {files:?}");
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let text = std::fs::read_to_string(&file).expect("readable");
        let loaded = load(&text, &name, &catalog);
        assert!(!loaded.diagnostics.is_empty(), "{name} is fine");
        let positions = loaded.report().diagnostics;
        let rendered = loaded.render(false);
        // The place in the text and the place in the JSON are computed by different code.
        for position in serde_json::to_value(positions).expect("JSON").as_array().expect("a list") {
            let place = format!("{name}:{}:{}\n", position["line"], position["column"]);
            assert!(rendered.contains(&place), "{place} is not in\n{rendered}");
        }
        insta::with_settings!({ snapshot_path => folder.clone(), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), rendered);
        });
    }
}
