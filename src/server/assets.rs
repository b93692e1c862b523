//! The pages: files of `ui/dist`, which `ui/` builds and which are committed, so that building recflow needs no Node.js. They are in the
//! binary; names are fixed and contents revalidated by their entity tag.
//!
//! The login page and its two files are open (see [`super::auth`]); everything else, the application included, is for who is signed in.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Api;
use super::api::enter::{is_known, tag};

/// A file, its media type and its content.
type Asset = (&'static str, &'static str, &'static [u8]);

macro_rules! asset {
    ($path:literal, $media:literal) => {
        ($path, $media, include_bytes!(concat!("../../ui/dist", $path)))
    };
}

const INDEX: Asset = asset!("/index.html", "text/html; charset=utf-8");
const LOGIN: Asset = asset!("/login.html", "text/html; charset=utf-8");
/// Served at their own paths.
const FILES: &[Asset] = &[
    asset!("/assets/app.css", "text/css; charset=utf-8"),
    asset!("/assets/app.js", "text/javascript; charset=utf-8"),
    asset!("/assets/icon.svg", "image/svg+xml"),
    asset!("/assets/login.css", "text/css; charset=utf-8"),
    asset!("/assets/login.js", "text/javascript; charset=utf-8"),
];

/// The first segments of the application's own addresses; what comes behind one is the application's business.
const PAGES: &[&str] = &["pipelines", "runs", "models", "drift", "data", "reports", "system", "account"];

pub(super) fn router() -> Router<Arc<Api>> {
    let mut router = Router::new().route("/", page(INDEX)).route("/login", page(LOGIN));
    for file in FILES {
        router = router.route(file.0, page(*file));
    }
    for first in PAGES {
        router = router.route(&format!("/{first}"), page(INDEX)).route(&format!("/{first}/{{*rest}}"), page(INDEX));
    }
    router
}

fn page((_, media, content): Asset) -> axum::routing::MethodRouter<Arc<Api>> {
    let tag: Arc<str> = tag(content).into();
    get(move |headers: HeaderMap| {
        let tag = tag.clone();
        async move { answer(&headers, media, content, &tag) }
    })
}

fn answer(headers: &HeaderMap, media: &'static str, content: &'static [u8], tag: &str) -> Response {
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| is_known(known, tag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.to_owned())]).into_response();
    }
    ([(header::CONTENT_TYPE, media.to_owned()), (header::ETAG, tag.to_owned())], content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that the build adds must be served, too.
    #[test]
    fn every_file_of_the_build_is_in_the_binary() {
        let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/dist");
        let names = |folder: &str| -> Vec<String> {
            let entries = std::fs::read_dir(dist.join(folder)).unwrap().map(|entry| entry.unwrap());
            let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
            files.map(|entry| format!("/{folder}{}", entry.file_name().to_string_lossy())).collect()
        };
        let mut built = [names(""), names("assets/")].concat();
        built.sort();
        let mut served: Vec<&str> = FILES.iter().chain([&INDEX, &LOGIN]).map(|(path, ..)| *path).collect();
        served.sort_unstable();
        assert_eq!(built, served);
    }

    /// The content security policy would stop it in the browser; this says so earlier.
    #[test]
    fn no_page_has_an_inline_script_or_asks_another_host() {
        for (path, _, content) in [INDEX, LOGIN] {
            let text = std::str::from_utf8(content).unwrap();
            for script in text.split("<script").skip(1) {
                let (attributes, body) = script.split_once('>').unwrap();
                assert!(attributes.contains("src=\"/") && body.trim_start().starts_with("</script>"), "{path}: {script}");
            }
            let is_handler = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_lowercase()).starts_with('=');
            assert!(!text.split(" on").skip(1).any(is_handler), "{path} has an inline handler");
            assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains("://"), "{path}");
        }
    }
}
