//! Tokens of an expression, and where the expressions of a text are.
//!
//! minijinja decides what is valid; these tokens only serve to find names with their places, which minijinja does
//! not give. So this never fails: what it does not know is a symbol.

use std::ops::Range;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    Name(&'t str),
    Number(&'t str),
    /// A string literal, its escapes resolved as far as names can contain them.
    Text(String),
    Symbol(&'t str),
}

/// The tokens of `source` with their byte ranges.
pub(super) fn lex(source: &str) -> Vec<(Token<'_>, Range<usize>)> {
    let mut tokens: Vec<(Token<'_>, Range<usize>)> = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let after_dot = matches!(tokens.last(), Some((Token::Symbol("."), _)));
        let (token, length) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '"' | '\'' => {
                let length = string_length(rest);
                (Token::Text(unescape(&rest[..length])), length)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Token::Name(&rest[..length]), length)
            }
            '0'..='9' => {
                // `list.0.1` is two steps, `0.1` one number.
                let in_number = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == '.' && !after_dot);
                let length = rest.find(|c| !in_number(c)).unwrap_or(rest.len());
                (Token::Number(&rest[..length]), length)
            }
            _ => {
                let double = ["==", "!=", "<=", ">=", "//", "**"].iter().any(|symbol| rest.starts_with(symbol));
                let length = if double { 2 } else { first.len_utf8() };
                (Token::Symbol(&rest[..length]), length)
            }
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens
}

/// Bytes of the string literal at the start of `text`, with its quotes; all of `text` if it is not closed.
fn string_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, quote)| quote);
    let mut escaped = false;
    for (at, c) in chars {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if Some(c) == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

fn unescape(literal: &str) -> String {
    let quote = if literal.starts_with('"') { '"' } else { '\'' };
    let inner = literal.strip_prefix(quote).unwrap_or(literal);
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

/// Where an expression of a text begins and ends.
#[derive(Debug, PartialEq)]
pub(super) struct Braces {
    /// From `{{` to `}}`, braces included.
    pub(super) outer: Range<usize>,
    /// Between the braces.
    pub(super) inner: Range<usize>,
    /// `{{-`: white space before it goes.
    pub(super) trim_before: bool,
    /// `-}}`: white space after it goes.
    pub(super) trim_after: bool,
}

/// The first `{{ … }}` of `text` at or after `from`. `Err` holds the place of a `{{` that is never closed.
pub(super) fn next_braces(text: &str, from: usize) -> Result<Option<Braces>, usize> {
    let Some(start) = text[from..].find("{{").map(|at| from + at) else { return Ok(None) };
    let trim_before = text[start + 2..].starts_with('-');
    let inner_start = start + 2 + usize::from(trim_before);
    let mut depth = 0_usize;
    let mut at = inner_start;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' => {
                at += string_length(&text[at..]);
                continue;
            }
            '}' if depth == 0 && text[at..].starts_with("}}") => {
                let trim_after = text[inner_start..at].ends_with('-');
                let inner = inner_start..at - usize::from(trim_after);
                return Ok(Some(Braces { outer: start..at + 2, inner, trim_before, trim_after }));
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += c.len_utf8();
    }
    Err(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_inside_strings_and_maps_do_not_end_an_expression() {
        let text = "x {{ '}}' ~ {'a': {'b': 1}} }} y {{- z -}}";
        let first = next_braces(text, 0).expect("closed").expect("there");
        assert_eq!(&text[first.inner.clone()], " '}}' ~ {'a': {'b': 1}} ");
        let second = next_braces(text, first.outer.end).expect("closed").expect("there");
        assert_eq!((&text[second.inner.clone()], second.trim_before, second.trim_after), (" z ", true, true));
        assert_eq!(next_braces(text, second.outer.end), Ok(None));
        assert_eq!(next_braces("a {{ b", 0), Err(2));
    }

    #[test]
    fn numbers_after_a_dot_are_steps() {
        let tokens: Vec<_> = lex("a.0.1 + 0.5").into_iter().map(|(token, _)| token).collect();
        let (dot, plus) = (Token::Symbol("."), Token::Symbol("+"));
        assert_eq!(tokens, [Token::Name("a"), dot.clone(), Token::Number("0"), dot, Token::Number("1"), plus, Token::Number("0.5")]);
    }
}
