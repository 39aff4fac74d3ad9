//! A capture program that is interrupted by another run of itself, as real-time kernels do. Needs a virtual machine: `cargo
//! xtask vm-test`.
//!
//! Two receive queues of one interface are handled by two kernel threads on the same CPU; one has a higher priority. For
//! every instruction of the program in turn, a frame for the urgent thread arrives while the other thread is at that
//! instruction.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    fs,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use xdpdump_testing::{
    breakpoint::Breakpoint,
    capture::Capture,
    cpu, files, kernel,
    netns::{self, NetNs},
    objects::Objects,
    vm, wait,
    wire::{self, Wire},
};

/// The CPU whose frames go to the first queue, and the CPU whose frames go to the second queue and on which both threads
/// run.
const SENDER_CPU: usize = 0;
const RECEIVER_CPU: usize = 1;
/// How long to wait for an address to be executed: many addresses lie inside an instruction, and some instructions are
/// never reached.
const REACHED: Duration = Duration::from_millis(40);

/// A pair of interfaces with two queues, each for the frames of one CPU.
fn pair() -> (NetNs, NetNs) {
    let (left, right) = (NetNs::quiet(), NetNs::quiet());
    let queues = ["numtxqueues", "2", "numrxqueues", "2"];
    let add =
        [&["link", "add", "left"], &queues[..], &["type", "veth", "peer", "name", "right"], &queues[..]];
    left.ip([&add.concat()[..], &["netns", right.name()]].concat());
    left.ip(["link", "set", "left", "up"]);
    right.ip(["link", "set", "right", "up"]);
    // Without instructions for VLAN tags that the driver took off, of which no frame here has one: each that is not reached
    // takes time.
    right.execute("ethtool", &["-K", "right", "rxvlan", "off", "rx-vlan-stag-hw-parse", "off"]);
    for (queue, cpu) in [SENDER_CPU, RECEIVER_CPU].into_iter().enumerate() {
        let script = format!("echo {:x} >/sys/class/net/left/queues/tx-{queue}/xps_cpus", 1 << cpu);
        left.execute("sh", &["-c", &script]);
    }
    (left, right)
}

/// The kernel's threads that handle the queues of `right`, in the order of the queues.
fn handlers(right: &NetNs) -> Vec<i32> {
    right.execute("sh", &["-c", "echo 1 >/sys/class/net/right/threaded"]);
    // The ids of an interface's queues are assigned in ascending order.
    kernel_threads("napi/right-")
}

/// The kernel's threads whose names are `prefix` and a number, in the order of the numbers.
fn kernel_threads(prefix: &str) -> Vec<i32> {
    let threads = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.unwrap();
        let pid = entry.file_name().to_str()?.parse::<i32>().ok()?;
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        Some((name.trim_end().strip_prefix(prefix)?.parse::<u32>().ok()?, pid))
    });
    let mut threads: Vec<_> = threads.collect();
    threads.sort_unstable();
    threads.into_iter().map(|(_, pid)| pid).collect()
}

/// The addresses of a program's code.
fn code(program: u32) -> std::ops::Range<u64> {
    let text = netns::run("bpftool", ["prog", "show", "id", &program.to_string()]);
    let word_after = |key: &str| {
        let mut words = text.split_whitespace().skip_while(|word| *word != key).skip(1);
        words.next().unwrap_or_else(|| panic!("no {key} in {text}"))
    };
    let symbol = format!("bpf_prog_{}_{}", word_after("tag"), word_after("name"));
    let len: u64 = word_after("jited").trim_end_matches('B').parse().unwrap();
    let symbols = fs::read_to_string("/proc/kallsyms").unwrap();
    let line = symbols.lines().find(|line| line.split_whitespace().nth(2) == Some(&symbol));
    let line = line.unwrap_or_else(|| panic!("no {symbol} in /proc/kallsyms"));
    let start = u64::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap();
    start..start + len
}

/// For each address received: waits until it is executed, sends a frame if so, and reports whether it was executed.
fn interrupt(left: &NetNs, addresses: &Receiver<u64>, ready: &Sender<()>, reached: &Sender<bool>) {
    cpu::stay_on(RECEIVER_CPU);
    cpu::make_urgent(0, 30);
    let wire = Wire::open(left, "left");
    let frame = wire::frame(60, b"urgent");
    for address in addresses {
        let breakpoint = Breakpoint::at(address, RECEIVER_CPU);
        ready.send(()).unwrap();
        let is_reached = breakpoint.wait(REACHED);
        if is_reached {
            wire.send(&frame);
        }
        reached.send(is_reached).unwrap();
    }
}

/// Interrupts the program at every address; returns the number of frames sent, and the number sent at an instruction of the
/// program.
fn interrupt_everywhere(left: &NetNs, right: &NetNs, program: u32) -> (u64, u64) {
    let [ordinary, urgent] = handlers(right)[..] else { panic!("not two threads") };
    // This thread wakes threads that wait for a breakpoint (kernel/irq_work.c); its usual priority is too low.
    cpu::make_urgent(kernel_threads("irq_work/")[RECEIVER_CPU], 40);
    for (handler, priority) in [(ordinary, 10), (urgent, 20)] {
        cpu::keep_on(handler, RECEIVER_CPU);
        cpu::make_urgent(handler, priority);
    }
    let (give, addresses) = mpsc::channel();
    let (ready_sender, ready) = mpsc::channel();
    let (reached_sender, reached) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || interrupt(left, &addresses, &ready_sender, &reached_sender));
        cpu::stay_on(SENDER_CPU);
        let wire = Wire::open(left, "left");
        let frame = wire::frame(60, b"ordinary");
        let (mut sent, mut interrupted) = (0, 0);
        for address in code(program) {
            give.send(address).unwrap();
            ready.recv().unwrap();
            wire.send(&frame);
            sent += 1;
            if reached.recv().unwrap() {
                sent += 1;
                interrupted += 1;
            }
        }
        drop(give);
        (sent, interrupted)
    })
}

#[test]
fn a_program_interrupted_at_any_instruction_counts_every_frame_once() {
    vm::required();
    for transport in kernel::transports() {
        let (left, right) = pair();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("realtime.pcapng");
        let arguments = ["-i", "right", "-N", "--transport", transport, "-w", path.to_str().unwrap()];
        let capture = Capture::start(&right, arguments);
        let [program] = Vec::from_iter(Objects::of_process(capture.pid()).programs)[..] else {
            panic!("not one program")
        };
        let (sent, interrupted) = thread::scope(|scope| {
            scope.spawn(|| interrupt_everywhere(&left, &right, program)).join().unwrap()
        });
        thread::sleep(Duration::from_millis(200) * wait::slowness());
        let totals = capture.stop().totals();
        let packets = files::read(&path).packets;
        let ids: BTreeSet<_> = packets.iter().map(|packet| packet.meta.packet_id.unwrap()).collect();
        println!(
            "{transport}: {sent} sent, {interrupted} of them in the middle of another; {totals:?}, {} ids",
            ids.len()
        );
        assert!(interrupted > 20, "{transport}");
        assert_eq!(ids.len(), packets.len(), "{transport}: ids repeat");
        assert_eq!(packets.len() as u64, totals.captured, "{transport}");
        assert_eq!(totals.captured + totals.dropped, sent, "{transport}");
        assert_eq!(totals.received, sent, "{transport}");
    }
}
