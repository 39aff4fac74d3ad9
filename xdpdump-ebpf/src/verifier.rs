//! What the verifier is to know about a value, and what it is not.

use core::arch::asm;

/// `value & mask`, which the compiler would otherwise omit where it can prove a bound that the verifier cannot.
#[inline(always)]
pub fn bound(value: &mut u64, mask: u64) {
    // SAFETY: one instruction that uses only registers.
    unsafe { asm!("{value} &= {mask}", value = inout(reg) *value, mask = in(reg) mask) };
}

/// Makes the verifier forget what it knows of `value`, with the help of `unknown`, of which it knows nothing.
#[inline(always)]
pub fn forget(value: &mut u64, unknown: u64) {
    // SAFETY: two instructions that use only registers.
    unsafe {
        asm!("{value} += {unknown}", "{value} -= {unknown}", value = inout(reg) *value, unknown = in(reg) unknown)
    };
}
