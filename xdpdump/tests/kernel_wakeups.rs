//! No frame waits in a ring for a reader that sleeps. Needs root.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::HashSet,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use xdpdump::{interface::Link, probe::Task, selection::Selection, transport::Rings};
use xdpdump_testing::{
    cpu,
    events::Each,
    generator::{Generator, number},
    kernel,
    netns::NetNs,
    rings, wait, wire,
};

/// Longest time to sleep, where the rings name none.
const FOREVER: Duration = Duration::from_secs(20);
/// Number of times that the reader falls asleep.
const ROUNDS: u32 = 600;

/// Sleeps until a doorbell rings; returns whether one did.
fn sleep(rings: &Rings, timeout: Duration) -> bool {
    use std::os::fd::AsRawFd as _;
    let mut descriptors: Vec<_> = rings
        .descriptors()
        .into_iter()
        .map(|ring| libc::pollfd { fd: ring.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    let timeout = i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap();
    // SAFETY: the pointer and the number describe the vector, which outlives the call.
    let ready = unsafe { libc::poll(descriptors.as_mut_ptr(), descriptors.len() as libc::nfds_t, timeout) };
    assert!(ready >= 0, "{}", std::io::Error::last_os_error());
    ready > 0
}

/// Frames come one by one from each CPU, at the moments at which the reader falls asleep after those before: each of them is
/// read, once, though nothing else ever wakes the reader.
#[test]
fn every_frame_wakes_the_reader() {
    let cpus = xdpdump::cpus::online().unwrap();
    for transport in kernel::transports() {
        for &cpu in &cpus {
            one_by_one(transport, cpu as usize);
        }
    }
}

fn one_by_one(transport: &str, cpu: usize) {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let index = receiver.interface_index("right");
    let (mut probe, mut rings) = receiver.run(|| {
        let (mut probe, rings) = rings::with(transport, 32 << 20, true);
        let task = Task { snap_len: 60, selection: &Selection::default() };
        probe.attach(&Link::by_index(index).unwrap(), None, task).unwrap();
        (probe, rings)
    });
    let generator = Generator::new(sender.interface_index("left"), wire::frame(60, b""));
    let mut seen = HashSet::new();
    let (go, going) = mpsc::channel::<u32>();
    thread::scope(|scope| {
        scope.spawn(|| {
            cpu::stay_on(cpu);
            sender.run(|| {
                for round in going {
                    // From 0 to 4 ms: around each of the times after which the reader looks again.
                    thread::sleep(Duration::from_micros(u64::from(round * 37 % 4000)));
                    generator.send(1);
                }
            });
        });
        let slowness = wait::slowness();
        for round in 0..ROUNDS / slowness {
            go.send(round).unwrap();
            let begin = Instant::now();
            while seen.len() <= round as usize {
                let before = seen.len();
                let mut events = Each(|event: &xdpdump::transport::event::Event<'_>| {
                    assert!(seen.insert(number(event.frame)), "a frame came twice");
                });
                let left = match rings.read(false, &mut events) {
                    std::ops::ControlFlow::Continue(left) => left,
                    std::ops::ControlFlow::Break(never) => match never {},
                };
                let quiet = seen.len() == before;
                if !quiet && transport == "perf" {
                    // Nothing is prepared for perf rings, whose kernel announces every frame.
                    continue;
                }
                let longest = rings.prepare_sleep(quiet, left).unwrap_or(Duration::ZERO);
                if !sleep(&rings, longest.min(FOREVER)) && longest > FOREVER {
                    let counters = probe.counters(0).unwrap();
                    panic!("{transport}: nobody woke the reader in {:?}, and {counters:?}", begin.elapsed());
                }
            }
        }
        drop(go);
    });
    probe.detach();
    assert_eq!(generator.sent(), seen.len() as u64);
}
