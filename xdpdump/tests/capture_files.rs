//! What is written is what the tools people use read.

use std::{path::Path, process::Command};

use xdpdump::{
    output::{self, Format, Precision},
    packet::{Direction, Interface, InterfaceStatistics, LinkType, Meta, Packet, Timestamp},
};

const START: i64 = 1_700_000_000_123_456_789;

fn interface() -> Interface {
    Interface {
        link_type: LinkType::ETHERNET,
        snap_len: 262_144,
        name: Some("eth4".into()),
        description: Some("the fourth".into()),
        mac: Some([2, 0, 0, 0, 0, 7]),
        speed: Some(10_000_000_000),
        hardware: Some("veth".into()),
        os: Some("Linux 6.1".into()),
        filter: Some("tcp port 80".into()),
    }
}

/// An Ethernet frame with an IPv4 UDP packet in it.
const FRAME: [u8; 46] = *b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\x00\x45\x00\x00\x20\x00\x01\x00\x00\x40\x11\x66\xca\
    \x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x09\x00\x09\x00\x0c\x00\x00ping";

fn packet(meta: Meta) -> Packet<'static> {
    Packet { timestamp: Timestamp(START), uptime: None, interface: 0, frame: &FRAME, frame_len: 60, meta }
}

fn meta() -> Meta {
    Meta {
        direction: Direction::Inbound,
        queue: Some(3),
        packet_id: Some(0x1_0000_0002),
        verdict: Some(2),
        lost: 5,
    }
}

fn write(path: &Path, format: Format, precision: Precision) {
    let mut sink = output::open(path, format, precision).unwrap();
    sink.interface(&interface()).unwrap();
    sink.packet(&packet(meta())).unwrap();
    sink.packet(&packet(Meta::default())).unwrap();
    let end = Timestamp(START + 2_000_000_000);
    let statistics = InterfaceStatistics {
        interface: 0,
        start: Timestamp(START),
        end,
        received: 12,
        accepted: 11,
        dropped: 5,
        delivered: 6,
    };
    sink.finish(&[statistics]).unwrap();
}

/// What a command prints; it must have nothing to complain of.
fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).env("TZ", "UTC").output().unwrap();
    let complaints: String = String::from_utf8_lossy(&output.stderr)
        .lines()
        // Says only that these tests run as root.
        .filter(|line| !line.starts_with("Running as user"))
        .collect();
    assert_eq!(complaints, "", "{program}");
    assert!(output.status.success(), "{program}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn tshark(file: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut arguments = vec!["-n", "-Tfields"];
    for field in fields {
        arguments.extend(["-e", field]);
    }
    arguments.push("-r");
    let text = run("tshark", &arguments, file);
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn tshark_reads_all_that_pcapng_carries() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcapng");
    write(&file, Format::Pcapng, Precision::Nano);
    let fields = [
        "frame.time_epoch",
        "frame.len",
        "frame.cap_len",
        "frame.interface_name",
        "frame.interface_description",
        "frame.interface_queue",
        "frame.packet_id",
        "frame.verdict.ebpf_xdp",
        "frame.drop_count",
        "frame.packet_flags_direction",
    ];
    let packets = tshark(&file, &fields);
    let time = "1700000000.123456789";
    let all = [time, "60", "46", "eth4", "the fourth", "3", "4294967298", "2", "5", "0x00000001"];
    assert_eq!(packets[0], all);
    assert_eq!(packets[1], [time, "60", "46", "eth4", "the fourth", "", "", "", "", ""]);
}
