//! Which model versions runs may still want: those must not be removed under them.

use recflow_state::{Result, View};

/// All texts in which a run that is not over, or was interrupted, may name a version: parameters, outputs, its pipeline.
///
/// # Errors
/// If the store cannot be read.
pub fn named_by_runs(view: &View<'_>) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for run in view.non_terminal_runs()? {
        texts.push(run.params.to_string());
        texts.push(view.pipeline_text(run.version)?.text);
        texts.extend(view.outputs(&run.id)?.values().map(ToString::to_string));
    }
    Ok(texts)
}

/// Whether `version` stands in `text`, and not only as the beginning of another name (`version_…` of `version_…_001`).
pub fn names(text: &str, version: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(version).any(|(at, found)| !goes_on(&text[at + found.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_another_name_is_not_the_name() {
        assert!(names("{\"model\":\"models/version_1\"}", "version_1"));
        assert!(!names("version_1_001, version_12", "version_1"));
        assert!(names("version_1_001 and version_1", "version_1"));
    }
}
