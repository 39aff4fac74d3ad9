//! The wall clock is set while frames are captured. Needs a virtual machine: `cargo xtask vm-test`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io,
    ops::RangeInclusive,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use xdpdump_testing::{
    capture::Capture,
    files,
    netns::NetNs,
    vm,
    wire::{self, Wire},
};

const HOUR: i64 = 3600;
/// Largest difference between a recorded time and the clock, in nanoseconds: reading the clocks is slow when every
/// instruction is emulated.
const TOLERANCE: i64 = 10_000_000;
/// Time after which the tool has certainly noticed a step, of which the kernel notifies it at once.
const NOTICED: Duration = Duration::from_millis(500);

/// Nanoseconds since the Unix epoch.
fn wall_clock() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

/// Sets the wall clock forward or back.
fn step_clock(seconds: i64) {
    vm::required();
    let now = wall_clock();
    let time = libc::timespec { tv_sec: now / 1_000_000_000 + seconds, tv_nsec: now % 1_000_000_000 };
    // SAFETY: the pointer refers to one timespec, which outlives the call.
    let result = unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const time) };
    assert_eq!(result, 0, "clock_settime: {}", io::Error::last_os_error());
}

/// Sends a frame, and returns the wall-clock times before and after.
fn send(wire: &Wire) -> RangeInclusive<i64> {
    let before = wall_clock();
    wire.send(&wire::frame(60, b""));
    before..=wall_clock()
}

#[test]
fn a_step_of_the_clock_is_followed_and_leaves_earlier_frames_alone() {
    vm::required();
    let directory = tempfile::tempdir().unwrap();
    for step in [HOUR, -HOUR] {
        let (sender, receiver) = NetNs::quiet_pair("left", "right");
        let path = directory.path().join("step.pcapng");
        let capture = Capture::start(&receiver, ["-i", "right", "-w", path.to_str().unwrap()]);
        let wire = Wire::open(&sender, "left");

        let mut sent = vec![send(&wire)];
        // Longer than it takes to read a frame.
        thread::sleep(Duration::from_millis(500));
        step_clock(step);
        thread::sleep(NOTICED);
        sent.extend([send(&wire), send(&wire)]);
        let ended = capture.stop();
        step_clock(-step);

        assert_eq!(ended.totals().captured, 3);
        let times: Vec<_> = files::read(&path).packets.iter().map(|packet| packet.time).collect();
        for (time, sent) in times.iter().zip(&sent) {
            let allowed = sent.start() - TOLERANCE..=sent.end() + TOLERANCE;
            assert!(allowed.contains(time), "{step} s: sent {sent:?}, recorded {times:?}");
        }
    }
}

/// Simulates a machine that slept: no process ran, monotonic time stood still, and the wall clock went on.
#[test]
fn time_after_a_gap_in_which_no_process_ran_is_right() {
    vm::required();
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gap.pcapng");
    let capture = Capture::start(&receiver, ["-i", "right", "-w", path.to_str().unwrap()]);
    let wire = Wire::open(&sender, "left");

    let before = send(&wire);
    thread::sleep(Duration::from_millis(500));
    capture.signal(libc::SIGSTOP);
    step_clock(8 * HOUR);
    // A frame arrives before the tool runs again.
    let meanwhile = send(&wire);
    capture.signal(libc::SIGCONT);
    thread::sleep(NOTICED);
    let after = send(&wire);
    let ended = capture.stop();
    step_clock(-8 * HOUR);

    assert_eq!(ended.totals().captured, 3);
    let times: Vec<_> = files::read(&path).packets.iter().map(|packet| packet.time).collect();
    assert!(times.is_sorted(), "{times:?}");
    for (time, sent) in times.iter().zip([&before, &meanwhile, &after]) {
        // It cannot be known when in the gap the second frame arrived.
        let first = if sent == &meanwhile { before.start() } else { sent.start() };
        assert!(
            (first - TOLERANCE..=sent.end() + TOLERANCE).contains(time),
            "sent {sent:?}, recorded {times:?}"
        );
    }
}

/// Slews the wall clock at a constant rate until it is dropped.
struct Slew;

impl Slew {
    /// Microseconds that a clock gains in 10 ms of an undisturbed one (`USER_HZ` is 100), and the fewest that the kernel takes
    /// (`timekeeping_validate_timex`, kernel/time/timekeeping.c, v6.18): 100 000 ppm slower.
    const USUAL: i64 = 10_000;
    const SLOWEST: i64 = 9_000;
    /// What that amounts to in a second, the time between two looks of the tool at the clock, in nanoseconds.
    const IN_A_SECOND: i64 = 100_000_000;

    fn backwards() -> Self {
        Self::tick(Self::SLOWEST);
        Self
    }

    fn tick(tick: i64) {
        // SAFETY: the structure consists of integers, for which zero is valid.
        let mut timex: libc::timex = unsafe { std::mem::zeroed() };
        timex.modes = libc::ADJ_TICK;
        timex.tick = tick;
        // SAFETY: the pointer refers to one timex, which outlives the call.
        let result = unsafe { libc::adjtimex(&raw mut timex) };
        assert_ne!(result, -1, "adjtimex: {}", io::Error::last_os_error());
    }
}

impl Drop for Slew {
    fn drop(&mut self) {
        Self::tick(Self::USUAL);
    }
}

/// As fast backwards as the kernel can, also while the reader is away for longer than it usually looks at the clock.
#[test]
fn a_slewed_clock_is_followed_without_a_jump() {
    vm::required();
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("slew.pcapng");
    let capture = Capture::start(&receiver, ["-i", "right", "-w", path.to_str().unwrap()]);
    let wire = Wire::open(&sender, "left");
    let mut sent = Vec::new();
    let mut frames_for = |tenths: u32| {
        for _ in 0..tenths {
            sent.push(send(&wire));
            thread::sleep(Duration::from_millis(100));
        }
    };

    frames_for(10);
    let slew = Slew::backwards();
    frames_for(30);
    capture.signal(libc::SIGSTOP);
    frames_for(50);
    capture.signal(libc::SIGCONT);
    frames_for(20);
    drop(slew);
    frames_for(20);

    assert_eq!(capture.stop().totals().captured, 130);
    let times: Vec<_> = files::read(&path).packets.iter().map(|packet| packet.time).collect();
    assert!(times.is_sorted(), "{times:?}");
    let tolerance = Slew::IN_A_SECOND + TOLERANCE;
    for (number, (time, sent)) in times.iter().zip(&sent).enumerate() {
        let allowed = sent.start() - tolerance..=sent.end() + tolerance;
        assert!(allowed.contains(time), "frame {number}: sent {sent:?}, recorded {time}");
    }
}
