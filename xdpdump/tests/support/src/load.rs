//! Keeps sending frames during an action, and reads an interface's counters.

use std::{
    mem,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{generator::Generator, netns::NetNs, wait, wire};

/// Number of frames sent between two checks whether to stop.
const BURST: u32 = 4096;

/// Runs `action` while numbered frames of `frame_len` bytes are sent from `interface` of `netns`, `per_second` each second.
///
/// The other end needs a native XDP program or GRO; see [`Generator`].
pub fn under_load<T>(
    netns: &NetNs,
    interface: &str,
    frame_len: usize,
    per_second: u32,
    action: impl FnOnce() -> T,
) -> T {
    // The end of each burst costs some milliseconds, so there are fewer frames a second than that.
    under_bursts(netns, interface, frame_len, per_second, Duration::from_secs(1) * BURST / per_second, action)
}

/// As [`under_load`], with bursts of so much time, each of which keeps the pace.
pub fn under_bursts<T>(
    netns: &NetNs,
    interface: &str,
    frame_len: usize,
    per_second: u32,
    burst: Duration,
    action: impl FnOnce() -> T,
) -> T {
    let generator = Generator::new(netns.interface_index(interface), wire::frame(frame_len, b""));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            netns.run(|| {
                while !done.load(Ordering::Relaxed) {
                    generator.send_paced(per_second, burst);
                }
            });
        });
        // Set it even if the action panics, because the scope waits for its threads.
        let _done = SetWhenDropped(&done);
        action()
    })
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Number of frames that an interface counted as received.
pub fn received(netns: &NetNs, interface: &str) -> u64 {
    let statistics = netns.ip(["-s", "-s", "link", "show", interface]);
    let mut lines = statistics.lines().skip_while(|line| !line.trim_start().starts_with("RX:"));
    lines.nth(1).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Waits until a count no longer changes, and returns it.
pub fn settled(count: impl Fn() -> u64) -> u64 {
    let mut last = count();
    wait::until(|| {
        thread::sleep(Duration::from_millis(50));
        let now = count();
        mem::replace(&mut last, now) == now
    });
    last
}
