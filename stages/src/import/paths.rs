//! Folders and wildcards: which files an input means.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::context::Context;
use crate::error::{Result, StageError};

/// How deep below a folder files are looked for.
const MAX_DEPTH: usize = 16;

/// The files that `paths` mean, in order: a folder stands for all files below it, by name; `*` and `?` in a part of a path stand for any
/// characters and one, by name too. Hidden names and those of committers (`_SUCCESS`) are passed over, as Spark does.
///
/// # Errors
/// A folder without files; a wildcard that fits nothing; a folder that cannot be listed.
pub fn expand(paths: &[PathBuf], context: &Context) -> Result<Vec<PathBuf>> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let before = files.len();
        files.append(&mut files_at(path)?);
        if files.len() == before {
            let what = if has_wildcard(path.as_os_str()) { "nothing fits" } else { "there are no files in" };
            return Err(StageError::input(format!("{what} `{}`", context.display(path)))
                .with_hint("give a file, a folder, or a path with `*` in it, relative to the workspace"));
        }
    }
    Ok(files)
}

/// The files that one path means; none if nothing is there that it could mean.
///
/// # Errors
/// A folder that cannot be listed, or that lies too deep.
pub(crate) fn files_at(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    // A file may have a star in its name; then it is meant.
    if path.exists() || !has_wildcard(path.as_os_str()) {
        below(path, 0, &mut files)?;
    } else {
        for found in matches(path)? {
            below(&found, 0, &mut files)?;
        }
    }
    Ok(files)
}

/// The file itself, or all files of a folder. What is not there is left for whoever opens it.
fn below(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == MAX_DEPTH {
        return Err(StageError::input(format!("`{}` lies too deep", path.display())).with_hint("is there a circle of links?"));
    }
    for entry in visible(path)? {
        below(&entry, depth + 1, files)?;
    }
    Ok(())
}

/// The paths that fit, by name.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str();
        if !matches!(part, Component::Normal(_)) || !has_wildcard(name) {
            found.iter_mut().for_each(|path| path.push(name));
            continue;
        }
        let mut next = Vec::new();
        for folder in found.iter().filter(|folder| folder.is_dir()) {
            let fitting = |path: &PathBuf| path.file_name().is_some_and(|file| fits(name.as_encoded_bytes(), file.as_encoded_bytes()));
            next.extend(visible(folder)?.into_iter().filter(fitting));
        }
        found = next;
    }
    found.retain(|path| path.exists());
    Ok(found)
}

/// What lies in a folder, by name.
fn visible(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| StageError::io("list", folder, &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") && !entry.file_name().as_encoded_bytes().starts_with(b"_") {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn has_wildcard(text: &OsStr) -> bool {
    text.as_encoded_bytes().iter().any(|byte| b"*?".contains(byte))
}

/// Whether `name` fits `pattern`. Goes back to the last star only, so that the work is at most the product of the lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::PublishKey;

    #[test]
    fn folders_and_wildcards_give_files_by_name_and_nothing_hidden() {
        let home = tempfile::tempdir().unwrap();
        for name in ["a/2.csv", "a/1.csv", "a/deep/3.csv", "a/_SUCCESS", "a/.crc", "b/1.csv", "b/1.txt"] {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir(home.path().join("empty")).unwrap();
        let context = Context::plain(home.path(), PublishKey::new("run", "import", 0));
        let expand = |path: &str| -> Result<Vec<String>> {
            let found = super::expand(&[home.path().join(path)], &context)?;
            Ok(found.iter().map(|path| context.display(path)).collect())
        };
        assert_eq!(expand("a").unwrap(), ["a/1.csv", "a/2.csv", "a/deep/3.csv"]);
        assert_eq!(expand("a/?.csv").unwrap(), ["a/1.csv", "a/2.csv"]);
        assert_eq!(expand("*/1.*").unwrap(), ["a/1.csv", "b/1.csv", "b/1.txt"]);
        assert_eq!(expand("no.csv").unwrap(), ["no.csv"], "left for whoever opens it");
        assert_eq!(expand("*.csv").unwrap_err().message, "nothing fits `*.csv`");
        assert_eq!(expand("empty").unwrap_err().message, "there are no files in `empty`");
    }

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.csv", "a.csv", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("?", "", false),
            ("a?", "ab", true),
            ("**a", "ba", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
