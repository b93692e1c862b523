//! Passwords: argon2id with the parameters that OWASP recommends (19 MiB, two passes, one lane), as PHC strings.

use anyhow::anyhow;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// The fewest characters of a password.
pub const CHARACTERS_MIN: usize = 10;
/// The most bytes: hashing reads all of them.
const BYTES_MAX: usize = 1024;
/// Of a password that nobody has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$RdWz09AwWZIDZ4Qc4dQnIe09Hn7Lk1HVCRvVWzYgZpQ";

/// Why a password is not taken, if it is not.
pub fn objection(user: &str, password: &str) -> Option<String> {
    if password.chars().count() < CHARACTERS_MIN {
        return Some(format!("the password is shorter than {CHARACTERS_MIN} characters"));
    }
    if password.len() > BYTES_MAX {
        return Some(format!("the password is longer than {BYTES_MAX} bytes"));
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 4 || password.eq_ignore_ascii_case(user) {
        return Some("the password is the first that somebody would try".to_owned());
    }
    None
}

/// What is stored of a password. Takes about 20 ms and 19 MiB.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| anyhow!("cannot hash a password: {error}"))?;
    Ok(hash.to_string())
}

/// Whether a password is the one of which `stored` is kept. Without one (an unknown user, or one without a password) it takes as long, so
/// that the time does not tell who there is.
pub(crate) fn is_right(password: &str, stored: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(NOBODY)) else { return false };
    let is_right = password.len() <= BYTES_MAX && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    is_right && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_passes() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(is_right("correct horse battery", Some(&stored)));
        for wrong in ["correct horse batter", "correct horse battery ", "Correct horse battery", ""] {
            assert!(!is_right(wrong, Some(&stored)), "{wrong}");
        }
        assert_ne!(stored, hash("correct horse battery").unwrap(), "salted");
        assert!(!is_right("correct horse battery", None));
        assert!(!is_right("x", Some("not a hash")));
        assert!(PasswordHash::new(NOBODY).is_ok(), "else an unknown user would be told apart by the time");
    }

    #[test]
    fn what_somebody_would_try_first_is_not_taken() {
        for (user, password) in
            [("ann", "short"), ("ann", "aaaaaaaaaaaaaa"), ("ann.the.first", "Ann.The.First"), ("ann", &"x1y2".repeat(300))]
        {
            assert!(objection(user, password).is_some(), "{password}");
        }
        assert_eq!(objection("ann", "correct horse battery"), None);
        assert_eq!(objection("ann", "ünïcödé-øk"), None, "ten characters, more bytes");
    }
}
