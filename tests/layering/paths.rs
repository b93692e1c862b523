//! Finds the paths in Rust source, as far as the layers need it: no parser, but no fooling by comments, text
//! or nested `use` groups either.

use std::path::Path;

/// A source file with comments and literals blanked out, so that every byte keeps its line.
pub(crate) struct Source {
    code: Vec<char>,
}

/// How many modules deep a file of `src/` lies: 0 for `lib.rs`, 1 for `engine/mod.rs` and `engine.rs`.
pub(crate) fn depth(file: &Path) -> usize {
    let parts = file.iter().count();
    match file.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => parts - 1,
        _ => parts,
    }
}

/// The dependencies of a manifest, development ones included, with their lines.
pub(crate) fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut in_section = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(manifest.lines()) {
        if line.starts_with('[') {
            in_section = line.trim_end_matches(']').ends_with("dependencies");
        } else if let (true, Some((key, _))) = (in_section, line.split_once('=')) {
            let name = key.trim().split('.').next().unwrap_or_default();
            if !name.starts_with('#') {
                found.push((number, name.to_owned()));
            }
        }
    }
    found
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        Self { code: blank(&text.chars().collect::<Vec<_>>()) }
    }

    /// The top-level modules that this file, `depth` modules deep, reaches through `crate::` or `super::`.
    pub(crate) fn modules_used(&self, depth: usize) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (start, word) in self.words() {
            let after = match word.as_str() {
                "crate" => self.after_colons(start + word.len()),
                "super" if !self.is_after_super(start) => self.after_supers(start, depth),
                _ => None,
            };
            if let Some(after) = after {
                self.first_segments(after, &mut found);
            }
        }
        found
    }

    /// The crates that paths begin with: words before `::` that nothing comes before.
    pub(crate) fn crates_used(&self) -> Vec<(usize, String)> {
        let is_head = |start: usize| {
            let before: String = self.code[..start].iter().rev().take(3).collect(); // reversed
            !before.starts_with("::") || before.chars().nth(2).is_none_or(|c| !is_word(c) && c != '>')
        };
        let words = self.words().into_iter();
        let heads = words.filter(|(start, word)| is_head(*start) && self.after_colons(start + word.len()).is_some());
        heads.map(|(start, word)| (self.line(start), word)).collect()
    }

    fn line(&self, position: usize) -> usize {
        1 + self.code[..position].iter().filter(|&&c| c == '\n').count()
    }

    /// All words with their positions.
    fn words(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut position = 0;
        while position < self.code.len() {
            let length = self.code[position..].iter().take_while(|&&c| is_word(c)).count();
            if length > 0 {
                found.push((position, self.code[position..position + length].iter().collect()));
            }
            position += length.max(1);
        }
        found
    }

    /// Where the next thing stands if `::` stands at `position`.
    fn after_colons(&self, position: usize) -> Option<usize> {
        self.code[position..].starts_with(&[':', ':']).then_some(position + 2)
    }

    fn is_after_super(&self, start: usize) -> bool {
        self.code[..start].ends_with(&['s', 'u', 'p', 'e', 'r', ':', ':'])
    }

    /// Where `super::` repeated as often as the file is deep ends: what follows is a top-level module.
    fn after_supers(&self, start: usize, depth: usize) -> Option<usize> {
        let mut position = start;
        for _ in 0..depth.max(1) {
            if !self.code[position..].starts_with(&['s', 'u', 'p', 'e', 'r', ':', ':']) {
                return None;
            }
            position += "super::".len();
        }
        Some(position)
    }

    /// The first segment of each path at `position`: of one, or of every one of a `{...}` group.
    fn first_segments(&self, position: usize, found: &mut Vec<(usize, String)>) {
        let segment = |position: usize| self.code[position..].iter().take_while(|&&c| is_word(c)).collect::<String>();
        if self.code.get(position) != Some(&'{') {
            found.push((self.line(position), segment(position)));
            return;
        }
        let (mut level, mut expects_path) = (0, false);
        for (offset, &c) in self.code[position..].iter().enumerate() {
            match c {
                '{' => (level, expects_path) = (level + 1, level == 0),
                '}' if level == 1 => return,
                '}' => level -= 1,
                ',' => expects_path = level == 1,
                c if is_word(c) && expects_path => {
                    found.push((self.line(position + offset), segment(position + offset)));
                    expects_path = false;
                }
                _ => {}
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Replaces comments and literals by spaces; keeps line ends.
fn blank(text: &[char]) -> Vec<char> {
    let mut code = Vec::with_capacity(text.len());
    let mut position = 0;
    while position < text.len() {
        let length = literal_length(text, position);
        if length == 0 {
            code.push(text[position]);
        }
        code.extend(text[position..position + length].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        position += length.max(1);
    }
    code
}

/// How long the comment or literal is that starts at `position`; 0 if none does.
fn literal_length(text: &[char], position: usize) -> usize {
    let rest = &text[position..];
    let to_end = |found: Option<usize>, length: usize| found.map_or(rest.len(), |at| at + length);
    match rest {
        ['/', '/', ..] => to_end(rest.iter().position(|&c| c == '\n'), 0),
        ['/', '*', ..] => to_end(rest.windows(2).skip(2).position(|pair| pair == ['*', '/']), 4),
        ['\'', '\\', _, ..] => to_end(rest[3..].iter().position(|&c| c == '\''), 4),
        ['\'', _, '\'', ..] => 3,
        ['"', ..] => 1 + quoted_length(&rest[1..]),
        ['r', '#' | '"', ..] if position == 0 || !is_word(text[position - 1]) || text[position - 1] == 'b' => raw_length(rest),
        _ => 0,
    }
}

/// The rest of a string after its opening quote, its closing one included.
fn quoted_length(rest: &[char]) -> usize {
    let mut position = 0;
    while position < rest.len() {
        match rest[position] {
            '\\' => position += 2,
            '"' => return position + 1,
            _ => position += 1,
        }
    }
    rest.len()
}

/// A raw string, or 0 if it is a raw identifier (`r#type`).
fn raw_length(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut end = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let body = &rest[hashes + 2..];
    body.windows(end.len()).position(|window| window == end).map_or(rest.len(), |at| hashes + 2 + at + end.len())
}
