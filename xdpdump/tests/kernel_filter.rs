//! Filters in the kernel: the verifier accepts the generated code, and the code judges each frame in the same way as
//! the evaluation in user space. Needs root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;

use xdpdump::{
    filter::{
        Filter, Frame, Headers,
        ebpf::{Hook, Target},
    },
    packet::{Direction, LinkType},
};
use xdpdump_testing::{
    filters::{
        ends, expressions,
        frames::{self, Bytes, Capture},
        program::{Program, WHOLE},
        random::Random,
    },
    kernel,
};

/// BPF_PROG_TEST_RUN refuses frames that are shorter than an Ethernet header.
const SHORTEST: usize = 14;
/// Fits into one buffer, for a program without multi-buffer support.
const LONGEST: usize = 3000;

const LINEAR: Target = Target { multi_buffer: false, ..WHOLE };
const SENT: Target = Target { hook: Hook::Tc, direction: Direction::Outbound, ..WHOLE };
/// For frames with a VLAN tag, which the kernel keeps apart from their bytes.
const TAGGED: Target = Target { tagged: true, ..SENT };

fn accepts(program: &Program, frame: &[u8]) -> bool {
    program.run(frame, 1).unwrap().0
}

fn targets() -> Vec<Target> {
    let mut targets = vec![LINEAR, SENT];
    if kernel::has_multi_buffer() {
        targets.push(WHOLE);
    }
    targets
}

/// Whether BPF_PROG_TEST_RUN accepts the frame at the target's hook: a tc program gets none without payload, and no IP
/// packet without a whole header (net/bpf/test_run.c, v6.18). The kernel keeps VLAN tags with the two usual protocols apart
/// from a frame's bytes.
fn takes(target: Target, frame: &[u8]) -> bool {
    match target.hook {
        Hook::Xdp => frame.len() >= SHORTEST,
        Hook::Tc if !target.tagged => {
            let header_len = match frame.get(12..14) {
                Some([8, 0]) => 20,
                Some([0x86, 0xdd]) => 40,
                _ => 1,
            };
            frame.len() >= SHORTEST + header_len
        }
        Hook::Tc => {
            matches!(frame.get(12..14), Some([0x81, 0] | [0x88, 0xa8]))
                && takes(SENT, &[&frame[..12], &frame[16.min(frame.len())..]].concat())
        }
    }
}

/// Compares kernel and user space on frames that were captured as a whole.
fn compare(expressions: &[String], captures: &[Capture]) -> usize {
    let mut pairs = 0;
    for capture in captures {
        for expression in expressions {
            let Ok(filter) = Filter::compile(expression, capture.link_type) else { continue };
            let mut targets = targets();
            targets.extend((capture.link_type == LinkType::ETHERNET).then_some(TAGGED));
            for target in targets {
                let (program, _) =
                    Program::load(&filter, target).unwrap_or_else(|error| panic!("'{expression}': {error}"));
                for frame in capture.frames.iter().filter(|frame| takes(target, &frame.bytes)) {
                    let here = Frame {
                        bytes: &frame.bytes,
                        len: frame.bytes.len() as u32,
                        direction: target.direction,
                        queue: (target.hook == Hook::Xdp).then_some(0),
                        ..Frame::default()
                    };
                    let (kernel, user) = (accepts(&program, &frame.bytes), filter.matches(&here));
                    assert_eq!(kernel, user, "'{expression}', {target:?}, {frame:?}");
                    pairs += 1;
                }
            }
        }
    }
    pairs
}

/// At most `most` of the frames, without those that are too short for the kernel.
fn sample(captures: Vec<Capture>, most: usize) -> Vec<Capture> {
    let mut random = Random::new(3);
    captures
        .into_iter()
        .map(|capture| {
            let mut frames: Vec<Bytes> = capture
                .frames
                .into_iter()
                .filter(|frame| (SHORTEST..LONGEST).contains(&frame.bytes.len()))
                .collect();
            while frames.len() > most {
                frames.swap_remove(random.below(frames.len()));
            }
            Capture::new(capture.link_type, frames)
        })
        .collect()
}

#[test]
fn written_expressions_are_judged_as_in_user_space() {
    compare(&expressions::written(), &sample(frames::all(), 60));
}

#[test]
fn generated_expressions_are_judged_as_in_user_space() {
    let count = env::var("XDPDUMP_FILTER_EXPRESSIONS").map_or(150, |count| count.parse().unwrap());
    let seed = env::var("XDPDUMP_FILTER_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random::new(seed);
    let generated: Vec<String> = (0..count).map(|_| expressions::generated(&mut random)).collect();
    let pairs = compare(&generated, &sample(frames::all(), 150));
    println!("{pairs} pairs");
}

#[test]
fn own_words_are_judged_as_in_user_space() {
    let own = [
        "queue 0",
        "queue 1",
        "not queue 0",
        "inbound",
        "outbound",
        "cpu 4000",
        "not cpu 4000",
        "inner tcp",
        "inner ip",
        "inner host 10.0.0.1",
        "inner tcp port 80",
        "inner ip6 and tcp port 80",
        "inner arp or udp port 53",
        "not inner ip",
        "inner (vlan 100 and ip)",
        "inner ether host 02:00:00:00:00:01",
        "inner inner ip",
        "inner multicast",
        "inner icmp6",
    ];
    compare(&own.map(str::to_owned), &sample(frames::all(), 600));
}

/// Compares where headers end, for whole frames and for frames that were cut.
#[test]
fn headers_end_where_they_do_in_user_space() {
    let mut random = Random::new(23);
    let made = (0..300).map(|_| ends::random(&mut random, LinkType::ETHERNET));
    let mut frames: Vec<Vec<u8>> = made.map(|frame| frame.bytes).collect();
    let cut: Vec<Vec<u8>> =
        frames.iter().flat_map(|frame| (SHORTEST..frame.len()).map(|len| frame[..len].to_vec())).collect();
    frames.extend(cut);
    let captures = sample(frames::all(), usize::MAX);
    let ethernet = captures.into_iter().filter(|capture| capture.link_type == LinkType::ETHERNET);
    frames.extend(ethernet.flat_map(|capture| capture.frames).map(|frame| frame.bytes));
    let mut pairs = 0;
    for more in [0, 64, u32::MAX] {
        let headers = Headers::new(more, LinkType::ETHERNET);
        for target in targets().into_iter().chain([TAGGED]) {
            let function = headers.instructions(target).unwrap();
            let (program, followed) =
                Program::load_function(&function, target).unwrap_or_else(|error| panic!("{error}"));
            println!("{} instructions, {followed} followed", function.len());
            assert!(followed < 500_000);
            let fits = |frame: &&Vec<u8>| frame.len() < LONGEST && takes(target, frame);
            for frame in frames.iter().filter(fits) {
                let here = Frame { bytes: frame, len: frame.len() as u32, ..Frame::default() };
                let (kernel, user) = (program.number(frame).unwrap(), headers.len(&here));
                assert_eq!(kernel, user, "{more} more, {target:?}: {frame:02x?}");
                pairs += 1;
            }
        }
    }
    println!("{pairs} pairs");
}

/// A program that knows a verdict passes it to the filter as the second argument.
#[test]
fn verdicts_come_with_the_call() {
    let frame = [0; 60];
    for (expression, matches) in [
        ("verdict tx", true),
        ("verdict drop", false),
        ("not verdict tx or len = 60", true),
        ("arp or verdict tx", true),
    ] {
        let filter = Filter::compile(expression, LinkType::ETHERNET).unwrap();
        for target in targets() {
            if target.direction == Direction::Outbound {
                continue;
            }
            let (program, _) = Program::load(&filter, Target { verdict: true, ..target }).unwrap();
            assert_eq!(accepts(&program, &frame), matches, "{expression}");
        }
    }
}

/// A program that can reach a frame's later buffers sees the bytes in them.
#[test]
fn bytes_behind_the_linear_part_are_seen() {
    if !kernel::has_multi_buffer() {
        return;
    }
    let mut frame = vec![0u8; 9000];
    frame[8000..8004].copy_from_slice(&[1, 2, 3, 4]);
    frame[0] = 200;
    for (expression, matches) in [
        ("ether[8000] = 1", true),
        ("ether[8000:2] = 0x102", true),
        ("ether[8000:4] = 0x01020304", true),
        ("ether[ether[0] * 40:4] = 0x01020304", true),
        ("ether[8996:4] = 0", true),
        ("ether[8997:4] = 0", false),
        ("ether[9000] = 0", false),
        ("not ether[70000] = 0", false),
        ("len = 9000", true),
        ("greater 8999", true),
    ] {
        let filter = Filter::compile(expression, LinkType::ETHERNET).unwrap();
        let (program, _) = Program::load(&filter, WHOLE).unwrap();
        assert_eq!(accepts(&program, &frame), matches, "{expression}");
        assert_eq!(filter.matches(&Frame { bytes: &frame, len: 9000, ..Frame::default() }), matches);
    }
}

/// The filters here stay far below the limit of a million instructions that the verifier processes.
#[test]
fn the_verifier_accepts_hundreds_of_terms_and_deep_brackets() {
    let join = |count: usize, between: &str, term: &dyn Fn(usize) -> String| {
        (0..count).map(term).collect::<Vec<_>>().join(between)
    };
    let mut random = Random::new(11);
    // Leave out primitives that change the meaning of everything after them.
    let stays = |text: &String| !["vlan", "mpls", "pppoes"].iter().any(|word| text.contains(word));
    let mixed: Vec<String> = (0..)
        .map(|_| expressions::generated(&mut random))
        .filter(|text| stays(text) && Filter::compile(text, LinkType::ETHERNET).is_ok())
        .take(80)
        .enumerate()
        // Combine with a port, so that no term is always true and ends the evaluation.
        .map(|(at, text)| format!("(({text}) and port {at})"))
        .collect();
    let nested = (0..60).fold("tcp".to_owned(), |inside, at| {
        format!("({inside} {} port {at})", if at % 2 == 0 { "or" } else { "and" })
    });
    for (name, expression) in [
        ("ports", join(300, " or ", &|at| format!("port {}", at * 7))),
        ("tcp ports", join(400, " or ", &|at| format!("tcp dst port {at}"))),
        ("hosts", join(300, " or ", &|at| format!("host 10.0.{}.{}", at / 250, at % 250))),
        ("not hosts", join(300, " and ", &|at| format!("not src host 10.0.{}.{}", at / 250, at % 250))),
        ("ip6 hosts", join(150, " or ", &|at| format!("host 2001:db8::{at:x}"))),
        ("ranges", join(150, " or ", &|at| format!("portrange {}-{}", at * 100, at * 100 + 50))),
        ("bytes", join(300, " or ", &|at| format!("ip[{at}] = tcp[{at}] + ip[{}]", at * 2))),
        ("computed", join(150, " and ", &|at| format!("ip[ip[{at}]:2] > {at}"))),
        ("flags", join(200, " or ", &|at| format!("tcp[tcpflags] & {at} = {at} and len > {at}"))),
        ("chains", join(20, " or ", &|at| format!("ip6 protochain {at}"))),
        ("inner", join(20, " or ", &|at| format!("inner port {at}"))),
        ("geneve", join(5, " and ", &|at| format!("geneve {at}"))),
        ("mixed", mixed.join(" or ")),
        ("mixed and", format!("({}) or len > 9000", mixed.join(" and "))),
        ("nested", nested),
    ] {
        let filter = match Filter::compile(&expression, LinkType::ETHERNET) {
            Ok(filter) => filter,
            Err(error) => panic!("{name}: {}", error.message()),
        };
        for target in targets() {
            let count = filter.instructions(target).unwrap().len();
            let (_, processed) =
                Program::load(&filter, target).unwrap_or_else(|error| panic!("{name}: {error}"));
            println!("{name}: {count} instructions, {processed} followed");
            assert!(processed < 500_000, "{name}: {processed}");
        }
    }
}

/// Makes the term of a filter that has this number.
type Term<'a> = &'a dyn Fn(usize) -> String;

/// Terms that compare the same values with different numbers, and after each of which paths meet again: twice as many
/// of them cost the verifier about twice as much, so filters of every size that is generated are accepted.
#[test]
fn the_work_of_the_verifier_grows_with_the_number_of_terms() {
    let host = |at: usize| format!("10.0.{}.{}", at / 250, at % 250);
    let terms = |count: usize, between: &str, term: &dyn Fn(usize) -> String| {
        (0..count).map(|at| format!("({})", term(at))).collect::<Vec<_>>().join(between)
    };
    let measure = |expression: &str, target: Target| {
        let filter = Filter::compile(expression, LinkType::ETHERNET).unwrap();
        let count = filter.instructions(target).unwrap().len();
        let (_, followed) =
            Program::load(&filter, target).unwrap_or_else(|error| panic!("'{expression:.80}': {error}"));
        println!("{count} instructions, {followed} followed: '{expression:.80}'");
        assert!(followed < 500_000, "'{expression:.80}': {followed}");
        followed
    };
    let shapes: [(usize, &str, Term); 13] = [
        (300, " and ", &|at| format!("port {at} or host {} or udp", host(at))),
        (300, " and ", &|at| format!("udp or port {at} or port {}", at + 1000)),
        (500, " or ", &|at| format!("tcp port {at} and host {}", host(at))),
        (500, " and ", &|at| format!("tcp port {at} and host {}", host(at))),
        (300, " and ", &|at| format!("tcp port {at} or host {}", host(at))),
        (300, " or ", &|at| format!("port {at} and host {}", host(at))),
        (300, " and ", &|at| format!("net {}/31 or port {at}", host(at & !1))),
        (300, " or ", &|at| format!("ip6 and port {at} and host 2001:db8::{at:x}")),
        (300, " and ", &|at| format!("ip6 host 2001:db8::{at:x} or tcp port {at}")),
        (300, " and ", &|at| format!("ip6 net 2001:db8:{at:x}::/48 or udp port {at}")),
        (300, " and ", &|at| format!("ip[tcp[4:4]:2] = {at} or ip[tcp[4:4] + {at}] = 1 or udp")),
        (40, " and ", &|at| format!("inner port {at} or host {}", host(at))),
        (40, " or ", &|at| format!("inner host {} and port {at}", host(at))),
    ];
    for (most, between, term) in shapes {
        for target in targets() {
            // As many terms as fit into a filter for this target.
            let fits = |count: &usize| {
                let filter = Filter::compile(&terms(*count, between, term), LinkType::ETHERNET).unwrap();
                filter.instructions(target).is_ok()
            };
            let count = [most, most / 2, most / 4].into_iter().find(fits).unwrap();
            let (all, half) = (terms(count, between, term), terms(count / 2, between, term));
            let (all, half) = (measure(&all, target), measure(&half, target));
            assert!(all < half * 5 / 2, "{}, {count} terms: {half} and then {all}", term(0));
        }
    }
}

#[test]
fn what_is_too_large_is_refused_with_a_sentence() {
    let terms: Vec<String> = (0..2000).map(|at| format!("tcp[{at}] = ip[ip[{at}]]")).collect();
    let filter = Filter::compile(&terms.join(" or "), LinkType::ETHERNET).unwrap();
    assert!(filter.instructions(WHOLE).unwrap_err().to_string().contains("too large"));
}
