//! The arrows of `docs/architecture.md`, enforced: which module may use which, and which crate which dependency.
//!
//! Method: every source file is read, comments and text are blanked out, and each path that leads from one
//! top-level module into another (`crate::engine::...`, `super::super::engine`) or into a restricted crate
//! (`tokio::...`) is looked up in the table below.

#[path = "layering/paths.rs"]
mod paths;

use std::fs;
use std::path::{Path, PathBuf};

use paths::Source;

/// A top-level module of the binary's crate, and the modules that it may use besides itself.
struct Layer {
    name: &'static str,
    uses: &'static [&'static str],
}

/// From the outside in: every arrow points down.
const LAYERS: &[Layer] = &[
    Layer { name: "lib", uses: &[] },
    Layer { name: "main", uses: &[] },
    Layer {
        name: "cli",
        uses: &["facts", "simulation", "scheduler", "upkeep", "engine", "executor", "pipeline", "workspace", "shipped", "server"],
    },
    Layer { name: "server", uses: &["facts", "scheduler", "upkeep", "engine", "executor", "pipeline", "workspace", "shipped"] },
    Layer { name: "facts", uses: &["scheduler", "upkeep", "engine", "executor", "pipeline", "workspace"] },
    Layer { name: "simulation", uses: &["engine", "pipeline", "workspace"] },
    Layer { name: "scheduler", uses: &["upkeep", "engine", "pipeline", "workspace"] },
    Layer { name: "upkeep", uses: &["engine", "pipeline", "workspace"] },
    Layer { name: "engine", uses: &["executor", "pipeline", "workspace"] },
    Layer { name: "executor", uses: &["pipeline", "workspace"] },
    Layer { name: "pipeline", uses: &[] },
    Layer { name: "workspace", uses: &[] },
    Layer { name: "shipped", uses: &[] },
];

/// A crate, and the folders of `src/` that may not use it.
struct Ban {
    krate: &'static str,
    except: fn(&Path) -> bool,
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban { krate: "tokio", except: |file| !is_pure(file), why: "what a pipeline is and how a run advances are plain functions" },
    Ban {
        krate: "recflow_state",
        except: |file| !is_pure(file) && !file.starts_with("executor"),
        why: "only the engine and what lies above it know where runs are kept",
    },
    Ban { krate: "rusqlite", except: |_| false, why: "no SQL outside the crate `recflow-state`" },
];

/// A crate of the workspace, and the dependencies that it may not have.
const MANIFESTS: &[(&str, &[&str])] = &[
    ("stages", &["recflow", "recflow-state", "tokio", "clap", "rusqlite", "minijinja", "granit-parser"]),
    ("state", &["recflow", "recflow-stages", "tokio", "clap", "arrow", "parquet", "minijinja", "granit-parser"]),
];

/// Without I/O, so that a simulator can drive it.
fn is_pure(file: &Path) -> bool {
    file.starts_with("pipeline") || file.starts_with("engine/core")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The top-level module that a file of `src/` belongs to.
fn layer_of(file: &Path) -> String {
    let first = file.iter().next().unwrap_or_default().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// What a file uses against the arrows: one line each, naming file, line and arrow.
fn violations(file: &Path, text: &str) -> Vec<String> {
    let name = layer_of(file);
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        return vec![format!("src/{}: module `{name}` is in no layer: give it a place in tests/layering.rs", file.display())];
    };
    let source = Source::new(text);
    let modules = source.modules_used(paths::depth(file)).into_iter().filter_map(|(line, module)| {
        let is_layer = LAYERS.iter().any(|layer| layer.name == module);
        let is_allowed = module == name || matches!(layer.name, "lib" | "main") || layer.uses.contains(&module.as_str());
        (is_layer && !is_allowed).then(|| {
            let allowed = if layer.uses.is_empty() { "nothing above or beside it".to_owned() } else { layer.uses.join(", ") };
            format!("src/{}:{line}: {name} -> {module} is against the arrows; {name} may use {allowed}", file.display())
        })
    });
    let crates = source.crates_used().into_iter().filter_map(|(line, krate)| {
        let ban = BANS.iter().find(|ban| ban.krate == krate && !(ban.except)(file))?;
        Some(format!("src/{}:{line}: {name} must not use `{krate}`: {}", file.display(), ban.why))
    });
    modules.chain(crates).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_arrow_between_modules_points_down() {
    let src = root().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 1, "no sources under {}", src.display());
    let found: Vec<String> =
        files.iter().flat_map(|path| violations(path.strip_prefix(&src).unwrap(), &fs::read_to_string(path).unwrap())).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_crate_depends_on_what_lies_above_it() {
    for (folder, banned) in MANIFESTS {
        let path = root().join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        for (line, name) in paths::dependencies(&manifest) {
            let is_banned = banned.iter().any(|ban| name == *ban || (*ban == "arrow" && name.starts_with("arrow-")));
            assert!(!is_banned, "{folder}/Cargo.toml:{line}: `{folder}` must not depend on `{name}`");
        }
    }
}

#[test]
fn an_arrow_that_points_up_is_named_with_file_and_line() {
    let text =
        "//! Not a use: crate::cli\nuse crate::{pipeline::{Task, graph}, engine::Driver};\nlet url = \"crate::server\"; // crate::cli\n";
    assert_eq!(
        violations(Path::new("executor/child.rs"), text),
        ["src/executor/child.rs:2: executor -> engine is against the arrows; executor may use pipeline, workspace"]
    );
    assert_eq!(violations(Path::new("engine/driver.rs"), "use crate::executor;\nuse super::core::step;"), [""; 0]);
}

#[test]
fn climbing_out_of_a_module_is_seen_as_well() {
    let found = violations(Path::new("pipeline/check/mod.rs"), "use super::super::engine::step;\nuse super::graph;");
    assert_eq!(
        found,
        ["src/pipeline/check/mod.rs:1: pipeline -> engine is against the arrows; pipeline may use nothing above or beside it"]
    );
    assert_eq!(violations(Path::new("executor/mod.rs"), "fn f() { super::cli::main() }").len(), 1);
}

#[test]
fn the_pure_parts_use_no_runtime_and_no_store() {
    let text = "use tokio::sync::mpsc;\nfn f(store: &recflow_state::Store) {}";
    assert_eq!(violations(Path::new("engine/core/step.rs"), text).len(), 2);
    assert_eq!(violations(Path::new("pipeline/mod.rs"), text).len(), 2);
    assert_eq!(violations(Path::new("executor/child.rs"), text).len(), 1);
    assert!(violations(Path::new("engine/driver.rs"), text).is_empty());
    assert_eq!(violations(Path::new("cli/status.rs"), "use ::rusqlite::Connection;").len(), 1);
}

#[test]
fn a_module_that_nobody_placed_is_reported() {
    let found = violations(Path::new("helpers.rs"), "");
    assert_eq!(found, ["src/helpers.rs: module `helpers` is in no layer: give it a place in tests/layering.rs"]);
}
