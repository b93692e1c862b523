//! The pipelines that ship with recflow, embedded so that the binary works without the clone.

/// A shipped pipeline.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// Its name; its file is `NAME.yaml`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The schema that shipped pipelines name in their first line, next to them. Its text is `pipeline::schema`'s: what this
/// binary knows, not a copy.
pub const SCHEMA_FILE: &str = "recflow.schema.json";

/// All of them.
pub const ALL: &[Shipped] = &[
    Shipped { name: "quickstart", text: include_str!("../pipelines/quickstart.yaml") },
    Shipped { name: "etl-train-test", text: include_str!("../pipelines/etl-train-test.yaml") },
    Shipped { name: "drift-retrain", text: include_str!("../pipelines/drift-retrain.yaml") },
    Shipped { name: "drift-watch", text: include_str!("../pipelines/drift-watch.yaml") },
    Shipped { name: "retrain", text: include_str!("../pipelines/retrain.yaml") },
    Shipped { name: "tune-train", text: include_str!("../pipelines/tune-train.yaml") },
];

/// The shipped pipeline of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    ALL.iter().find(|pipeline| pipeline.name == name)
}
