//! Writes frames in place to memory that user space maps.

use core::arch::asm;

use aya_ebpf::{
    helpers::generated::{bpf_get_smp_processor_id, bpf_ktime_get_ns},
    macros::map,
    maps::Array,
};
use xdpdump_ebpf::{
    CpuCounters, TAG_LEN, TAG_OFFSET,
    pcapng::{
        block::{ENHANCED_PACKET, TOTAL_LEN, TRAILER_LEN},
        packet,
    },
    ring::{
        Control, DATA, MARKS, MARKS_AT, MAX_CAPTURE_LEN, Mark, SLACK, SMALL_MARKS,
        block::{self, DROP_COUNT_LEN, END_LEN, FLAGS_LEN, PACKET_ID_LEN, QUEUE_LEN, detail},
    },
};

use crate::{
    copy::{copy, copy_with_tag},
    counters::{self, MMAPABLE, increment_atomically, is_preemptible},
    frame::Frame,
    perf::ring_doorbell,
    selection::{cut, takes},
    snap_len, source,
    verifier::{bound, forget},
};

/// Size of the small ring, or the only one, in bytes minus 1. User space sets it before the program is loaded, together with the
/// map's value size, which includes control page, rings and slack.
#[unsafe(no_mangle)]
static SMALL_MASK: u32 = 0xfff;

/// The same of the large ring. Set like [`SMALL_MASK`].
#[unsafe(no_mangle)]
static LARGE_MASK: u32 = 0xfff;

/// Where the large ring begins, in bytes from the beginning of the first; 0 if there is none. Set like [`SMALL_MASK`].
#[unsafe(no_mangle)]
static LARGE_AT: u32 = 0;

/// Binary logarithm of the length of the rings' sections. Set like [`SMALL_MASK`].
#[unsafe(no_mangle)]
static SECTION_SHIFT: u32 = 17;

/// Not 0 if other CPUs see this CPU's stores in their order, as on x86. Set like [`SMALL_MASK`].
#[unsafe(no_mangle)]
static STORES_IN_ORDER: u32 = 0;

/// Which options records have: a number from [`detail`]. Set like [`SMALL_MASK`].
#[unsafe(no_mangle)]
static DETAIL: u32 = detail::BRIEF;

/// The memory of each CPU, at the CPU's index; a value is longer than its type here.
#[map]
static RINGS: Array<Control> = Array::with_max_entries(1, MMAPABLE);

/// The beginning of a CPU's memory; `None` for a CPU without a ring.
#[inline(always)]
pub fn control(cpu: u32) -> Option<*mut Control> {
    RINGS.get_ptr_mut(cpu)
}

#[inline(always)]
pub fn capture(frame: impl Frame) {
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() } as u32;
    // They always exist; the branch is only for the verifier.
    let Some(counters) = counters::of(cpu) else { return };
    // SAFETY: the pointer is to this CPU's value.
    if !unsafe { takes(frame, counters) } {
        return;
    }
    let Some(control) = control(cpu) else {
        // SAFETY: the pointer is to a map value; the field is aligned.
        unsafe { increment_atomically(&raw mut (*counters).nested) };
        return;
    };
    // On a real-time kernel, or in an interrupt, this may have interrupted a program that was writing another frame.
    // SAFETY: the pointer is to this CPU's value; the field is aligned.
    if unsafe { begin(&raw mut (*control).busy) } {
        // SAFETY: as above.
        unsafe { increment_atomically(&raw mut (*counters).nested) };
        return;
    }
    // SAFETY: the pointers are to this CPU's values, and no other program writes to them until `busy` is 0 again.
    unsafe { record(frame, cpu, control, counters) };
    in_this_order();
    // SAFETY: as above. A plain store is enough: the CPU itself sees its stores in order, and the reader on another CPU, which takes
    // 0 for a sign that everything was shown, sees this store after that of the head.
    unsafe { (&raw mut (*control).busy).write_volatile(0) };
}

/// Marks the ring as being written to; returns whether it was already.
///
/// Only if one program can interrupt another and be interrupted by it in turn does this take an atomic exchange, which would wait
/// until the CPU has completed all earlier stores. Otherwise, what comes between load and store also ends between them, and
/// leaves 0 behind.
///
/// # Safety
/// `busy` is an aligned field of this CPU's value.
#[inline(always)]
unsafe fn begin(busy: *mut u64) -> bool {
    // SAFETY: guaranteed by the caller.
    unsafe {
        if is_preemptible() {
            return exchange(busy, 1) != 0;
        }
        let was_busy = busy.read_volatile() != 0;
        busy.write_volatile(1);
        in_this_order();
        was_busy
    }
}

/// Shows the record before `head` to the reader, only after all of it was written.
///
/// # Safety
/// `at` is the aligned field of this CPU's value that the reader watches.
#[inline(always)]
unsafe fn publish(at: *mut u64, head: u64) {
    in_this_order();
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    if unsafe { (&raw const STORES_IN_ORDER).read_volatile() } != 0 {
        // SAFETY: guaranteed by the caller.
        unsafe { at.write_volatile(head) };
    } else {
        // A full barrier (Documentation/bpf/standardization/instruction-set.rst and the JITs).
        // SAFETY: guaranteed by the caller.
        unsafe { exchange(at, head) };
    }
}

/// Keeps the compiler from moving accesses to memory from one side of this to the other.
#[inline(always)]
fn in_this_order() {
    // SAFETY: no instruction.
    unsafe { asm!("") };
}

/// Writes the record of the frame, if there is room, and shows it to the reader.
///
/// # Safety
/// `control` is the beginning of this CPU's memory, to which nobody else writes, except the reader to its fields.
/// Nobody else writes to `counters`, except to `nested`.
#[inline(always)]
unsafe fn record<F: Frame>(frame: F, cpu: u32, control: *mut Control, counters: *mut CpuCounters) {
    let (frame_len, tag) = (frame.wire_len(), frame.tag());
    // SAFETY: the caller guarantees that nobody else writes to these fields.
    let (sequence, head, failed, losses, lost) = unsafe {
        let sequence = (*control).sequence + 1;
        (*control).sequence = sequence;
        (*counters).matched += 1;
        let failed = (*counters).failed;
        let losses = failed + (&raw const (*counters).nested).read_volatile();
        (sequence, (*control).head, failed, losses, losses - (*counters).reported)
    };
    // SAFETY: guaranteed by the caller.
    let ring = unsafe { choose_ring(control, counters, head) };

    let mut capture_len = u64::from(frame_len.min(snap_len()).min(cut(frame)).min(MAX_CAPTURE_LEN));
    bound(&mut capture_len, u64::from(MAX_CAPTURE_LEN));
    let mut padded_len = (capture_len + 3) & !3;
    bound(&mut padded_len, 0x1_fffc);
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    let detail = unsafe { (&raw const DETAIL).read_volatile() };
    let has_id = detail != detail::LEAN;
    let says_direction = detail == detail::FULL || has_id && F::DIRECTION != packet::INBOUND;
    let (says_queue, queue) = match frame.queue() {
        Some(queue) => (detail == detail::FULL || has_id && queue != 0, queue),
        None => (false, 0),
    };
    let len = |is_present: bool, len: usize| if is_present { len as u64 } else { 0 };
    let options_len = len(says_direction, FLAGS_LEN)
        + len(lost != 0, DROP_COUNT_LEN)
        + len(has_id, PACKET_ID_LEN)
        + len(says_queue, QUEUE_LEN);
    let total_len =
        block::FRAME as u64 + padded_len + options_len + len(options_len != 0, END_LEN) + TRAILER_LEN as u64;

    // Insertion of a tag may write that much behind a short record, before the next one is written there.
    let overhang = len(tag != 0, TAG_OFFSET + TAG_LEN);
    // Arithmetic instead of branches, for the verifier.
    // SAFETY: statics of this program; volatile because user space replaces their values before loading. The fields are only written
    // by this program.
    let (mask, begin, end, position, waiting) = unsafe {
        let small = u64::from((&raw const SMALL_MASK).read_volatile());
        let large = u64::from((&raw const LARGE_MASK).read_volatile());
        let large_at = u64::from((&raw const LARGE_AT).read_volatile());
        let position = (&raw const (*control).at).cast::<u64>().add(ring as usize).read();
        let end = large_at + large.max(small);
        (small + ring * (large - small), ring * large_at, end, position, waiting(control, ring))
    };
    let offset = begin + (position & mask);
    // The last is never so; the verifier of Linux 6.1 does not conclude it.
    if capture_len == 0 || waiting + total_len + overhang > mask + 1 || offset > end {
        // SAFETY: the caller guarantees that nobody else writes to this field.
        unsafe { (*counters).failed = failed + 1 };
        return;
    }

    // SAFETY: the map's value contains control page, rings and slack, so a whole record fits at any offset in a ring,
    // and the check above keeps it off the records that the reader still wants. All offsets are multiples of 4.
    unsafe {
        let at = control.cast::<u8>().add(DATA).add(offset as usize);
        let time = bpf_ktime_get_ns() + (&raw const (*control).offset).read_volatile();
        put(at, 0, ENHANCED_PACKET);
        put(at, TOTAL_LEN, total_len as u32);
        put(at, block::SOURCE, source());
        put(at, block::TIME, (time >> 32) as u32);
        put(at, block::TIME + 4, time as u32);
        put(at, block::CAPTURE_LEN, capture_len as u32);
        put(at, block::FRAME_LEN, frame_len);
        let bytes = at.add(block::FRAME);
        let behind = bytes.add(padded_len as usize);
        let is_copied = if tag == 0 {
            // Clears the padding, together with up to four bytes before it that the copy overwrites.
            put(behind.sub(4), 0, 0);
            copy(frame, bytes, capture_len)
        } else {
            copy_with_tag(frame, tag, bytes, capture_len)
        };
        if !is_copied {
            (*counters).failed = failed + 1;
            return;
        }
        let mut at = behind;
        if says_direction {
            put(at, 0, block::FLAGS);
            put(at, 4, F::DIRECTION);
            at = at.add(FLAGS_LEN);
        }
        if lost != 0 {
            put(at, 0, block::DROP_COUNT);
            put_u64(at, 4, lost);
            at = at.add(DROP_COUNT_LEN);
        }
        if has_id {
            put(at, 0, block::PACKET_ID);
            put_u64(at, 4, (u64::from(cpu) << 48) | sequence);
            at = at.add(PACKET_ID_LEN);
        }
        if says_queue {
            put(at, 0, block::QUEUE);
            put(at, 4, queue);
            at = at.add(QUEUE_LEN);
        }
        if options_len != 0 {
            put(at, 0, 0);
            at = at.add(END_LEN);
        }
        put(at, 0, total_len as u32);

        (*counters).reported = losses;
        let emitted = (*counters).emitted + 1;
        (*counters).emitted = emitted;
        let next = position + total_len;
        mark(control, ring, position, Mark { position: next, emitted });
        (&raw mut (*control).at).cast::<u64>().add(ring as usize).write(next);
        let head = head + total_len;
        publish(&raw mut (*control).head, head);
        // The reader asks to be woken in `wake_at` and then looks at `head` before it sleeps. This store may become visible after
        // this load, so neither may see the other's: therefore the reader looks once more after a moment, and only then sleeps
        // for long.
        let wake_at = (&raw const (*control).wake_at).read_volatile();
        if head >= wake_at && (*control).rung != wake_at {
            (*control).rung = wake_at;
            ring_doorbell(frame);
        }
    }
}

/// Chooses the ring for the next record, 0 or 1: the one that is written to or, if it is time for that, the other.
///
/// # Safety
/// As for [`record`]; `head` is the position of the record.
#[inline(always)]
unsafe fn choose_ring(control: *mut Control, counters: *mut CpuCounters, head: u64) -> u64 {
    // SAFETY: statics of this program; volatile because user space replaces their values before loading.
    let (small, large_at) = unsafe {
        (u64::from((&raw const SMALL_MASK).read_volatile()), (&raw const LARGE_AT).read_volatile())
    };
    // SAFETY: the caller guarantees that nobody else writes to the programs' fields; the reader stores its own as a whole.
    unsafe {
        let mut ring = (&raw const (*control).current).read_volatile();
        bound(&mut ring, 1);
        if large_at != 0 {
            let here = waiting(control, ring);
            // The small ring is left when the longest record would not fit, and the large one as soon as there is so little left in it
            // that the small one will not be full again at once.
            let is_time = if ring == 0 { here + SLACK as u64 > small } else { here <= small / 4 };
            let is_followed = (*control).changed == (&raw const (*control).followed).read_volatile();
            if is_time && is_followed && waiting(control, ring ^ 1) == 0 {
                ring ^= 1;
                (*control).changed = head;
                (*control).changed_emitted = (*counters).emitted;
                (*control).current = ring;
            }
        }
        // The verifier would go through the rest of the program for each ring that it knows.
        forget(&mut ring, head);
        bound(&mut ring, 1);
        ring
    }
}

/// Bytes of records in a ring that the reader still wants.
///
/// # Safety
/// As for [`record`]; `ring` is 0 or 1.
#[inline(always)]
unsafe fn waiting(control: *mut Control, ring: u64) -> u64 {
    // SAFETY: guaranteed by the caller; the reader stores its field as a whole.
    unsafe {
        let at = (&raw const (*control).at).cast::<u64>().add(ring as usize).read();
        at - (&raw const (*control).tail).cast::<u64>().add(ring as usize).read_volatile()
    }
}

/// Marks the next record, if it is the first that begins in its section of the ring.
///
/// # Safety
/// `control` is the beginning of this CPU's memory, and nobody else writes to its marks; `before` is the position of the record
/// before the next one in this ring.
#[inline(always)]
unsafe fn mark(control: *mut Control, ring: u64, before: u64, next: Mark) {
    // SAFETY: statics of this program; volatile because user space replaces their values before loading.
    let (small, large, shift) = unsafe {
        (
            u64::from((&raw const SMALL_MASK).read_volatile()),
            u64::from((&raw const LARGE_MASK).read_volatile()),
            (&raw const SECTION_SHIFT).read_volatile() & 31,
        )
    };
    let section = next.position >> shift;
    if section == before >> shift {
        return;
    }
    let mask = small + ring * (large - small);
    let index = (section & (mask >> shift)) + ring * SMALL_MARKS as u64;
    if index < MARKS as u64 {
        // SAFETY: the index is bounded, and guaranteed by the caller.
        unsafe { control.cast::<u8>().add(MARKS_AT).cast::<Mark>().add(index as usize).write(next) };
    }
}

/// Stores `value` and returns the previous value; a full barrier. (Rust's atomics have no exchange on BPF targets.)
///
/// # Safety
/// `at` is an aligned field of a map value.
#[inline(always)]
unsafe fn exchange(at: *mut u64, value: u64) -> u64 {
    let mut value = value;
    // SAFETY: the caller guarantees that `at` is such a field.
    unsafe { asm!("{value} = xchg_64({at} + 0, {value})", value = inout(reg) value, at = in(reg) at) };
    value
}

/// # Safety
/// Four bytes can be written at `at + offset`, and this address is a multiple of 4.
#[inline(always)]
unsafe fn put(at: *mut u8, offset: usize, word: u32) {
    // SAFETY: guaranteed by the caller.
    unsafe { at.add(offset).cast::<u32>().write(word) };
}

/// # Safety
/// Eight bytes can be written at `at + offset`, and this address is a multiple of 4.
#[inline(always)]
unsafe fn put_u64(at: *mut u8, offset: usize, value: u64) {
    let [a, b, c, d, e, f, g, h] = value.to_ne_bytes();
    // SAFETY: guaranteed by the caller.
    unsafe {
        put(at, offset, u32::from_ne_bytes([a, b, c, d]));
        put(at, offset + 4, u32::from_ne_bytes([e, f, g, h]));
    }
}
