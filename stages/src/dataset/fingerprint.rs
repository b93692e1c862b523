//! What a dataset contains, as a hash: the same rows give the same fingerprint, however and in whatever order they arrived,
//! whatever the compression, the number of files, or whether the rating is stored as an integer or a float.
//!
//! A partition's fingerprint is BLAKE3 over its sorted rows, column by column; a dataset's is BLAKE3 over its partitions'. So
//! a publisher that changes one month hashes one month.

use blake3::Hasher;

use super::partition::Partition;
use super::row::Line;

/// Rows hashed at a time.
const CHUNK_ROWS: usize = 4096;

/// The fingerprint of sorted rows, as 64 hexadecimal digits.
pub(super) fn of_rows<L: Line>(rows: &[L]) -> String {
    let mut hasher = Hasher::new();
    hash_column(&mut hasher, rows, |line| line.movie().to_le_bytes());
    hash_column(&mut hasher, rows, |line| line.user().to_le_bytes());
    hash_column(&mut hasher, rows, |line| line.rating().to_bits().to_le_bytes());
    hash_column(&mut hasher, rows, |line| line.date().to_le_bytes());
    hasher.finalize().to_hex().to_string()
}

fn hash_column<L: Line>(hasher: &mut Hasher, rows: &[L], value: impl Fn(L) -> [u8; 4]) {
    let mut buffer = [[0; 4]; CHUNK_ROWS];
    for chunk in rows.chunks(CHUNK_ROWS) {
        buffer.iter_mut().zip(chunk).for_each(|(bytes, &line)| *bytes = value(line));
        hasher.update(buffer[..chunk.len()].as_flattened());
    }
}

/// The fingerprint of a dataset from the fingerprints and row counts of its partitions, in order of time. Partitions without
/// rows do not count.
pub(super) fn of_partitions<'a>(partitions: impl IntoIterator<Item = (Partition, u64, &'a str)>) -> String {
    let mut hasher = Hasher::new();
    for (partition, rows, fingerprint) in partitions {
        if rows > 0 {
            hasher.update(&partition.year.to_le_bytes());
            hasher.update(&partition.month.to_le_bytes());
            hasher.update(&rows.to_le_bytes());
            hasher.update(fingerprint.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::row::Row;
    use super::*;

    #[test]
    fn a_changed_value_in_any_column_changes_the_fingerprint() {
        let base = of_rows(&[Row::new(1, 2, 3.0, 4)]);
        for other in [Row::new(9, 2, 3.0, 4), Row::new(1, 9, 3.0, 4), Row::new(1, 2, 9.0, 4), Row::new(1, 2, 3.0, 9)] {
            assert_ne!(of_rows(&[other]), base);
        }
        assert_eq!(of_rows(&[Row::new(1, 2, 3.0, 4)]), base);
    }

    #[test]
    fn an_empty_partition_does_not_count() {
        let month = |month| Partition { year: 2005, month };
        assert_eq!(of_partitions([(month(1), 1, "a"), (month(2), 0, "b")]), of_partitions([(month(1), 1, "a")]));
        assert_ne!(of_partitions([(month(1), 1, "a")]), of_partitions([(month(2), 1, "a")]));
    }
}
