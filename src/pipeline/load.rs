//! From the text of a file to a [`Loaded`] pipeline: read, check, collect.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use recflow_stages::Catalog;

use super::check;
use super::diagnostic::{Diagnostic, Findings};
use super::document;
use super::model::Pipeline;
use super::source::{Source, Span};
use super::yaml::{self, MAX_BYTES};

/// What came of a pipeline file.
#[derive(Debug)]
pub struct Loaded {
    /// The pipeline; `None` if and only if an error is among the diagnostics.
    pub pipeline: Option<Pipeline>,
    /// Everything that is wrong or odd, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The text that the diagnostics point into.
    pub source: Source,
}

/// Loads the pipeline `text`. `file` is what messages call it; its stem is the pipeline's name unless `name` is given.
///
/// Never panics, and takes time and memory linear in the text, of which at most [`MAX_BYTES`] are looked at.
pub fn load(text: &str, file: &str, catalog: &Catalog) -> Loaded {
    let mut findings = Findings::default();
    if text.len() > MAX_BYTES {
        return too_large(text, file);
    }
    let source = Source::new(file, text);
    let mut pipeline = None;
    match yaml::parse(&source, &mut findings) {
        Some(root) => {
            if let Some(document) = document::read(&root, &source, &mut findings) {
                pipeline = check::check(&document, &source, catalog, &mut findings);
            }
        }
        None if !findings.has_errors() => {
            let error = Diagnostic::error("missing-key", source.lines_span(0, 0), "the file is empty: a pipeline needs `tasks`");
            findings.push(error.hint("the smallest pipeline: `tasks: { hello: { stage: noop } }`"));
        }
        None => {}
    }
    let pipeline = pipeline.filter(|_| !findings.has_errors());
    Loaded { pipeline, diagnostics: findings.into_sorted(), source }
}

/// Loads the pipeline in a file. Of a large file no more is read than it takes to refuse it.
///
/// # Errors
/// If the file cannot be read. What is wrong with its content, down to bytes that are not UTF-8, is in [`Loaded`].
pub fn load_file(path: &Path, catalog: &Catalog) -> io::Result<Loaded> {
    load_from(&mut File::open(path)?, &path.display().to_string(), catalog)
}

/// The files of a folder that may define pipelines, by name: what ends with `.yaml` or `.yml` and is not hidden. Regular files alone, so that
/// nobody who reads them all waits for a pipe.
///
/// # Errors
/// If the folder cannot be listed.
pub fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        // A link is looked through; all else the folder's own listing tells.
        if yaml && !hidden && entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_symlink() && path.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Loads the pipeline that `reader` gives, such as standard input. `file` is what messages call it.
///
/// # Errors
/// If it cannot be read; as [`load_file`] otherwise.
pub fn load_from(reader: &mut dyn Read, file: &str, catalog: &Catalog) -> io::Result<Loaded> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(load(text, file, catalog)),
        // The cut may have gone through a character.
        Err(_) if bytes.len() > MAX_BYTES => Ok(too_large("", file)),
        Err(error) => Ok(not_text(&bytes, error.valid_up_to(), file)),
    }
}

impl Loaded {
    /// What there is to say of a file that could not even be read.
    pub fn unreadable(file: &str, error: &io::Error) -> Self {
        let diagnostics = vec![Diagnostic::error("unreadable", Span::default(), format!("cannot read the file: {error}"))];
        Self { pipeline: None, diagnostics, source: Source::new(file, "") }
    }
}

fn too_large(text: &str, file: &str) -> Loaded {
    let first_line: String = text.chars().take_while(|c| *c != '\n').take(80).collect();
    let source = Source::new(file, &first_line);
    let message = format!("the file is larger than {} KiB", MAX_BYTES >> 10);
    let error = Diagnostic::error("too-large", Span::new(0, first_line.len()), message);
    let diagnostics = vec![error.hint("a pipeline only describes work; data belongs into files that stages read")];
    Loaded { pipeline: None, diagnostics, source }
}

fn not_text(bytes: &[u8], valid: usize, file: &str) -> Loaded {
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new(file, &text);
    // Up to the first bad byte both texts are the same; there stands the replacement character.
    let span = Span::new(valid, valid + char::REPLACEMENT_CHARACTER.len_utf8());
    let message = format!("the file is not UTF-8: the byte 0x{:02x} is not part of a character", bytes[valid]);
    let diagnostics = vec![Diagnostic::error("yaml-syntax", span, message).hint("save the file as UTF-8")];
    Loaded { pipeline: None, diagnostics, source }
}
