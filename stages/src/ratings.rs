//! Ratings as columns in memory.

/// Ratings in four parallel columns, one row a rating. All four have the same length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ratings {
    /// `MOVIE_ID`: item identifiers as they stand in the data, not dense.
    pub movie: Vec<i32>,
    /// `CUST_ID`: user identifiers as they stand in the data, not dense.
    pub user: Vec<i32>,
    /// `RATING` in stars; whole or half.
    pub rating: Vec<f32>,
    /// `DATE` in days since 1970-01-01.
    pub date: Vec<i32>,
}

impl Ratings {
    /// No rows, with room for `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            movie: Vec::with_capacity(rows),
            user: Vec::with_capacity(rows),
            rating: Vec::with_capacity(rows),
            date: Vec::with_capacity(rows),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        debug_assert!(self.movie.len() == self.user.len() && self.user.len() == self.rating.len() && self.rating.len() == self.date.len());
        self.movie.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.movie.is_empty()
    }

    /// Adds one row.
    pub fn push(&mut self, movie: i32, user: i32, rating: f32, date: i32) {
        self.movie.push(movie);
        self.user.push(user);
        self.rating.push(rating);
        self.date.push(date);
    }

    /// Adds all rows of `other`.
    pub fn append(&mut self, other: &mut Ratings) {
        self.movie.append(&mut other.movie);
        self.user.append(&mut other.user);
        self.rating.append(&mut other.rating);
        self.date.append(&mut other.date);
    }
}
