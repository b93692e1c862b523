//! A whole page: one file that needs nothing else.
//!
//! The style sheet is inside, there is no script, and a content security policy says so: whatever a name on the page may look like, a browser
//! runs nothing and asks nobody for anything. Light or dark, and on paper, by the reader's own settings.

use super::markup::{Markup, element};

/// The style sheet. Being ours, it needs no escaping, and holds no `<`, which would.
const STYLE: &str = include_str!("style.css");

/// What a browser may do: use the style sheet inside the page, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// A line below it: what, when, of which workspace.
    pub lead: String,
    /// The sections, in their order.
    pub sections: Vec<Section>,
    /// The last line.
    pub footer: String,
}

/// A part of a page with a heading of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// What a link to it ends in, after `#`.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What it shows.
    pub body: Markup,
}

impl Page {
    /// The file.
    pub fn render(&self) -> String {
        let head = element("head")
            .with(element("meta").attr("charset", "utf-8"))
            .with(element("meta").attr("http-equiv", "Content-Security-Policy").attr("content", POLICY))
            .with(element("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1"))
            .with(element("meta").attr("name", "generator").attr("content", concat!("recflow ", env!("CARGO_PKG_VERSION"))))
            // Without it a browser asks the server for one.
            .with(element("link").attr("rel", "icon").attr("href", "data:,"))
            .with(element("title").with(self.title.as_str()));
        let header = element("header")
            .with(element("h1").with(self.title.as_str()))
            .with(element("p").class("lead").with(self.lead.as_str()))
            .with(self.contents());
        let sections = self.sections.iter().map(|Section { id, title, body }| {
            element("section").attr("id", id).with(element("h2").with(title.as_str())).with(body.clone())
        });
        let footer = element("footer").with(self.footer.as_str());
        let body = element("body").with(element("main").with(header).with_all(sections).with(footer));
        let head = Markup::from(head);
        let head = head.as_str().trim_end_matches("</head>");
        format!("<!DOCTYPE html>\n<html lang=\"en\">{head}<style>{STYLE}</style></head>{}</html>\n", Markup::from(body))
    }

    /// Links to the sections, if there are several.
    fn contents(&self) -> Markup {
        if self.sections.len() < 2 {
            return Markup::new();
        }
        let link = |section: &Section| element("a").attr("href", format_args!("#{}", section.id)).with(section.title.as_str());
        element("nav").attr("aria-label", "Contents").with_all(self.sections.iter().map(link)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::well_formed;

    #[test]
    fn a_page_is_well_formed_stands_alone_and_runs_nothing() {
        let hostile = "</title><script>alert(1)</script>\"'&";
        let section = |id: &str| Section { id: id.to_owned(), title: hostile.to_owned(), body: Markup::text(hostile) };
        let page = Page {
            title: hostile.to_owned(),
            lead: hostile.to_owned(),
            sections: vec![section("a"), section("b")],
            footer: hostile.to_owned(),
        };
        let text = page.render();
        let names = well_formed::check(&text).unwrap();
        assert!(!names.contains(&"script".to_owned()) && names.contains(&"nav".to_owned()), "{names:?}");
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!text.contains(outside), "{outside}");
        }
        assert!(text.contains("default-src &#39;none&#39;"));
    }
}
