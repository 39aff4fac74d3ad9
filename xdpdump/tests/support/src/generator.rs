//! Sends millions of numbered frames per second without a NIC: the kernel repeatedly runs an XDP program that writes a
//! number into a frame and redirects it (`BPF_PROG_RUN` with live frames, Linux 5.18). On older kernels the frames are sent
//! through a socket.
//!
//! The other end of the veth pair must have a native XDP program, or GRO switched on; otherwise the kernel drops every
//! frame.

use std::{
    os::fd::OwnedFd,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    bpf::{self, BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_PROG_TEST_RUN, Instruction, Run},
    kernel,
    wire::Wire,
};

const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_F_TEST_XDP_LIVE_FRAMES: u32 = 1 << 1;
/// Number of frames that the kernel redirects at once; a veth queue holds 256.
const BATCH: u32 = 64;
/// Interval at which paced frames are sent.
const PACE: Duration = Duration::from_millis(1);

/// Sends copies of one frame whose last 8 bytes are replaced by the frame's number: 0, 1, 2 … in the machine's byte order.
#[derive(Debug)]
pub struct Generator {
    live: Option<Live>,
    frame: Vec<u8>,
    interface_index: u32,
    /// Which frames differ from `frame`, if any.
    exception: Option<Exception>,
    /// Number of frames sent through a socket, on a kernel without live frames.
    sent_by_socket: AtomicU64,
}

/// How some of the frames differ from the others.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    /// Frames whose number is a multiple of this are different.
    pub every: u32,
    /// The byte that is different, not one of the last 8.
    pub at: u16,
    /// Its value in those frames.
    pub byte: u8,
}

/// The members of `union bpf_attr` that `BPF_MAP_CREATE` needs here.
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
}

/// The members of `union bpf_attr` that `BPF_MAP_LOOKUP_ELEM` needs here.
#[repr(C)]
struct Lookup {
    map: u32,
    padding: u32,
    key: u64,
    value: u64,
}

impl Generator {
    /// Prepares to send copies of `frame` out of the interface with this index. The frame has at least 22 bytes, and at
    /// most what a page holds besides headroom, about 3500.
    pub fn new(interface_index: u32, frame: Vec<u8>) -> Self {
        Self::with(interface_index, frame, &[], None)
    }

    /// Like [`Generator::new`], but with a delay of 1 to 2 µs before each live frame, so that slower readers can keep up.
    pub fn unhurried(interface_index: u32, frame: Vec<u8>) -> Self {
        // r7 = r1; r6 = 60; do { bpf_ktime_get_ns() } while --r6 != 0; r1 = r7
        let delay = [
            Instruction(0xbf, 0x17, 0, 0),
            Instruction(0xb7, 0x06, 0, 60),
            Instruction(0x85, 0, 0, 5),
            Instruction(0x17, 0x06, 0, 1),
            Instruction(0x55, 0x06, -3, 0),
            Instruction(0xbf, 0x71, 0, 0),
        ];
        Self::with(interface_index, frame, &delay, None)
    }

    /// Like [`Generator::new`], but some frames are different.
    pub fn with_exception(interface_index: u32, frame: Vec<u8>, exception: Exception) -> Self {
        Self::with(interface_index, frame, &[], Some(exception))
    }

    fn with(
        interface_index: u32,
        frame: Vec<u8>,
        delay: &[Instruction],
        exception: Option<Exception>,
    ) -> Self {
        let load = || Live::load(interface_index, &frame, delay, exception);
        let live = kernel::has_multi_buffer().then(load);
        Self { live, frame, interface_index, exception, sent_by_socket: AtomicU64::new(0) }
    }

    /// Sends `count` frames as fast as the kernel can. Call it in the interface's namespace.
    pub fn send(&self, count: u32) {
        match &self.live {
            Some(live) => live.send(&self.frame, count),
            None => self.send_by_socket(count),
        }
    }

    fn send_by_socket(&self, count: u32) {
        let wire = Wire::open_here(self.interface_index);
        let mut frame = self.frame.clone();
        for _ in 0..count {
            let number = self.sent_by_socket.fetch_add(1, Ordering::Relaxed);
            *frame.last_chunk_mut().unwrap() = number.to_ne_bytes();
            if let Some(Exception { every, at, byte }) = self.exception {
                let at = usize::from(at);
                frame[at] = if number.is_multiple_of(every.into()) { byte } else { self.frame[at] };
            }
            while let Err(error) = wire.try_send(&frame) {
                // As with live frames, it is not an error if the interface is gone.
                if error.raw_os_error() != Some(libc::ENOBUFS) {
                    return;
                }
                thread::yield_now();
            }
        }
    }

    /// Sends frames at a steady pace for some time, and catches up after a delay. Call it in the interface's namespace.
    pub fn send_paced(&self, per_second: u32, time: Duration) {
        let start = Instant::now();
        let mut sent = 0;
        loop {
            let elapsed = start.elapsed().min(time);
            let due = (elapsed.as_micros() * u128::from(per_second) / 1_000_000) as u32;
            if due > sent {
                self.send(due - sent);
                sent = due;
            }
            if elapsed == time {
                return;
            }
            thread::sleep(PACE);
        }
    }

    /// Number of frames sent so far.
    pub fn sent(&self) -> u64 {
        self.live.as_ref().map_or_else(|| self.sent_by_socket.load(Ordering::Relaxed), Live::sent)
    }

    /// How many of the frames numbered so far were different.
    pub fn exceptions(&self) -> u64 {
        self.exception.map_or(0, |exception| self.sent().div_ceil(exception.every.into()))
    }
}

/// The program, and the map that counts the frames it sent. Kernels with multi-buffer XDP have live frames.
#[derive(Debug)]
struct Live {
    program: OwnedFd,
    counter: OwnedFd,
}

impl Live {
    fn load(interface_index: u32, frame: &[u8], delay: &[Instruction], exception: Option<Exception>) -> Self {
        let create = MapCreate { map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 8, max_entries: 1 };
        // SAFETY: the command reads no pointers.
        let counter = bpf::descriptor(unsafe { bpf::bpf(BPF_MAP_CREATE, &create) }.unwrap());
        let len = i16::try_from(frame.len()).unwrap();
        // r1 = r5 % every; r4 = byte of the others; if r1 == 0 { r4 = byte }; frame[at] = r4. It is always
        // written, because the kernel reuses pages with what the last frame left in them.
        let except = exception.map_or_else(Vec::new, |Exception { every, at, byte }| {
            let others = frame[usize::from(at)];
            vec![
                Instruction(0xbf, 0x51, 0, 0),
                Instruction(0x97, 0x01, 0, every.cast_signed()),
                Instruction(0xb7, 0x04, 0, others.into()),
                Instruction(0x55, 0x01, 1, 0),
                Instruction(0xb7, 0x04, 0, byte.into()),
                Instruction(0x73, 0x42, at.cast_signed(), 0),
            ]
        });
        let behind = 8 + i16::try_from(except.len()).unwrap();
        let number = [
            // r2 = frame, r3 = its end; if there is no room for the number: return XDP_ABORTED
            Instruction(0x61, 0x12, 0, 0),
            Instruction(0x61, 0x13, 4, 0),
            Instruction(0xbf, 0x24, 0, 0),
            Instruction(0x07, 0x04, 0, len.into()),
            Instruction(0xb7, 0x00, 0, 0),
            Instruction(0x2d, 0x34, behind, 0),
            // r1 = counter; r5 = (*r1)++, atomically; number = r5
            Instruction(0x18, 0x21, 0, bpf::number(&counter).cast_signed()),
            Instruction(0, 0, 0, 0),
            Instruction(0xb7, 0x05, 0, 1),
            Instruction(0xdb, 0x51, 0, 1),
            Instruction(0x7b, 0x52, len - 8, 0),
        ];
        let send = [
            // return bpf_redirect(interface, 0)
            Instruction(0xb7, 0x01, 0, interface_index.cast_signed()),
            Instruction(0xb7, 0x02, 0, 0),
            Instruction(0x85, 0, 0, 23),
            Instruction(0x95, 0, 0, 0),
        ];
        let program = bpf::load_xdp("generator", &[delay, &number, &except, &send].concat());
        Self { program, counter }
    }

    fn send(&self, frame: &[u8], count: u32) {
        let run = Run {
            program: bpf::number(&self.program),
            frame_len: frame.len() as u32,
            frame: frame.as_ptr().expose_provenance() as u64,
            repeat: count,
            flags: BPF_F_TEST_XDP_LIVE_FRAMES,
            batch: BATCH,
            ..Run::default()
        };
        // SAFETY: the command reads the frame, which outlives the call, and writes only to `run`, which is not read again.
        unsafe { bpf::bpf(BPF_PROG_TEST_RUN, &run) }.unwrap();
    }

    fn sent(&self) -> u64 {
        let (key, mut count) = (0u32, 0u64);
        let lookup = Lookup {
            map: bpf::number(&self.counter),
            padding: 0,
            key: (&raw const key).expose_provenance() as u64,
            value: (&raw mut count).expose_provenance() as u64,
        };
        // SAFETY: the command reads the 4 bytes of the key and writes the 8 bytes of the count.
        unsafe { bpf::bpf(BPF_MAP_LOOKUP_ELEM, &lookup) }.unwrap();
        count
    }
}

/// The number in a frame that a generator sent.
pub fn number(frame: &[u8]) -> u64 {
    u64::from_ne_bytes(*frame.last_chunk().unwrap())
}
