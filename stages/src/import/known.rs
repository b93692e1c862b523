//! Column names and what they mean.

/// What a column may be to a rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Who rated.
    User,
    /// What was rated.
    Item,
    /// How.
    Rating,
    /// When.
    Time,
}

impl Role {
    /// In the order of the cells of a row.
    pub(super) const ALL: [Role; 4] = [Role::User, Role::Item, Role::Rating, Role::Time];

    /// The key in `columns`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Item => "item",
            Role::Rating => "rating",
            Role::Time => "time",
        }
    }

    /// Names that such columns have, the surest first, as [`plain`] writes them.
    fn names(self) -> &'static [&'static str] {
        match self {
            Role::User => &[
                "user",
                "userid",
                "custid",
                "customerid",
                "reviewerid",
                "memberid",
                "accountid",
                "visitorid",
                "uid",
                "customer",
                "reviewer",
            ],
            Role::Item => &[
                "item",
                "itemid",
                "movie",
                "movieid",
                "book",
                "bookid",
                "isbn",
                "anime",
                "animeid",
                "asin",
                "product",
                "productid",
                "song",
                "songid",
                "track",
                "trackid",
                "artistid",
                "gameid",
                "appid",
                "recipeid",
                "businessid",
                "placeid",
                "parentasin",
                "iid",
                "jokeid",
            ],
            Role::Rating => {
                &["rating", "ratings", "stars", "score", "overall", "bookrating", "userrating", "reviewscore", "myscore", "rate"]
            }
            Role::Time => {
                &["timestamp", "unixreviewtime", "time", "datetime", "date", "ratedat", "createdat", "reviewdate", "unixtimestamp"]
            }
        }
    }
}

/// A column's name without what people write differently: case, `_`, `-`, `.`, blanks.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The column of `names` that has the role: the one with the surest name.
pub(super) fn find(role: Role, names: &[String]) -> Option<usize> {
    let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
    role.names().iter().find_map(|known| plain.iter().position(|name| name == known))
}

/// The name that `wrong` was perhaps meant to be: at most two letters away, or the same but for case and punctuation.
pub(super) fn did_you_mean<'a>(wrong: &str, names: &'a [String]) -> Option<&'a str> {
    let wrong = plain(wrong);
    let nearest = names.iter().map(|name| (distance(&wrong, &plain(name)), name)).min_by_key(|(distance, _)| *distance)?;
    (nearest.0 <= 2 && nearest.0 < wrong.chars().count()).then_some(nearest.1)
}

/// Levenshtein's distance: insertions, deletions and replacements.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        line.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_known_by_their_names_whatever_the_case_and_punctuation() {
        for (line, expected) in [
            ("userId,movieId,rating,timestamp", [Some(0), Some(1), Some(2), Some(3)]),
            ("User-ID;ISBN;Book-Rating", [None; 4]),
            ("User-ID,ISBN,Book-Rating", [Some(0), Some(1), Some(2), None]),
            ("MOVIE_ID,CUST_ID,RATING,DATE", [Some(1), Some(0), Some(2), Some(3)]),
            ("reviewerID,asin,overall,unixReviewTime,reviewTime", [Some(0), Some(1), Some(2), Some(3)]),
            ("id,name", [None; 4]),
        ] {
            assert_eq!(Role::ALL.map(|role| find(role, &names(line))), expected, "{line}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let names = names("userId,movieId,rating");
        assert_eq!(did_you_mean("user_id", &names), Some("userId"));
        assert_eq!(did_you_mean("raitng", &names), Some("rating"));
        assert_eq!(did_you_mean("price", &names), None);
        assert_eq!(did_you_mean("x", &names), None);
    }
}
