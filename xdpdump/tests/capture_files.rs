//! Capture files that xdpdump writes are read correctly by tshark, capinfos and by xdpdump itself.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{fs::File, path::Path, process::Command, time::Duration};

use pcap_file::pcapng::{
    Block, PcapNgReader, blocks::interface_statistics::InterfaceStatisticsOption as IsbOption,
};
use proptest::{collection, prelude::*};
use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision, pcapng::encode},
    packet::{Direction, Interface, InterfaceStatistics, LinkType, Meta, Original, Packet, Timestamp},
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
        ..Interface::default()
    }
}

/// An Ethernet frame with an IPv4 UDP packet in it.
const FRAME: [u8; 46] =
    *b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\x00\x45\x00\x00\x20\x00\x01\x00\x00\x40\x11\x66\xca\
    \x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x09\x00\x09\x00\x0c\x00\x00ping";

fn packet(meta: Meta) -> Packet<'static> {
    Packet {
        timestamp: Timestamp(START),
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame: &FRAME,
        frame_len: 60,
        meta,
    }
}

fn meta() -> Meta {
    Meta {
        direction: Direction::Inbound,
        queue: Some(3),
        packet_id: Some(0x1_0000_0002),
        verdict: Some(2),
        lost: 5,
        hash: Some(0x0102_0304),
        has_host_time: true,
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

/// What a command prints on standard output; it must print nothing on standard error.
fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).env("TZ", "UTC").output().unwrap();
    let complaints: String = String::from_utf8_lossy(&output.stderr)
        .lines()
        // This line only says that the tests run as root.
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

#[test]
fn capinfos_reads_interfaces_and_totals() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcapng");
    write(&file, Format::Pcapng, Precision::Nano);
    let text = run("capinfos", &[], &file);
    let values: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once([':', '=']))
        .map(|(k, v)| (k.trim(), v.trim()))
        .collect();
    for expected in [
        ("Number of packets", "2"),
        ("File encapsulation", "Ethernet"),
        ("Capture hardware", std::env::consts::ARCH),
        ("Capture application", concat!("xdpdump ", env!("CARGO_PKG_VERSION"))),
        ("Name", "eth4"),
        ("Description", "the fourth"),
        ("Speed", "10000000000"),
        ("Capture length", "262144"),
        ("Time precision", "nanoseconds (9)"),
        ("Filter string", "tcp port 80"),
        ("Operating system", "Linux 6.1"),
        ("Hardware", "veth"),
        ("Number of stat entries", "1"),
    ] {
        assert!(values.contains(&expected), "{expected:?} in {text}");
    }
}

#[test]
fn tshark_reads_classic_pcap() {
    for (precision, time) in
        [(Precision::Nano, "1700000000.123456789"), (Precision::Micro, "1700000000.123456000")]
    {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out.pcap");
        write(&file, Format::Pcap, precision);
        let packets = tshark(&file, &["frame.time_epoch", "frame.len", "frame.cap_len", "udp.dstport"]);
        assert_eq!(packets, [[time, "60", "46", "9"]; 2]);
    }
}

/// tshark has no fields for most totals, so the pcap-file crate reads them.
#[test]
fn the_pcap_file_crate_reads_the_totals() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcapng");
    write(&file, Format::Pcapng, Precision::Nano);
    let mut reader = PcapNgReader::new(File::open(&file).unwrap()).unwrap();
    let mut packets = 0;
    let mut statistics = Vec::new();
    while let Some(block) = reader.next_block() {
        match block.unwrap().0 {
            Block::EnhancedPacket(packet) => {
                assert_eq!(packet.timestamp, Duration::from_nanos(START.cast_unsigned()));
                assert_eq!(*packet.data, FRAME);
                packets += 1;
            }
            Block::InterfaceStatistics(block) => statistics.extend(block.into_owned().options),
            _ => {}
        }
    }
    assert_eq!(packets, 2);
    assert_eq!(
        statistics,
        [
            IsbOption::IsbStartTime(Duration::from_nanos(START.cast_unsigned())),
            IsbOption::IsbEndTime(Duration::from_nanos(START.cast_unsigned() + 2_000_000_000)),
            IsbOption::IsbIfRecv(12),
            IsbOption::IsbIfDrop(5),
            IsbOption::IsbFilterAccept(11),
            IsbOption::IsbOsDrop(5),
            IsbOption::IsbUsrDeliv(6),
        ]
    );
}

#[test]
fn interfaces_may_come_late() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcapng");
    let mut sink = output::open(&file, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&interface()).unwrap();
    sink.packet(&packet(Meta::default())).unwrap();
    sink.interface(&Interface { name: Some("eth5".into()), ..interface() }).unwrap();
    sink.packet(&Packet { interface: 1, ..packet(Meta::default()) }).unwrap();
    sink.finish(&[]).unwrap();
    assert_eq!(tshark(&file, &["frame.interface_name"]), [["eth4"], ["eth5"]]);
}

#[test]
fn an_interface_that_comes_late_has_its_own_totals() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcapng");
    let mut sink = output::open(&file, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&interface()).unwrap();
    sink.packet(&packet(Meta::default())).unwrap();
    sink.interface(&Interface { name: Some("eth5".into()), ..interface() }).unwrap();
    let mut block = Vec::new();
    encode::enhanced_packet(&mut block, &Packet { interface: 1, ..packet(Meta::default()) });
    sink.as_block_sink().unwrap().blocks(&block).unwrap();
    let totals =
        |interface| InterfaceStatistics { interface, delivered: 1, ..InterfaceStatistics::default() };
    sink.finish(&[totals(1), totals(0)]).unwrap();
    assert_eq!(tshark(&file, &["frame.interface_name"]), [["eth4"], ["eth5"]]);
    assert_eq!(read(&file).2, [totals(1), totals(0)]);
    run("capinfos", &[], &file);
}

#[test]
fn pcapng_has_microseconds_where_they_were_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcapng");
    write(&file, Format::Pcapng, Precision::Micro);
    assert!(run("capinfos", &[], &file).contains("Time precision = microseconds (6)"));
    assert_eq!(tshark(&file, &["frame.time_epoch"]), [["1700000000.123456000"]; 2]);
    let (_, packets, statistics) = read(&file);
    let start = START / 1000 * 1000;
    assert_eq!(packets[0].time, start);
    assert_eq!((statistics[0].start.0, statistics[0].end.0), (start, start + 2_000_000_000));
    let mut sink = output::open(&file, Format::Pcapng, Precision::Micro).unwrap();
    assert!(!sink.is_block_sink() && sink.as_block_sink().is_none());
}

#[test]
fn classic_pcap_holds_one_link_type() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcap");
    let mut sink = output::open(&file, Format::Pcap, Precision::Nano).unwrap();
    sink.interface(&interface()).unwrap();
    sink.interface(&interface()).unwrap();
    let error = sink.interface(&Interface { link_type: LinkType::RAW, ..interface() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: a pcap file holds one link type, not EN10MB (Ethernet) and RAW (Raw IP): write pcapng",
            file.display()
        )
    );
}

#[test]
fn captures_without_packets_open() {
    for (name, format) in [("none.pcap", Format::Pcap), ("none.pcapng", Format::Pcapng)] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        output::open(&file, format, Precision::Nano).unwrap().finish(&[]).unwrap();
        assert!(run("capinfos", &["-c"], &file).contains("Number of packets:   0"));
        let mut capture = CaptureFile::open(&file).unwrap();
        while let Some(item) = capture.next().unwrap() {
            assert!(matches!(item, Item::Interface(_) | Item::Block(_)));
        }
    }
}

/// USB captures have frames that are longer than those of other readers' limit for Ethernet.
#[test]
fn long_frames_are_whole() {
    for (name, format) in [("large.pcap", Format::Pcap), ("large.pcapng", Format::Pcapng)] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        let mut sink = output::open(&file, format, Precision::Nano).unwrap();
        sink.interface(&Interface { snap_len: 0, ..interface() }).unwrap();
        let frame = vec![0; 300_000];
        // The length on the wire is less than the captured length, as in hostile files.
        sink.packet(&Packet { frame: &frame, frame_len: 60, ..packet(Meta::default()) }).unwrap();
        sink.packet(&packet(Meta::default())).unwrap();
        sink.finish(&[]).unwrap();
        let packets = read(&file).1;
        let lengths: Vec<_> = packets.iter().map(|packet| (packet.frame.len(), packet.frame_len)).collect();
        assert_eq!(lengths, [(300_000, 300_000), (46, 60)]);
    }
}

/// Times that the formats cannot hold must not become other times.
#[test]
fn times_out_of_range_are_clamped() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.pcap");
    let mut sink = output::open(&file, Format::Pcap, Precision::Nano).unwrap();
    sink.interface(&interface()).unwrap();
    for time in [-1, i64::MAX] {
        sink.packet(&Packet { timestamp: Timestamp(time), ..packet(Meta::default()) }).unwrap();
    }
    sink.finish(&[]).unwrap();
    assert_eq!(tshark(&file, &["frame.time_epoch"]), [["0.000000000"], ["4294967295.999999999"]]);
}

#[test]
fn the_format_follows_the_name() {
    for (name, format) in [
        ("a.pcap", Format::Pcap),
        ("a.pcapng", Format::Pcapng),
        ("a.pcap.1", Format::Pcapng),
        ("a", Format::Pcapng),
        ("-", Format::Pcapng),
    ] {
        assert_eq!(Format::from_path(Path::new(name)), format, "{name}");
    }
}

/// A packet as it was read, with its own copy of the bytes.
#[derive(Clone, Debug, PartialEq)]
struct Owned {
    time: i64,
    interface: u32,
    frame: Vec<u8>,
    frame_len: u32,
    meta: Meta,
}

impl Owned {
    fn borrow(&self) -> Packet<'_> {
        Packet {
            timestamp: Timestamp(self.time),
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: self.interface,
            frame: &self.frame,
            frame_len: self.frame_len,
            meta: self.meta,
        }
    }
}

fn read(file: &Path) -> (Vec<Interface>, Vec<Owned>, Vec<InterfaceStatistics>) {
    let mut capture = CaptureFile::open(file).unwrap();
    let (mut interfaces, mut packets, mut statistics) = (vec![], vec![], vec![]);
    while let Some(item) = capture.next().unwrap() {
        match item {
            Item::Interface(interface) => {
                interfaces.push(Interface { original: Original::None, ..interface.clone() });
            }
            Item::Packet(packet) => packets.push(Owned {
                time: packet.timestamp.0,
                interface: packet.interface,
                frame: packet.frame.to_vec(),
                frame_len: packet.frame_len,
                meta: packet.meta,
            }),
            Item::Statistics(item, _) => statistics.push(item),
            Item::Block(_) => {}
        }
    }
    (interfaces, packets, statistics)
}

prop_compose! {
    fn any_meta()(
        direction in prop_oneof![
            Just(Direction::Unknown), Just(Direction::Inbound), Just(Direction::Outbound)
        ],
        queue in any::<Option<u32>>(),
        packet_id in any::<Option<u64>>(),
        verdict in any::<Option<u64>>(),
        lost in prop_oneof![Just(0), any::<u64>()],
        (hash, has_host_time) in any::<(Option<u32>, bool)>(),
    ) -> Meta {
        Meta { direction, queue, packet_id, verdict, lost, hash, has_host_time }
    }
}

prop_compose! {
    fn any_packet()(
        time in 0..=i64::MAX,
        interface in 0..2_u32,
        frame in collection::vec(any::<u8>(), 0..3000),
        cut in prop_oneof![Just(0), 0..1_000_000_u32],
        meta in any_meta(),
    ) -> Owned {
        let frame_len = frame.len() as u32 + cut;
        Owned { time, interface, frame, frame_len, meta }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pcapng_is_read_back_as_written(
        packets in collection::vec(any_packet(), 0..40),
        name in any::<Option<String>>(),
        speed in any::<Option<u64>>(),
        snap_len in any::<u32>(),
        received in any::<u64>(),
    ) {
        // NUL bytes at the end of a string are treated as padding.
        let name = name.map(|name| name.trim_end_matches('\0').to_owned());
        let interfaces =
            [interface(), Interface { name, speed, snap_len, link_type: LinkType::RAW, ..Interface::default() }];
        let statistics = InterfaceStatistics { interface: 1, received, ..InterfaceStatistics::default() };
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out");
        let mut sink = output::open(&file, Format::Pcapng, Precision::Nano).unwrap();
        for interface in &interfaces {
            sink.interface(interface).unwrap();
        }
        for packet in &packets {
            sink.packet(&packet.borrow()).unwrap();
        }
        sink.finish(&[statistics]).unwrap();
        prop_assert_eq!(read(&file), (interfaces.to_vec(), packets, vec![statistics]));
    }

    #[test]
    fn pcap_is_read_back_as_written(packets in collection::vec(any_packet(), 0..40), micro in any::<bool>()) {
        let (precision, unit) = if micro { (Precision::Micro, 1000) } else { (Precision::Nano, 1) };
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out.pcap");
        let mut sink = output::open(&file, Format::Pcap, precision).unwrap();
        sink.interface(&interface()).unwrap();
        let packets: Vec<_> = packets.into_iter().map(|packet| Owned {
            time: packet.time.min(i64::from(u32::MAX) * 1_000_000_000) / unit * unit,
            interface: 0,
            meta: Meta::default(),
            ..packet
        }).collect();
        for packet in &packets {
            sink.packet(&packet.borrow()).unwrap();
        }
        sink.finish(&[]).unwrap();
        let header = Interface { snap_len: 262_144, link_type: LinkType::ETHERNET, ..Interface::default() };
        prop_assert_eq!(read(&file), (vec![header], packets, vec![]));
    }
}
