//! Filters inside the programs that captures attach, and how much of each frame these programs capture. The programs
//! count the frames that they leave out. Needs root.
//!
//! `kernel_filter` runs filters alone, and `filter` compares them with libpcap, with the same frames and expressions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, time::Instant};

use xdpdump::{
    filter::{Filter, Frame, Headers},
    interface::{Link, XdpMode},
    packet::{Direction, LinkType},
    probe::{Probe, Task},
    selection::Selection,
    transport::{Rings, event::Event},
};
use xdpdump_testing::{
    events::Each,
    filters::{
        ends, expressions,
        frames::{self, Bytes, Capture},
        program::Program,
        random::Random,
    },
    kernel,
    netns::NetNs,
    rings,
};

/// The kernel runs programs only on frames that are not shorter than an Ethernet header.
const SHORTEST: usize = 14;
/// Fits into one buffer.
const LONGEST_PLAIN: usize = 3000;
/// Fits into the largest number of buffers that a frame can have.
const LONGEST: usize = 60_000;
/// How much the programs copy does not matter here.
const SNAP_LEN: u32 = 64;

/// A program of xdpdump on an interface without traffic; its counters tell how it judged frames.
struct Judge {
    probe: Probe,
    rings: Rings,
    multi_buffer: bool,
    expressions: usize,
    pairs: usize,
    /// Contain the interface; deleting them detaches the program.
    namespaces: (NetNs, NetNs),
}

impl Judge {
    fn attach(transport: &str) -> Self {
        let (left, right) = NetNs::quiet_pair("left", "right");
        // BPF_PROG_TEST_RUN refuses a program that asks the driver for VLAN tags.
        right.execute("ethtool", &["-K", "right", "rxvlan", "off", "rx-vlan-stag-hw-parse", "off"]);
        let index = right.interface_index("right");
        let (probe, rings, multi_buffer) = right.run(|| {
            let (mut probe, rings) = rings::with(transport, 1 << 20, false);
            let link = Link::by_index(index).unwrap();
            let everything = Task { snap_len: SNAP_LEN, selection: &Selection::default() };
            let attached = probe.attach(&link, Some(XdpMode::Native), everything).unwrap();
            (probe, rings, attached.multi_buffer)
        });
        Self { probe, rings, multi_buffer, expressions: 0, pairs: 0, namespaces: (left, right) }
    }

    /// Exchanges the program for one with this task.
    fn exchange(&mut self, task: Task<'_>) -> Program {
        let Self { probe, namespaces: (_, right), .. } = self;
        // A program for one interface is loaded in that interface's namespace.
        right.run(|| probe.exchange(0, task)).unwrap_or_else(|error| panic!("{:?}: {error}", task.selection));
        Program::by_id(self.probe.xdp_program_id(0).unwrap()).unwrap()
    }

    /// The frames that are in the rings.
    fn captured(&mut self) -> Vec<Vec<u8>> {
        let mut captured = Vec::new();
        let mut each = Each(|event: &Event<'_>| captured.push(event.frame.to_vec()));
        assert!(self.rings.read(true, &mut each).is_continue());
        captured
    }

    /// Runs the program on all frames that the filter accepts in user space, then on all others, and compares with what
    /// it counted as left out.
    fn compare(&mut self, expression: &str, frames: &[Bytes]) {
        let Ok(filter) = Filter::compile(expression, LinkType::ETHERNET) else { return };
        let selection = Selection { filter: Some(filter), ..Selection::default() };
        let program = self.exchange(Task { snap_len: SNAP_LEN, selection: &selection });

        let longest = if self.multi_buffer { LONGEST } else { LONGEST_PLAIN };
        let fits = |frame: &&Bytes| (SHORTEST..longest).contains(&frame.bytes.len());
        let matches = |frame: &&Bytes| {
            selection.filter.as_ref().is_some_and(|filter| filter.matches(&as_program_sees(frame)))
        };
        let (accepted, rejected): (Vec<_>, Vec<_>) = frames.iter().filter(fits).partition(matches);
        for (frames, are_filtered) in [(&accepted, false), (&rejected, true)] {
            if self.run(&program, frames) == if are_filtered { frames.len() as u64 } else { 0 } {
                continue;
            }
            let wrong = frames.iter().find(|frame| self.run(&program, &[frame]) != u64::from(are_filtered));
            panic!("'{expression}': user space says {}, the program does not, of {wrong:?}", !are_filtered);
        }
        self.expressions += 1;
        self.pairs += accepted.len() + rejected.len();
    }

    /// Runs the program on the frames; returns how many of them it counted as left out.
    fn run(&self, program: &Program, frames: &[&Bytes]) -> u64 {
        let before = self.probe.counters(0).unwrap().unwrap();
        for frame in frames {
            program.run(&frame.bytes, 1).unwrap();
        }
        let after = self.probe.counters(0).unwrap().unwrap();
        assert_eq!(after.seen - before.seen, frames.len() as u64, "each frame is counted once");
        after.filtered - before.filtered
    }
}

fn as_program_sees(frame: &Bytes) -> Frame<'_> {
    Frame {
        bytes: &frame.bytes,
        len: frame.bytes.len() as u32,
        direction: Direction::Inbound,
        queue: Some(0),
        verdict: Some(2),
        ..Frame::default()
    }
}

/// The transports of this kernel: mapped rings require the same kernel as multi-buffer programs.
/// A sample of `most` Ethernet frames.
fn ethernet(captures: Vec<Capture>, most: usize) -> Vec<Bytes> {
    let mut random = Random::new(5);
    let ethernet = captures.into_iter().filter(|capture| capture.link_type == LinkType::ETHERNET);
    let mut frames: Vec<Bytes> = ethernet.flat_map(|capture| capture.frames).collect();
    frames.retain(|frame| frame.bytes.len() >= SHORTEST);
    while frames.len() > most {
        frames.swap_remove(random.below(frames.len()));
    }
    frames
}

/// Compares expressions on frames, in the programs of all transports.
fn compare(expressions: &[String], frames: &[Bytes]) {
    for &transport in kernel::transports() {
        compare_in(transport, expressions, frames);
    }
}

fn compare_in(transport: &str, expressions: &[String], frames: &[Bytes]) {
    let begin = Instant::now();
    let mut judge = Judge::attach(transport);
    for expression in expressions {
        judge.compare(expression, frames);
    }
    let Judge { expressions, pairs, multi_buffer, .. } = judge;
    let buffers = if multi_buffer { "several buffers" } else { "one buffer" };
    let seconds = begin.elapsed().as_secs_f32();
    println!("{transport:?}, {buffers}: {expressions} expressions, {pairs} pairs in {seconds:.1} s");
}

fn generated(seed: u64, count: usize) -> Vec<String> {
    let mut random = Random::new(seed);
    (0..count).map(|_| expressions::generated(&mut random)).collect()
}

fn setting(name: &str, otherwise: usize) -> usize {
    env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[test]
fn written_expressions_are_judged_as_in_user_space() {
    compare(&expressions::written(), &ethernet(frames::all(), 300));
}

/// Each transport gets different expressions, because every exchange waits about 15 ms for the kernel.
#[test]
fn generated_expressions_are_judged_as_in_user_space() {
    let count = setting("XDPDUMP_FILTER_EXPRESSIONS", 250);
    let seed = setting("XDPDUMP_FILTER_SEED", 4) as u64;
    let frames = ethernet(frames::all(), 300);
    for (seed, &transport) in (seed..).zip(kernel::transports()) {
        compare_in(transport, &generated(seed, count), &frames);
    }
}

#[test]
fn own_words_are_judged_as_in_user_space() {
    let own = [
        "queue 0",
        "not queue 0",
        "inbound",
        "outbound",
        "verdict pass",
        "verdict drop or arp",
        "cpu 4000",
        "not cpu 4000",
        "inner tcp",
        "inner ip6 and tcp port 80",
        "inner arp or udp port 53",
        "not inner ip",
        "inner (vlan 100 and ip)",
        "inner inner ip",
        "len > 100 and not inner icmp6",
    ];
    compare(&own.map(str::to_owned), &ethernet(frames::all(), usize::MAX));
}

/// A program with multi-buffer support sees the bytes in a frame's later buffers, and the length of all buffers
/// together.
#[test]
fn bytes_behind_the_linear_part_are_seen() {
    if !kernel::has_multi_buffer() {
        println!("skipped: before Linux 5.18 a frame has one buffer");
        return;
    }
    let mut bytes = vec![0; 9000];
    bytes[8000..8004].copy_from_slice(&[1, 2, 3, 4]);
    let frame = Bytes { len: 9000, bytes };
    for &transport in kernel::transports() {
        let mut judge = Judge::attach(transport);
        assert!(judge.multi_buffer);
        for expression in ["ether[8000:4] = 0x01020304", "len = 9000", "ether[9000] = 0", "greater 9001"] {
            judge.compare(expression, std::slice::from_ref(&frame));
        }
    }
}

/// Of each frame, the program captures what user space would select, and no more than the snap length.
#[test]
fn headers_are_cut_as_in_user_space() {
    let mut random = Random::new(25);
    let made = (0..100).map(|_| ends::random(&mut random, LinkType::ETHERNET).bytes);
    let mut frames: Vec<Vec<u8>> = made.filter(|frame| frame.len() < LONGEST_PLAIN).collect();
    let cut: Vec<Vec<u8>> = frames
        .iter()
        .map(|frame| frame[..SHORTEST + random.below(frame.len() - SHORTEST + 1)].to_vec())
        .collect();
    frames.extend(cut);
    for &transport in kernel::transports() {
        let mut judge = Judge::attach(transport);
        for more in [0, 64, u32::MAX] {
            for snap_len in [40, 262_144] {
                let headers = Headers::new(more, LinkType::ETHERNET);
                let selection = Selection { headers: Some(headers.clone()), ..Selection::default() };
                let program = judge.exchange(Task { snap_len, selection: &selection });
                for frame in &frames {
                    program.run(frame, 1).unwrap();
                }
                let captured = judge.captured();
                assert_eq!(captured.len(), frames.len(), "{:?}", judge.probe.counters(0));
                for (captured, frame) in captured.iter().zip(&frames) {
                    let here = Frame { bytes: frame, len: frame.len() as u32, ..Frame::default() };
                    let wanted = headers.len(&here).min(snap_len) as usize;
                    let expected = &frame[..wanted.min(frame.len())];
                    assert_eq!(captured, expected, "{transport:?}, {more} more, {snap_len} at most");
                }
            }
        }
    }
}

/// `XDPDUMP_FILTER_CORPUS` can name a folder with other captures, which are then judged by the written expressions too.
#[test]
fn a_corpus_is_judged_as_in_user_space() {
    let frames = ethernet(frames::corpus(), usize::MAX);
    assert!(!frames.is_empty());
    let mut all = generated(2, setting("XDPDUMP_FILTER_EXPRESSIONS", 100));
    if env::var_os("XDPDUMP_FILTER_CORPUS").is_some() {
        all.extend(expressions::written());
    }
    compare(&all, &frames);
}
