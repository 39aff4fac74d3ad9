//! Several interfaces in one capture, and `-i any`, which follows those that come and go. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, fs, path::Path, process::Stdio, thread, time::Duration};

use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    files, kernel,
    netns::{NetNs, Traces},
    wait,
    wire::{self, Wire},
    xdp::{DRIVER_MODE, PassProgram},
};

/// Two quiet namespaces with several pairs of interfaces between them: `l0`, `l1` … in the first, `r0`, `r1` … in the second.
struct Pairs {
    left: NetNs,
    right: NetNs,
}

impl Pairs {
    fn new(count: u8) -> Self {
        let pairs = Self { left: NetNs::quiet(), right: NetNs::quiet() };
        (0..count).for_each(|number| pairs.add(number));
        pairs
    }

    fn add(&self, number: u8) {
        let (near, far) = (format!("l{number}"), format!("r{number}"));
        let peer = ["type", "veth", "peer", "name", &far, "netns", self.right.name()];
        self.left.ip(["link", "add", &near].iter().chain(&peer));
        self.left.ip(["link", "set", &near, "up"]);
        self.right.ip(["link", "set", &far, "up"]);
    }

    /// Sends a frame of so many bytes to the right end of a pair.
    fn send(&self, number: u8, len: usize) {
        // Before the kernel has noticed the carrier, it sends nothing.
        let near = format!("l{number}");
        wait::until(|| self.left.ip(["link", "show", &near]).contains(" state UP "));
        Wire::open(&self.left, &format!("l{number}")).send(&wire::frame(len, b""));
    }
}

/// The lengths of the packets of each interface in a file, by its name.
fn of_each(path: &Path) -> BTreeMap<String, Vec<u32>> {
    let mut file = CaptureFile::open(path).unwrap();
    let mut names = Vec::new();
    let mut lengths = BTreeMap::<String, Vec<u32>>::new();
    while let Some(item) = file.next().unwrap() {
        match item {
            Item::Interface(interface) => names.push(interface.name.clone().unwrap()),
            Item::Packet(packet) => {
                let name: &String = &names[packet.interface as usize];
                lengths.entry(name.clone()).or_default().push(packet.frame_len);
            }
            Item::Statistics(..) | Item::Block(_) => {}
        }
    }
    lengths
}

#[test]
fn each_named_interface_is_in_the_file_with_its_packets_and_totals() {
    for &transport in kernel::transports() {
        for mode in ["-N", "-S"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out.pcapng");
            let pairs = Pairs::new(3);
            let file = ["-w", path.to_str().unwrap()];
            let interfaces = ["-i", "r0", "-i", "r1", "-i", "r2", "-i", "r0", mode, "--transport", transport];
            let mut capture = Capture::start(&pairs.right, file.iter().chain(&interfaces));
            capture.wait_for("listening on r1");
            capture.wait_for("listening on r2");
            for (number, len) in [(0, 60), (2, 62), (1, 61), (2, 63), (0, 64)] {
                pairs.send(number, len);
            }
            assert_eq!(capture.stop().totals(), Totals::exact(5, 0), "{transport} {mode}");
            let expected = [("r0", vec![60, 64]), ("r1", vec![61]), ("r2", vec![62, 63])];
            assert_eq!(of_each(&path), expected.map(|(name, lengths)| (name.to_owned(), lengths)).into());
            assert_eq!(files::read_by_tshark(&path), [60, 62, 61, 63, 64], "in the order of time");
            let contents = files::read(&path);
            let received: Vec<_> = contents.statistics.iter().map(|statistics| statistics.received).collect();
            assert_eq!(received, [2, 1, 2], "{transport} {mode}");
            for interface in ["r0", "r1", "r2"] {
                wait::until_equal(&Traces::default(), || pairs.right.traces(interface));
            }
        }
    }
}

#[test]
fn a_capture_of_several_goes_on_until_the_last_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let pairs = Pairs::new(2);
    let mut capture = Capture::start(&pairs.right, ["-i", "r0", "-i", "r1", "-w", path.to_str().unwrap()]);
    capture.wait_for("listening on r1");
    pairs.send(0, 60);
    pairs.send(1, 61);
    pairs.right.ip(["link", "delete", "r0"]);
    capture.wait_for("the interface r0 is gone: it was deleted or moved to another network namespace; the capture goes on without it");
    pairs.send(1, 62);
    pairs.right.ip(["link", "delete", "r1"]);
    let ended = capture.wait();
    assert_eq!(
        ended.failure(),
        "the interface r1 is gone: it was deleted or moved to another network namespace"
    );
    assert_eq!(ended.counts(), Totals::exact(3, 0));
    assert_eq!(of_each(&path), [("r0".to_owned(), vec![60]), ("r1".to_owned(), vec![61, 62])].into());
}

#[test]
fn one_of_several_that_cannot_be_captured_keeps_the_capture_from_beginning() {
    let pairs = Pairs::new(1);
    let mut command = pairs.right.command(xdpdump());
    let ended = Capture::spawn(command.args(["-i", "r0", "-i", "r7", "-w", "/dev/null"])).wait();
    assert!(ended.failure().starts_with("no interface named \"r7\""), "{}", ended.stderr);
    assert_eq!(pairs.right.traces("r0"), Traces::default());
}

#[test]
fn any_follows_interfaces_that_come_and_go() {
    for &transport in kernel::transports() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.pcapng");
        let pairs = Pairs::new(2);
        pairs.right.ip(["link", "set", "r1", "down"]);
        let options = ["-i", "any", "--print", "-n", "--transport", transport, "-w", path.to_str().unwrap()];
        let mut capture = Capture::spawn(pairs.right.command(xdpdump()).args(options).stdout(Stdio::piped()));
        capture.wait_for("listening on r0");
        assert_eq!(pairs.right.traces("r0").promiscuity, 0, "as tcpdump");
        pairs.send(0, 60);

        pairs.right.ip(["link", "set", "r1", "up"]);
        capture.wait_for("listening on r1");
        pairs.send(1, 61);
        pairs.add(2);
        capture.wait_for("listening on r2");
        pairs.send(2, 62);
        pairs.right.ip(["link", "delete", "r0"]);
        capture.wait_for("the interface r0 is gone");
        pairs.send(1, 63);
        let text = capture.stdout();
        assert_eq!(capture.stop().totals(), Totals::exact(4, 0), "{transport}");

        let expected = [("r0", vec![60]), ("r1", vec![61, 63]), ("r2", vec![62])];
        assert_eq!(of_each(&path), expected.map(|(name, lengths)| (name.to_owned(), lengths)).into());
        assert_eq!(files::read_by_tshark(&path).len(), 4);
        let text = std::io::read_to_string(text).unwrap();
        let names: Vec<_> = text
            .lines()
            .filter(|line| line.contains(" In "))
            .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["r0", "r1", "r2", "r1"], "{text}");
    }
}

#[test]
fn any_leaves_out_what_has_another_link_type_than_the_one_asked_for() {
    let pairs = Pairs::new(1);
    pairs.right.ip(["tuntap", "add", "dev", "t0", "mode", "tun"]);
    pairs.right.ip(["link", "set", "t0", "up"]);
    let mut capture =
        Capture::spawn(pairs.right.command(xdpdump()).args(["-i", "any", "-y", "EN10MB", "-w", "/dev/null"]));
    let said = capture.wait_for("t0 is not captured");
    assert!(said.contains("t0 has link type RAW"), "{said}");
    capture.wait_for("listening on r0");
    pairs.send(0, 60);
    assert_eq!(capture.stop().totals(), Totals::exact(1, 0));
}

/// The program has no type information, so that nothing can be captured beside it.
#[test]
fn any_captures_what_is_free_again_of_another_program_for_a_while() {
    for &transport in kernel::transports() {
        let pairs = Pairs::new(2);
        let program = PassProgram::load();
        let index = pairs.right.interface_index("r0");
        let attach = || pairs.right.run(|| program.attach(index, DRIVER_MODE));
        let attachment = attach();
        let options = ["-i", "any", "--transport", transport, "-w", "/dev/null"];
        let mut capture = Capture::spawn(pairs.right.command(xdpdump()).args(options));
        let said = capture.wait_for("r0 is not captured: ");
        assert!(said.contains("r0 has an XDP program already: "), "{said}");
        capture.wait_for("listening on r1");
        // Whoever restarts it finds its place free.
        drop(attachment);
        thread::sleep(Duration::from_millis(500));
        let attachment = attach();
        thread::sleep(Duration::from_secs(3));
        drop(attachment);
        capture.wait_for("listening on r0");
        pairs.send(0, 60);
        pairs.send(1, 61);
        assert_eq!(capture.stop().totals(), Totals::exact(2, 0), "{transport}");
    }
}

/// What is left out is not missed when it is gone.
#[test]
fn an_interface_that_was_left_out_may_go() {
    let pairs = Pairs::new(2);
    let program = PassProgram::load();
    let index = pairs.right.interface_index("r0");
    let _attachment = pairs.right.run(|| program.attach(index, DRIVER_MODE));
    let options = ["-i", "any", "-w", "/dev/null"];
    let mut capture = Capture::spawn(pairs.right.command(xdpdump()).args(options));
    capture.wait_for("r0 is not captured: ");
    capture.wait_for("listening on r1");
    pairs.right.ip(["link", "set", "r0", "down"]);
    pairs.right.ip(["link", "set", "r0", "up"]);
    capture.wait_for("r0 is not captured: ");
    pairs.right.ip(["link", "delete", "r0"]);
    thread::sleep(Duration::from_millis(1500));
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(0, 0));
    assert!(!ended.stderr.contains("is gone"), "{}", ended.stderr);
}

#[test]
fn interfaces_that_are_gone_keep_no_descriptors() {
    let pairs = Pairs::new(1);
    let mut capture = Capture::start(&pairs.right, ["-i", "any", "-Q", "inout", "-w", "/dev/null"]);
    let descriptors = format!("/proc/{}/fd", capture.pid());
    let count = || fs::read_dir(&descriptors).unwrap().count();
    wait::until(|| pairs.right.traces("r0").xdp);
    let before = count();
    for number in 1..9 {
        pairs.add(number);
        capture.wait_for(&format!("listening on r{number}"));
        pairs.right.ip(["link", "delete", &format!("r{number}")]);
        capture.wait_for(&format!("the interface r{number} is gone"));
    }
    wait::until(|| count() <= before);
    // The totals of what is gone are still there.
    pairs.send(0, 60);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(1, 0));
}

#[test]
fn tags_that_a_bridge_gets_apart_from_the_frames_are_said_to_be_missing() {
    let pairs = Pairs::new(1);
    let right = &pairs.right;
    right.ip(["link", "add", "br0", "type", "bridge"]);
    right.ip(["link", "set", "br0", "up"]);
    right.ip(["link", "set", "r0", "master", "br0"]);
    let ended = Capture::start(right, ["-i", "br0", "-w", "/dev/null"]).stop();
    let line = "br0: VLAN tags that were taken off received frames are missing; a capture on the interfaces that br0 has as ports has them";
    assert!(ended.stderr.contains(line), "{}", ended.stderr);
}
