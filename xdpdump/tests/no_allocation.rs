//! Taking a packet allocates nothing.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use xdpdump::{
    output::{self, Format, Precision},
    packet::{Direction, Interface, Meta, Packet, Timestamp},
};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the ones asked for here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the ones asked for here.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the ones asked for here.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The only test here: another one would be counted as well.
#[test]
fn packets_are_written_without_allocating() {
    let meta =
        Meta { direction: Direction::Inbound, queue: Some(1), packet_id: Some(2), verdict: Some(2), lost: 3 };
    let frame = vec![0x5a; 65_000];
    for format in [Format::Pcapng, Format::Pcap] {
        let mut sink = output::open(Path::new("/dev/null"), format, Precision::Nano).unwrap();
        sink.interface(&Interface::default()).unwrap();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        // Many buffers full, with frames of all sizes.
        for number in 0..100_000_u32 {
            let frame = frame.get(..(number % 2000 * (1 + number % 32)) as usize).unwrap();
            let timestamp = Timestamp(number.into());
            let packet = Packet { timestamp, uptime: None, interface: 0, frame, frame_len: 65_000, meta };
            sink.packet(&packet).unwrap();
        }
        sink.flush().unwrap();
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{format:?}");
    }
}
