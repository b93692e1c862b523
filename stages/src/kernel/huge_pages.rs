//! Large buffers that are read or written all over the place: on pages of 2 MiB where the system has them.
//!
//! A gather from 100 MB of factors, or the scatter of a counting sort, touches another 4 KiB page with nearly every access, far more than the processor keeps
//! addresses of; each access then also waits for the page table. Linux uses large pages for memory that asks for them
//! (`transparent_hugepage` is `madvise` in most distributions). It is a wish: where it is not granted nothing changes but the time.

/// Smaller buffers stay as they are: a page too many would cost more than it saves.
const BYTES_MIN: usize = 4 << 20;

/// `count` times `value`, on large pages if that is worth it.
pub(crate) fn filled<T: Clone>(value: T, count: usize) -> Vec<T> {
    let mut buffer = Vec::with_capacity(count);
    // Before the memory is touched for the first time: that is when the system picks the pages.
    advise(&buffer);
    buffer.resize(count, value);
    buffer
}

#[cfg(target_os = "linux")]
fn advise<T>(buffer: &Vec<T>) {
    const PAGE: usize = 4096;
    let (start, bytes) = (buffer.as_ptr().addr(), buffer.capacity() * size_of::<T>());
    if bytes < BYTES_MIN {
        return;
    }
    let skipped = start.next_multiple_of(PAGE) - start;
    // SAFETY: whole pages inside an allocation that `buffer` owns, up to alignment at its end; the advice changes nothing that can be read.
    unsafe {
        let at = buffer.as_ptr().cast::<u8>().cast_mut().add(skipped).cast();
        libc::madvise(at, (bytes - skipped) / PAGE * PAGE, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn advise<T>(_: &Vec<T>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_any_size_holds_the_value_everywhere() {
        for count in [0, 1, 1000, BYTES_MIN / 4 + 1, 3_000_001] {
            let buffer = filled(7_u32, count);
            assert!(buffer.len() == count && buffer.iter().all(|&value| value == 7));
        }
    }
}
