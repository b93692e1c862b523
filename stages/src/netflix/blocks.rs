//! Where to cut the text: at newlines, so that no line lies in two blocks.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::line::{Movie, header};

/// Consecutive ranges that cover `text`. Each but the last ends behind a newline; each is at least
/// `block_bytes` long, or as much longer as its last line needs.
pub(super) fn cut(text: &[u8], block_bytes: usize) -> Vec<Range<usize>> {
    let mut blocks = Vec::with_capacity(text.len() / block_bytes.max(1) + 1);
    let mut start = 0;
    while start < text.len() {
        let least = start.saturating_add(block_bytes.max(1) - 1);
        let end = text.get(least..).and_then(|rest| memchr(b'\n', rest)).map_or(text.len(), |newline| least + newline + 1);
        blocks.push(start..end);
        start = end;
    }
    blocks
}

/// The movie that holds behind `block`, if there is a header in it.
///
/// Good rows hold no colon, so this is one backward search for a byte, not a parse: it costs a small part of what parsing does.
pub(super) fn last_header(block: &[u8]) -> Option<Movie> {
    let mut end = block.len();
    while let Some(colon) = memrchr(b':', &block[..end]) {
        let line_start = memrchr(b'\n', &block[..colon]).map_or(0, |newline| newline + 1);
        let line_end = memchr(b'\n', &block[colon..]).map_or(block.len(), |newline| colon + newline);
        if let Some(movie) = header(block[line_start..line_end].trim_ascii()) {
            return Some(movie);
        }
        end = line_start;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_header_is_found_behind_lines_that_only_hold_a_colon() {
        assert_eq!(last_header(b"8:\n9:\n1,3,2005-01-01T00:00:00\n"), Some(Movie::Known(9)));
        assert_eq!(last_header(b"8:\r\nx:\r\n1,2,3"), Some(Movie::Unreadable));
        assert_eq!(last_header(b"1,3,a:b\n1,3,2005-01-01"), None);
        assert_eq!(last_header(b""), None);
    }

    proptest! {
        #[test]
        fn blocks_cover_the_text_and_end_at_newlines(text in "[ab\n]{0,80}", block_bytes in 0..20_usize) {
            let blocks = cut(text.as_bytes(), block_bytes);
            let joined: Vec<u8> = blocks.iter().flat_map(|block| text.as_bytes()[block.clone()].to_vec()).collect();
            prop_assert_eq!(joined, text.as_bytes());
            for (index, block) in blocks.iter().enumerate() {
                prop_assert!(index + 1 == blocks.len() || text.as_bytes()[block.end - 1] == b'\n');
            }
        }
    }
}
