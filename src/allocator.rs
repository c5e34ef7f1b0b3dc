//! Where memory comes from: small things from mimalloc, large ones from the system.
//!
//! A run over a repository makes and frees millions of small things on all cores, a tenth faster so. A list that grows
//! past all measure, as broken input can make one, is better off with the system: it moves large blocks without a copy,
//! and stays within bounds that a copy would break.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use libmimalloc_sys::{mi_option_set, mi_option_t};
use mimalloc::MiMalloc;

/// The largest size, in bytes, of what is small: from here on glibc maps each block by itself.
const SMALL: usize = 128 * 1024;

/// mimalloc's `mi_option_arena_eager_commit` (3.x): whether memory that is set aside is writable at once. It sets a
/// gibibyte aside, which would then count against a limit on the process's memory (`ulimit -d`) before it is used.
const EAGER_COMMIT: mi_option_t = 4;

/// Whether mimalloc is set up.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The program's allocator.
pub struct Allocator;

#[cold]
fn set_up() {
    // SAFETY: it writes a number to mimalloc's table of options, and whoever else is here writes the same.
    unsafe { mi_option_set(EAGER_COMMIT, 0) };
    IS_READY.store(true, Ordering::Relaxed);
}

/// mimalloc, set up before it gives out the first block.
fn mimalloc() -> MiMalloc {
    if !IS_READY.load(Ordering::Relaxed) {
        set_up();
    }
    MiMalloc
}

fn is_small(layout: Layout) -> bool {
    layout.size() <= SMALL
}

// SAFETY: each block is given back to where it came from. That is told by its size alone, and whoever frees or resizes a
// block states the size with which it was allocated: `GlobalAlloc` asks for that.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match is_small(layout) {
            // SAFETY: the caller's promises are handed on.
            true => unsafe { mimalloc().alloc(layout) },
            // SAFETY: as above.
            false => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match is_small(layout) {
            // SAFETY: as above.
            true => unsafe { mimalloc().alloc_zeroed(layout) },
            // SAFETY: as above.
            false => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match is_small(layout) {
            // SAFETY: a small block came from there.
            true => unsafe { MiMalloc.dealloc(block, layout) },
            // SAFETY: a large one from there.
            false => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the alignment is a layout's, and the caller promises that the size doesn't overflow with it.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (is_small(layout), is_small(new)) {
            // SAFETY: it came from there, and stays there.
            (true, true) => unsafe { MiMalloc.realloc(block, layout, size) },
            // SAFETY: as above.
            (false, false) => unsafe { System.realloc(block, layout, size) },
            // SAFETY: the new block is another one, and both hold the bytes that are copied. Where there is no new
            // block the old one stays as it is.
            _ => unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                moved
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grows and shrinks over the border, and keeps what is in it.
    #[test]
    fn a_block_keeps_its_bytes_wherever_it_moves() {
        let sizes = [
            1,
            64,
            SMALL - 1,
            SMALL,
            SMALL + 1,
            4 * SMALL,
            SMALL + 1,
            SMALL,
            3,
            5 * SMALL,
        ];
        let of = |size| Layout::from_size_align(size, 8).expect("a layout");
        let pattern = |at: usize| (at % 251) as u8;
        let mut layout = of(1);
        // SAFETY: the layout is not empty.
        let mut block = unsafe { Allocator.alloc_zeroed(layout) };
        assert!(!block.is_null());
        // SAFETY: the block has one byte, which is zero, and `pattern(0)` is.
        assert_eq!(unsafe { *block }, pattern(0));
        for size in sizes {
            // SAFETY: `block` has that layout.
            block = unsafe { Allocator.realloc(block, layout, size) };
            assert!(!block.is_null());
            let kept = layout.size().min(size);
            layout = of(size);
            // SAFETY: the block has so many bytes; those that were there before are written.
            let bytes = unsafe {
                block.add(kept).write_bytes(0, size - kept);
                std::slice::from_raw_parts_mut(block, size)
            };
            let are_kept = bytes
                .iter()
                .take(kept)
                .enumerate()
                .all(|(at, byte)| *byte == pattern(at));
            assert!(are_kept, "{size}");
            bytes
                .iter_mut()
                .enumerate()
                .for_each(|(at, byte)| *byte = pattern(at));
        }
        // SAFETY: as above.
        unsafe { Allocator.dealloc(block, layout) };
    }
}
