//! Whether markup is well-formed, for tests: tags match, attributes are quoted, `<` and `&` stand for nothing else.

/// Checks and returns the names of the elements, in order.
pub(crate) fn check(markup: &str) -> Result<Vec<String>, String> {
    let (mut open, mut names): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    let mut rest = markup;
    while let Some(at) = rest.find('<') {
        text(&rest[..at])?;
        let end = rest[at..].find('>').ok_or("a tag is not closed")? + at;
        let (tag, after) = (&rest[at + 1..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop();
            if opened != Some(name) {
                return Err(format!("</{name}> closes {opened:?}"));
            }
            continue;
        }
        if tag == "!DOCTYPE html" {
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("<{name}> is no name"));
        }
        names.push(name.to_owned());
        check_attributes(attributes)?;
        if !is_empty {
            open.push(name);
        }
    }
    text(rest)?;
    if open.is_empty() { Ok(names) } else { Err(format!("{open:?} are not closed")) }
}

fn check_attributes(mut rest: &str) -> Result<(), String> {
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").ok_or_else(|| format!("`{rest}` is no attribute"))?;
        let (value, after) = value.split_once('"').ok_or_else(|| format!("the value of `{name}` has no end"))?;
        if seen.contains(&name) || name.contains(' ') {
            return Err(format!("`{name}` stands there twice, or is no name"));
        }
        seen.push(name);
        text(value)?;
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    Ok(())
}

fn text(text: &str) -> Result<(), String> {
    let known = ["&lt;", "&gt;", "&amp;", "&quot;", "&#39;"];
    match text.match_indices('&').find(|(at, _)| !known.iter().any(|entity| text[*at..].starts_with(entity))) {
        Some((at, _)) => Err(format!("`&` in `{}`", &text[at..])),
        None if text.contains('>') => Err(format!("`>` in `{text}`")),
        None => Ok(()),
    }
}
