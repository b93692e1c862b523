//! What an expression refers to, with places, so that it can be checked before a run.

use std::ops::Range;

use super::ROOTS;
use super::lexer::Token;

/// A path such as `tasks.train.output.version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Its first name: one of the five that templates see.
    pub(crate) root: String,
    /// What follows, and where.
    pub(crate) steps: Vec<(Step, Range<usize>)>,
    /// All of it, as bytes of the expression.
    pub(crate) range: Range<usize>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// `.name` or `["name"]`.
    Key(String),
    /// `[0]`.
    Index,
    /// `[expression]`: known only when it runs.
    Dynamic,
}

/// The names of an expression, sorted by what they do.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Paths that begin with one of the five names.
    pub(super) references: Vec<Reference>,
    /// Names that mean nothing.
    pub(super) unknown: Vec<(String, Range<usize>)>,
    /// Names after `|`.
    pub(super) filters: Vec<(String, Range<usize>)>,
    /// Names after `is`.
    pub(super) tests: Vec<(String, Range<usize>)>,
    /// Names before `(`.
    pub(super) functions: Vec<(String, Range<usize>)>,
}

const KEYWORDS: [&str; 12] = ["true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if"];

/// Sorts the names of an expression.
pub(super) fn names(tokens: &[(Token<'_>, Range<usize>)]) -> Names {
    let mut names = Names::default();
    let mut at = 0;
    while let Some((token, range)) = tokens.get(at) {
        let Token::Name(name) = token else {
            at += 1;
            continue;
        };
        let before = at.checked_sub(1).map(|at| &tokens[at].0);
        let before_that = at.checked_sub(2).map(|at| &tokens[at].0);
        let after = tokens.get(at + 1).map(|(token, _)| token);
        let found = || (String::from(*name), range.clone());
        match (before, after) {
            (Some(Token::Symbol(".")), _) => {}
            (Some(Token::Symbol("|")), _) => names.filters.push(found()),
            (Some(Token::Name("is")), _) if *name != "not" => names.tests.push(found()),
            (Some(Token::Name("not")), _) if before_that == Some(&Token::Name("is")) => names.tests.push(found()),
            _ if KEYWORDS.contains(name) || *name == "else" => {}
            // The name of an argument: `default(value=1)`.
            (Some(Token::Symbol("(" | ",")), Some(Token::Symbol("="))) => {}
            (_, Some(Token::Symbol("("))) => names.functions.push(found()),
            _ if ROOTS.contains(name) => {
                names.references.push(path(tokens, at));
            }
            _ => names.unknown.push(found()),
        }
        at += 1;
    }
    names
}

/// The path that begins at token `at`.
fn path(tokens: &[(Token<'_>, Range<usize>)], at: usize) -> Reference {
    let (root, start) = match &tokens[at] {
        (Token::Name(name), range) => ((*name).to_owned(), range.start),
        (_, range) => (String::new(), range.start),
    };
    let mut reference = Reference { root, steps: Vec::new(), range: start..tokens[at].1.end };
    let mut rest = &tokens[at + 1..];
    loop {
        let (step, range, length) = match rest {
            [(Token::Symbol("."), _), (Token::Name(_), _), (Token::Symbol("("), _), ..] => break, // a method
            [(Token::Symbol("."), _), (Token::Name(name), range), ..] => (Step::Key((*name).to_owned()), range.clone(), 2),
            [(Token::Symbol("."), _), (Token::Number(_), range), ..] => (Step::Index, range.clone(), 2),
            [(Token::Symbol("["), _), (Token::Text(text), range), (Token::Symbol("]"), _), ..] => {
                (Step::Key(text.clone()), range.clone(), 3)
            }
            [(Token::Symbol("["), _), (Token::Number(_), range), (Token::Symbol("]"), _), ..] => (Step::Index, range.clone(), 3),
            [(Token::Symbol("["), range), ..] => {
                reference.steps.push((Step::Dynamic, range.clone()));
                break;
            }
            _ => break,
        };
        reference.range.end = rest[length - 1].1.end;
        reference.steps.push((step, range));
        rest = &rest[length..];
    }
    reference
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    fn show(source: &str) -> Vec<String> {
        let names = names(&lex(source));
        let mut shown: Vec<String> = names.references.iter().map(|reference| source[reference.range.clone()].to_owned()).collect();
        shown.extend(names.unknown.iter().map(|(name, _)| format!("?{name}")));
        shown.extend(names.filters.iter().map(|(name, _)| format!("|{name}")));
        shown.extend(names.tests.iter().map(|(name, _)| format!("is {name}")));
        shown.extend(names.functions.iter().map(|(name, _)| format!("{name}()")));
        shown
    }

    #[test]
    fn paths_are_found_with_all_their_steps() {
        assert_eq!(show("params.a + tasks['find-model'].output.path"), ["params.a", "tasks['find-model'].output.path"]);
        assert_eq!(show("tasks.a.output.list[0].x.1"), ["tasks.a.output.list[0].x.1"]);
        assert_eq!(show("params[params.key]"), ["params", "params.key"]);
        assert_eq!(show("[params.a, {'params': env.B}]"), ["params.a", "env.B"]);
    }

    #[test]
    fn names_that_are_not_paths_are_told_apart() {
        assert_eq!(show("parms.a | default(value=1) | round"), ["?parms", "|default", "|round"]);
        assert_eq!(show("params.a is not none and params.b is even"), ["params.a", "params.b", "is none", "is even"]);
        assert_eq!(show("range(3) if not params.a else foo"), ["params.a", "?foo", "range()"]);
        assert_eq!(show("'params.a'"), [""; 0]);
        assert_eq!(show("tasks.find-model.output"), ["tasks.find", "?model"]);
    }
}
