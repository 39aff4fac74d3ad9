//! Copies frames to the mapped memory.

use core::arch::asm;

use xdpdump_ebpf::{TAG_LEN, TAG_OFFSET};

use crate::{frame::Frame, verifier::bound};

/// Bytes of a cache line.
const LINE: u64 = 64;

/// Not 0 if the machine loads and stores words at any address at the speed of aligned ones, without which the verifier refuses
/// such accesses. User space sets it before the program is loaded.
#[unsafe(no_mangle)]
static UNALIGNED: u32 = 0;

/// Copies `len` bytes (at least 1) of the frame.
///
/// # Safety
/// 64 KiB can be written at `to`.
#[inline(always)]
pub unsafe fn copy(frame: impl Frame, to: *mut u8, len: u64) -> bool {
    // SAFETY: guaranteed by the caller.
    unsafe { copy_short(frame, to, len) || load(frame, 0, to, len) }
}

/// Copies `len` bytes of the frame without the helper's call, which costs more than the bytes of a short frame: 32 to 128, if
/// they are in the frame's first buffer. Returns whether it did.
///
/// # Safety
/// `len` bytes can be written at `to`.
#[inline(always)]
unsafe fn copy_short(frame: impl Frame, to: *mut u8, len: u64) -> bool {
    const HALF: u64 = LINE / 2;
    const LONGEST: u64 = LINE * 2;
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    if unsafe { (&raw const UNALIGNED).read_volatile() } == 0 {
        return false;
    }
    // SAFETY: guaranteed by the caller.
    unsafe {
        match len {
            HALF..=LINE => copy_ends::<{ HALF as usize }>(frame, to, len),
            LINE..=LONGEST => copy_ends::<{ LINE as usize }>(frame, to, len),
            _ => false,
        }
    }
}

/// Copies the first and the last `N` of `len` bytes, which are all if `len` is between `N` and `2 * N`.
///
/// # Safety
/// `len` bytes can be written at `to`.
#[inline(always)]
unsafe fn copy_ends<const N: usize>(frame: impl Frame, to: *mut u8, len: u64) -> bool {
    let (begin, end) = frame.first_buffer();
    let mut last = len - N as u64;
    bound(&mut last, 2 * N as u64 - 1);
    // SAFETY: the accesses are to the frame's first buffer, by the comparison before them, and to what the caller guarantees.
    unsafe {
        let from = begin.add(last as usize);
        if begin.add(N) > end || from.add(N) > end {
            return false;
        }
        copy_words::<N>(begin, to);
        copy_words::<N>(from, to.add(last as usize));
    }
    true
}

/// Copies `N` bytes, a multiple of 8, between any addresses.
///
/// # Safety
/// `N` bytes can be read and written.
#[inline(always)]
unsafe fn copy_words<const N: usize>(from: *const u8, to: *mut u8) {
    let mut at = 0;
    while at < N {
        // From Rust, the compiler would access single bytes, since it takes unaligned words for impossible.
        // SAFETY: guaranteed by the caller.
        unsafe {
            asm!(
                "{word} = *(u64 *)({from} + 0)",
                "*(u64 *)({to} + 0) = {word}",
                from = in(reg) from.add(at),
                to = in(reg) to.add(at),
                word = out(reg) _,
            );
        }
        at += 8;
    }
}

/// Copies `len` bytes (at least 1) of the frame, from `offset` on.
///
/// # Safety
/// 64 KiB can be written at `to`.
#[inline(always)]
unsafe fn load(frame: impl Frame, offset: usize, to: *mut u8, len: u64) -> bool {
    // The verifier must know that the helper's length argument is neither 0 nor too large. It is not 0 here, but before
    // Linux 6.8 the verifier learns nothing from a comparison with 0.
    let mut len = len - 1;
    bound(&mut len, 0xffff);
    // SAFETY: the caller guarantees the memory.
    unsafe { frame.load(offset as u32, to, len as u32 + 1) }
}

/// Copies the first `len` bytes of the frame as they are with the tag in its place, and clears the padding.
///
/// # Safety
/// 64 KiB can be written at `to`, and nobody reads the first 16 bytes, whatever `len` is.
#[inline(always)]
pub unsafe fn copy_with_tag(frame: impl Frame, tag: u32, to: *mut u8, len: u64) -> bool {
    const BEHIND: usize = TAG_OFFSET + TAG_LEN;
    // SAFETY: the caller guarantees the memory.
    unsafe {
        if len > BEHIND as u64 && !load(frame, TAG_OFFSET, to.add(BEHIND), len - BEHIND as u64) {
            return false;
        }
        if !frame.load(0, to, TAG_OFFSET as u32) {
            return false;
        }
        to.add(TAG_OFFSET).cast::<u32>().write(tag);
        if len & 3 != 0 {
            let mut begin = len & !3;
            bound(&mut begin, 0xfffc);
            let last = to.add(begin as usize).cast::<u32>();
            last.write((u32::from_le(last.read()) & ((1 << (8 * (len & 3))) - 1)).to_le());
        }
    }
    true
}
