//! Copies frames to the mapped memory.

use core::arch::asm;

use xdpdump_ebpf::{TAG_LEN, TAG_OFFSET};

use crate::{frame::Frame, verifier::bound};

/// Not 0 if the machine loads and stores words at any address at the speed of aligned ones, without which the verifier refuses
/// such accesses. User space sets it before the program is loaded.
#[unsafe(no_mangle)]
static UNALIGNED: u32 = 0;

/// Copies `len` bytes (at least 1) of the frame. Returns whether that succeeded.
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
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    if unsafe { (&raw const UNALIGNED).read_volatile() } == 0 {
        return false;
    }
    // SAFETY: guaranteed by the caller; the lengths are those that `copy_ends` demands.
    unsafe {
        match len {
            32..=64 => copy_ends::<32>(frame, to, len),
            64..=128 => copy_ends::<64>(frame, to, len),
            _ => false,
        }
    }
}

/// Copies the first and the last `N` of `len` bytes, which are all of them. Returns whether they are in the first buffer.
///
/// # Safety
/// `len` is at least `N` and at most `2 * N`, and `len` bytes can be written at `to`.
#[inline(always)]
unsafe fn copy_ends<const N: usize>(frame: impl Frame, to: *mut u8, len: u64) -> bool {
    let (begin, end) = frame.first_buffer();
    let mut last = len - N as u64;
    bound(&mut last, 2 * N as u64 - 1);
    // SAFETY: the accesses are to the frame's first buffer, by the comparison before them, and to what the caller guarantees.
    unsafe {
        // These may be behind the end.
        let from = begin.wrapping_add(last as usize);
        if begin.wrapping_add(N) > end || from.wrapping_add(N) > end {
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

/// Copies `len` bytes (at least 1) of the frame, from `offset` on. Returns whether that succeeded.
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

/// Copies the first `len` bytes of the frame as they are with the tag in its place, and clears the padding. Returns whether that
/// succeeded.
///
/// # Safety
/// 64 KiB can be written at `to`; 16 bytes are, even if `len` is less.
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
