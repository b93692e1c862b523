//! Pages for people: charts and tables of what stages found, in one HTML file that needs nothing else.
//!
//! ```text
//! outputs, records -> sections: charts (SVG), tables, words -> Page -> text
//! ```
//! All of it is pure: typed data in, [`Markup`](markup::Markup) out. Writing files is for those who call.
//!
//! | module | what it is for |
//! |---|---|
//! | [`data`] | what stages returned, as far as it is shown |
//! | [`sections`] | drift, evaluation, models, training |
//! | [`markup`] | elements and text, escaped by construction |
//! | [`chart`] | bars, lines, rows against a threshold, timelines, graphs |
//! | [`parts`] | tables, tiles, remarks, figures with their values |
//! | [`page`] | the file: style sheet, contents, sections |
//! | [`number`] | numbers as people read them |

pub mod chart;
pub mod data;
pub mod markup;
pub mod number;
pub mod page;
pub mod parts;
pub mod sections;

#[cfg(test)]
pub(crate) mod well_formed;

pub use page::{Page, Section};
