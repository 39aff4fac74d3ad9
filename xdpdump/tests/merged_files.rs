//! Several files become one capture, in the order of time.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision},
    packet::{Interface, InterfaceStatistics, LinkType, Meta, Packet, Timestamp},
};

/// A UDP packet to this port.
fn frame(port: u16) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x12, 0x34]);
    frame.extend(port.to_be_bytes());
    frame.extend([0, 8, 0, 0]);
    frame
}

fn interface(name: &str) -> Interface {
    let name = (!name.is_empty()).then(|| name.to_owned());
    Interface { link_type: LinkType::ETHERNET, name, snap_len: 65_535, ..Interface::default() }
}

/// Writes a capture: interfaces, and the time, interface and port of packets.
fn write(path: &Path, interfaces: &[&str], packets: &[(i64, u32, u16)], totals: &[InterfaceStatistics]) {
    let mut sink = output::open(path, Format::from_path(path), Precision::Nano).unwrap();
    for name in interfaces {
        sink.interface(&interface(name)).unwrap();
    }
    for (time, interface, port) in packets {
        let frame = frame(*port);
        let packet = Packet {
            timestamp: Timestamp(*time),
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: *interface,
            frame: &frame,
            frame_len: frame.len() as u32,
            meta: Meta::default(),
        };
        sink.packet(&packet).unwrap();
    }
    sink.finish(totals).unwrap();
}

/// Names of interfaces, and the time, name and port of packets, and totals.
#[derive(Debug, Default, PartialEq, Eq)]
struct Contents {
    interfaces: Vec<String>,
    packets: Vec<(i64, String, u16)>,
    totals: Vec<InterfaceStatistics>,
}

fn read(path: &Path) -> Contents {
    let mut file = CaptureFile::open(path).unwrap();
    let mut contents = Contents::default();
    while let Some(item) = file.next().unwrap() {
        match item {
            Item::Interface(interface) => {
                contents.interfaces.push(interface.name.clone().unwrap_or_default());
            }
            Item::Packet(packet) => {
                let name = contents.interfaces[packet.interface as usize].clone();
                let port = packet.frame.get(36..38).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
                contents.packets.push((packet.timestamp.0, name, port));
            }
            Item::Statistics(statistics, _) => contents.totals.push(statistics),
            Item::Block(_) => {}
        }
    }
    contents
}

fn tool(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xdpdump")).current_dir(folder).args(arguments).output().unwrap()
}

/// Runs the tool, which must succeed, and returns what it wrote to `out.pcapng`.
fn merged(folder: &Path, arguments: &[&str]) -> Contents {
    let output = tool(folder, &[arguments, &["-w", "out.pcapng"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    read(&folder.join("out.pcapng"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    (directory, path)
}

fn packet(time: i64, name: &str, port: u16) -> (i64, String, u16) {
    (time, name.to_owned(), port)
}

#[test]
fn packets_are_in_the_order_of_time_and_interfaces_are_kept_apart() {
    let (_directory, folder) = folder();
    write(&folder.join("a.pcapng"), &["eth0", "eth1"], &[(10, 0, 1), (30, 1, 3), (50, 0, 5)], &[]);
    write(&folder.join("b.pcapng"), &["eth0"], &[(20, 0, 2), (40, 0, 4), (60, 0, 6)], &[]);
    write(&folder.join("c.pcap"), &[""], &[(5, 0, 7)], &[]);
    let contents = merged(&folder, &["-r", "a.pcapng", "-r", "b.pcapng", "-r", "c.pcap"]);
    assert_eq!(contents.interfaces, ["a.pcapng:eth0", "eth1", "b.pcapng:eth0", "c.pcap"]);
    assert_eq!(
        contents.packets,
        [
            packet(5, "c.pcap", 7),
            packet(10, "a.pcapng:eth0", 1),
            packet(20, "b.pcapng:eth0", 2),
            packet(30, "eth1", 3),
            packet(40, "b.pcapng:eth0", 4),
            packet(50, "a.pcapng:eth0", 5),
            packet(60, "b.pcapng:eth0", 6),
        ]
    );
    // With names, which may be those of hosts.
    let contents = merged(&folder, &["-r", "web=a.pcapng", "-r", "db=b.pcapng"]);
    assert_eq!(contents.interfaces, ["web:eth0", "eth1", "db:eth0"]);
}

#[test]
fn text_has_the_interfaces_and_a_filter_a_limit_and_a_count_apply_to_the_whole() {
    let (_directory, folder) = folder();
    write(&folder.join("a.pcapng"), &["eth0"], &[(10, 0, 1), (30, 0, 3), (50, 0, 5)], &[]);
    write(&folder.join("b.pcapng"), &["eth0"], &[(20, 0, 2), (40, 0, 3), (60, 0, 6)], &[]);
    let both = ["-r", "a.pcapng", "-r", "b.pcapng"];
    let output = tool(&folder, &[&both[..], &["-t", "-q", "-c", "3"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(lines, ["a.pcapng:eth0", "b.pcapng:eth0", "a.pcapng:eth0"], "{text}");
    assert_eq!(
        said(&Output { stdout: Vec::new(), ..output }),
        "reading from file a.pcapng, link-type EN10MB (Ethernet), snapshot length 65535\n\
         reading from file b.pcapng, link-type EN10MB (Ethernet), snapshot length 65535\n"
    );
    let output = tool(&folder, &[&both[..], &["--count", "udp port 3"]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2 packets\n");
    let output = tool(&folder, &[&both[..], &["--count", "-c", "4"]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "4 packets\n");
    // A filter that is wrong overwrites nothing.
    fs::write(folder.join("kept"), "as it is").unwrap();
    let output = tool(&folder, &[&both[..], &["-w", "kept", "udp prot 3"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(fs::read(folder.join("kept")).unwrap(), b"as it is");
}

#[test]
fn an_interface_that_is_described_late_and_one_without_packets() {
    let (_directory, folder) = folder();
    let (first, second) = (folder.join("first"), folder.join("second"));
    write(&first, &["eth0"], &[(10, 0, 1)], &[]);
    write(&second, &["eth1", "eth2"], &[(30, 1, 3)], &[]);
    // Two sections.
    let both = [fs::read(&first).unwrap(), fs::read(&second).unwrap()].concat();
    fs::write(folder.join("a"), both).unwrap();
    write(&folder.join("b"), &["eth1"], &[(20, 0, 2)], &[]);
    write(&folder.join("c"), &["eth7"], &[], &[]);
    let contents = merged(&folder, &["-r", "a", "-r", "b", "-r", "c"]);
    // b's eth1 had its name when a's came.
    assert_eq!(contents.interfaces, ["eth0", "eth1", "eth7", "a:eth1", "eth2"]);
    assert_eq!(contents.packets, [packet(10, "eth0", 1), packet(20, "eth1", 2), packet(30, "eth2", 3)]);
}

#[test]
fn a_file_that_is_not_in_order_keeps_its_own_order() {
    let (_directory, folder) = folder();
    write(&folder.join("a"), &["x"], &[(10, 0, 1), (30, 0, 2), (20, 0, 3), (40, 0, 4)], &[]);
    write(&folder.join("b"), &["y"], &[(15, 0, 5), (25, 0, 6), (35, 0, 7)], &[]);
    let contents = merged(&folder, &["-r", "a", "-r", "b"]);
    let ports: Vec<_> = contents.packets.iter().map(|(_, _, port)| *port).collect();
    assert_eq!(ports, [1, 5, 6, 2, 3, 7, 4]);
    let times: Vec<_> = contents.packets.iter().map(|(time, ..)| *time).collect();
    assert_eq!(times, [10, 15, 25, 30, 20, 35, 40], "times stay as they are");
}

#[test]
fn a_directory_is_one_input() {
    let (_directory, folder) = folder();
    let ring = folder.join("ring");
    fs::create_dir(&ring).unwrap();
    let totals = |start, end, received| {
        let (start, end) = (Timestamp(start), Timestamp(end));
        [InterfaceStatistics { start, end, received, ..InterfaceStatistics::default() }]
    };
    write(&ring.join("c2"), &["eth0"], &[(30, 0, 3), (40, 0, 4)], &totals(25, 45, 2));
    write(&ring.join("c1"), &["eth0"], &[(10, 0, 1), (20, 0, 2)], &totals(5, 25, 2));
    // Compressed, and with an interface of its own.
    let third = folder.join("third");
    write(&third, &["eth0", "eth1"], &[(50, 1, 5), (60, 0, 6)], &totals(45, 65, 2));
    fs::write(ring.join("c3.zst"), zstd::encode_all(&fs::read(third).unwrap()[..], 1).unwrap()).unwrap();
    // What is no capture is left out, and so is a file that has only been opened.
    fs::write(ring.join("notes.txt"), "dear reader").unwrap();
    fs::write(ring.join("c4"), "").unwrap();
    fs::create_dir(ring.join("older")).unwrap();
    write(&ring.join("older/c0"), &["eth0"], &[(1, 0, 9)], &[]);

    let output = tool(&folder, &["-r", "ring", "-w", "out.pcapng"]);
    assert_eq!(
        (output.status.code(), said(&output).as_str()),
        (
            Some(0),
            "reading from directory ring (3 capture files), link-type EN10MB (Ethernet), snapshot length 65535\n"
        )
    );
    let contents = read(&folder.join("out.pcapng"));
    assert_eq!(contents.interfaces, ["eth0", "eth1"]);
    let ports: Vec<_> = contents.packets.iter().map(|(_, _, port)| *port).collect();
    assert_eq!(ports, [1, 2, 3, 4, 5, 6]);
    assert_eq!(contents.packets[4].1, "eth1");
    assert_eq!(contents.totals, totals(5, 65, 6));

    // Beside another input.
    write(&folder.join("d"), &["eth0"], &[(35, 0, 9)], &[]);
    let contents = merged(&folder, &["-r", "ring", "-r", "d"]);
    assert_eq!(contents.interfaces, ["ring:eth0", "eth1", "d:eth0"]);
    assert_eq!(contents.packets[3], packet(35, "d:eth0", 9));

    fs::create_dir(folder.join("empty")).unwrap();
    let output = tool(&folder, &["-r", "empty"]);
    assert_eq!(
        (output.status.code(), said(&output).as_str()),
        (Some(1), "xdpdump: empty: no capture files in this directory\n")
    );
}

#[test]
fn the_merged_packets_go_into_several_files_and_those_are_read_again() {
    let (_directory, folder) = folder();
    let packets =
        |first: i64, port| -> Vec<_> { (0..100).map(|number| (first + 2 * number, 0, port)).collect() };
    let totals = |received| {
        let (start, end) = (Timestamp(1), Timestamp(300));
        [InterfaceStatistics { start, end, received, ..InterfaceStatistics::default() }]
    };
    write(&folder.join("a"), &["eth0"], &packets(10, 1), &totals(100));
    write(&folder.join("b"), &["eth0"], &packets(11, 2), &totals(200));
    fs::create_dir(folder.join("ring")).unwrap();
    let output = tool(&folder, &["-r", "a", "-r", "b", "-C", "2k", "-w", "ring/out.pcapng"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(fs::read_dir(folder.join("ring")).unwrap().count() > 5);
    let contents = merged(&folder, &["-r", "ring"]);
    assert_eq!(contents.interfaces, ["a:eth0", "b:eth0"]);
    let times: Vec<_> = contents.packets.iter().map(|(time, ..)| *time).collect();
    assert!(times.into_iter().eq(10..210));
}

#[test]
fn many_files_take_little_memory_and_the_descriptors_that_there_are() {
    let (_directory, folder) = folder();
    let ring = folder.join("ring");
    fs::create_dir(&ring).unwrap();
    let file = folder.join("file");
    for number in 0..4000_i64 {
        write(&file, &["eth0"], &[(10 * number, 0, 1), (10 * number + 5, 0, 2)], &[]);
        fs::rename(&file, ring.join(format!("{number}"))).unwrap();
    }
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -Sn 256; ulimit -Sv 200000; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_xdpdump"),
    ]);
    let output = command.current_dir(&folder).args(["--count", "-r", "ring"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "8000 packets\n", "{}", said(&output));
}

#[test]
fn a_broken_input_is_named_and_the_others_go_on() {
    let (_directory, folder) = folder();
    write(&folder.join("a"), &["x"], &[(10, 0, 1), (30, 0, 3)], &[]);
    write(&folder.join("b"), &["y"], &[(20, 0, 2), (40, 0, 4), (50, 0, 5)], &[]);
    let whole = fs::read(folder.join("a")).unwrap();
    fs::write(folder.join("a"), &whole[..whole.len() - 7]).unwrap();
    let output = tool(&folder, &["-r", "a", "-r", "b", "-w", "out.pcapng", "--print"]);
    let stderr = said(&output);
    let lines: Vec<_> = stderr.lines().skip(2).collect();
    assert!(
        matches!(lines[..], [sentence, end]
            if sentence.starts_with("xdpdump: a: truncated dump file; tried to read ")
                && sentence.ends_with("; the other input goes on")
                && end == "xdpdump: 1 of 2 inputs was not read to its end"),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(1));
    let ports: Vec<_> = read(&folder.join("out.pcapng")).packets.into_iter().map(|(.., port)| port).collect();
    assert_eq!(ports, [1, 2, 4, 5]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 4);
    // --count prints what was read.
    let output = tool(&folder, &["-r", "a", "-r", "b", "--count"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b"4 packets\n"[..]));
}

#[test]
fn what_cannot_be_opened_or_would_be_overwritten_is_said_before_anything_is_written() {
    let (_directory, folder) = folder();
    write(&folder.join("a"), &["x"], &[(10, 0, 1)], &[]);
    fs::create_dir(folder.join("ring")).unwrap();
    fs::copy(folder.join("a"), folder.join("ring/b")).unwrap();
    fs::write(folder.join("text"), "dear reader").unwrap();
    let before = fs::read(folder.join("a")).unwrap();
    for (arguments, sentence) in [
        (&["-r", "a", "-r", "missing"][..], "cannot open missing: No such file or directory"),
        (&["-r", "a", "-r", "text"], "text: unknown file format: neither pcap nor pcapng"),
        (
            &["-r", "-", "-r", "a", "-r", "/dev/stdin"],
            "standard input can be read only once: leave one -r out",
        ),
    ] {
        let output = tool(&folder, &[arguments, &["-w", "out"]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).starts_with(&format!("xdpdump: {sentence}")), "{}", said(&output));
        assert!(!folder.join("out").exists());
    }
    for (arguments, name) in [
        (["-r", "text=a", "-r", "ring", "-w", "a"], "a"),
        (["-r", "a", "-r", "ring", "-w", "ring/b"], "ring/b"),
    ] {
        let output = tool(&folder, &arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output).contains(&format!("{name} would be overwritten while it is read")),
            "{}",
            said(&output)
        );
        assert_eq!(fs::read(folder.join(name)).unwrap(), before);
    }
    // Wrong usage.
    for arguments in [
        &["-r", "a", "--reorder-window", "1x"][..],
        &["-r", "a", "--reorder-window", "2h"],
        &["-D", "--reorder-window", "1s"],
    ] {
        assert_eq!(tool(&folder, arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn link_types_that_one_pcap_file_cannot_hold() {
    let (_directory, folder) = folder();
    write(&folder.join("a"), &["x"], &[(10, 0, 1)], &[]);
    let raw = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/raw.pcap");
    let raw = raw.to_str().unwrap();
    let output = tool(&folder, &["-r", "a", "-r", raw, "-w", "out.pcap"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("a pcap file holds one link type"), "{}", said(&output));
    assert_eq!(merged(&folder, &["-r", "a", "-r", raw]).interfaces, ["x", "raw.pcap"]);
}
