//! Markup that cannot be broken by what it shows.
//!
//! [`Markup`] is made of [`element`]s and of text, and both escape what they are given; there is no way to put a plain string inside. So a
//! dataset called `<script>` is a name on a page and nothing else. What comes out is well-formed as XML and as HTML.

use std::fmt::{self, Display, Write as _};

/// Elements that HTML closes by themselves, and those of SVG that hold nothing.
const EMPTY: [&str; 11] = ["meta", "link", "br", "hr", "col", "rect", "line", "circle", "path", "polygon", "polyline"];

/// A piece of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Text, escaped.
    pub fn text(text: impl Display) -> Self {
        let mut markup = String::new();
        // Writing to a string does not fail.
        let _ = write!(Escaped(&mut markup), "{text}");
        Self(markup)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what follows.
    pub fn push(&mut self, next: impl Into<Markup>) {
        self.0.push_str(&next.into().0);
    }

    /// As it is written to a file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Markup {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Markup {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl<M: Into<Markup>> FromIterator<M> for Markup {
    fn from_iter<I: IntoIterator<Item = M>>(parts: I) -> Self {
        let mut markup = Self::new();
        parts.into_iter().for_each(|part| markup.push(part));
        markup
    }
}

/// An element being written: attributes first, then what is inside.
#[derive(Debug, Clone)]
pub struct Element {
    name: &'static str,
    /// `name="value"`, each with a blank before.
    attributes: String,
    inside: Markup,
}

/// An element without attributes and content.
pub fn element(name: &'static str) -> Element {
    Element { name, attributes: String::new(), inside: Markup::new() }
}

impl Element {
    /// With an attribute.
    pub fn attr(mut self, name: &'static str, value: impl Display) -> Self {
        let _ = write!(self.attributes, " {name}=\"");
        let _ = write!(Escaped(&mut self.attributes), "{value}");
        self.attributes.push('"');
        self
    }

    /// With the attribute `class`.
    pub fn class(self, classes: impl Display) -> Self {
        self.attr("class", classes)
    }

    /// With coordinates or lengths, each an attribute.
    pub fn at<const N: usize>(self, coordinates: [(&'static str, f64); N]) -> Self {
        coordinates.into_iter().fold(self, |element, (name, value)| element.attr(name, coordinate(value)))
    }

    /// With something inside, after what is there.
    pub fn with(mut self, inside: impl Into<Markup>) -> Self {
        self.inside.push(inside);
        self
    }

    /// With several things inside.
    pub fn with_all<M: Into<Markup>>(mut self, inside: impl IntoIterator<Item = M>) -> Self {
        inside.into_iter().for_each(|part| self.inside.push(part));
        self
    }
}

impl From<Element> for Markup {
    fn from(Element { name, attributes, inside }: Element) -> Self {
        let inside = inside.0;
        Self(if inside.is_empty() && EMPTY.contains(&name) {
            format!("<{name}{attributes}/>")
        } else {
            format!("<{name}{attributes}>{inside}</{name}>")
        })
    }
}

/// A coordinate: two decimals are more than a screen shows.
pub fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}

/// Escapes what is written to it.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                // Control characters are no XML, and those that turn the direction of writing make a name look like another.
                c if c.is_control() || is_no_character(c) || turns_direction(c) => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_no_character(c: char) -> bool {
    matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::well_formed;

    #[test]
    fn text_and_attributes_are_escaped_and_control_characters_replaced() {
        let markup = Markup::from(element("p").attr("title", "a \"b\" & 'c'").with("<script>alert(1)</script>\u{202e}\u{0}"));
        assert_eq!(
            markup.as_str(),
            "<p title=\"a &quot;b&quot; &amp; &#39;c&#39;\">&lt;script&gt;alert(1)&lt;/script&gt;\u{fffd}\u{fffd}</p>"
        );
        assert_eq!(Markup::from(element("rect").at([("x", 1.0), ("y", -0.001)])).as_str(), "<rect x=\"1\" y=\"0\"/>");
        assert_eq!(Markup::from(element("td")).as_str(), "<td></td>", "HTML does not know <td/>");
    }

    proptest! {
        #[test]
        fn whatever_is_shown_the_markup_is_well_formed(text in any::<String>(), value in any::<String>()) {
            let markup = Markup::from(element("p").attr("title", value).with(text.as_str()));
            prop_assert_eq!(well_formed::check(markup.as_str()), Ok(vec!["p".to_owned()]));
        }
    }
}
