use super::*;

fn filter(text: &str) -> Filter {
    Filter::compile(text, LinkType::ETHERNET).unwrap()
}

#[test]
fn the_intermediate_form_is_readable() {
    assert_eq!(
        filter("tcp src port 443").intermediate().to_string(),
        "\
(000) [12:2] == 0x86dd ? 001 : 003
(001) [20] == 6 ? 002 : reject
(002) [54:2] == 0x1bb ? accept : reject
(003) [12:2] == 0x800 ? 004 : reject
(004) [23] == 6 ? 005 : reject
(005) [20:2] has 0x1fff ? reject : 006
(006) [(([14] & 0xf) << 2) + 14:2] == 0x1bb ? accept : reject
"
    );
    assert_eq!(filter("").intermediate().to_string(), "accept\n");
}

#[test]
fn what_no_frame_can_match_is_refused() {
    for text in ["1 = 2", "tcp and udp", "ip and arp", "tcp and (udp or icmp)", "less 10 and 1 > 2"] {
        let error = Filter::compile(text, LinkType::ETHERNET).unwrap_err();
        assert_eq!(error.message(), "no frame can match this filter", "{text}");
        assert_eq!(error.span(), 0..text.len());
    }
    assert_eq!(Filter::compile("1 = 1", LinkType::ETHERNET).unwrap().intermediate().to_string(), "accept\n");
}

/// But not if the frames of another file, or of another interface in it, can match.
#[test]
fn a_link_type_without_the_protocol_has_no_frame_that_matches() {
    for link_type in [LinkType::RAW, LinkType::NULL] {
        assert!(Filter::compile("arp", link_type).is_err());
        let filter = Filter::compile_for_one_of_several("arp", link_type).unwrap();
        assert!(!filter.matches(&Frame { bytes: &[8, 6, 0, 1], len: 4, ..Frame::default() }));
        assert!(Filter::compile_for_one_of_several("ip and arp", link_type).is_err());
    }
}

#[test]
fn what_is_known_beside_the_bytes() {
    let frame = Frame {
        bytes: &[0; 60],
        len: 1500,
        direction: Direction::Inbound,
        queue: Some(3),
        cpu: Some(1),
        verdict: Some(1),
    };
    for text in
        ["verdict drop", "queue 3", "cpu 1", "inbound", "len = 1500", "not outbound and not verdict pass"]
    {
        assert!(filter(text).matches(&frame), "{text}");
    }
    for text in ["verdict redirect", "queue 0", "cpu 0", "outbound", "less 1499"] {
        assert!(!filter(text).matches(&frame), "{text}");
    }
}

/// A primitive about something unknown does not match.
#[test]
fn what_is_not_known_matches_nothing() {
    let frame = Frame { bytes: &[0; 60], len: 60, ..Frame::default() };
    for text in ["verdict aborted", "queue 0", "cpu 0", "inbound", "outbound"] {
        assert!(!filter(text).matches(&frame), "{text}");
        assert!(filter(&format!("not {text}")).matches(&frame), "not {text}");
    }
}

/// Whether filters can match depends on where frames are captured.
#[test]
fn what_no_frame_of_a_place_has_matches_nothing_there() {
    let can_match =
        |text: &str| [Here::RECEIVED, Here::AT_EXIT, Here::SENT].map(|place| filter(text).can_match(place));
    for (text, expected) in [
        ("", [true, true, true]),
        ("tcp", [true, true, true]),
        ("verdict pass", [true, true, false]),
        ("verdict drop", [false, true, false]),
        ("not verdict drop", [true, true, true]),
        ("verdict drop or (arp and cpu 1)", [true, true, true]),
        ("tcp and verdict drop", [false, true, false]),
        ("queue 3", [true, true, false]),
        ("inbound", [true, true, false]),
        ("outbound and tcp port 80", [false, false, true]),
        ("outbound or verdict tx", [false, true, true]),
    ] {
        assert_eq!(can_match(text), expected, "{text:?}");
    }
}

#[test]
fn too_many_tunnels_are_refused() {
    let error =
        Filter::compile("geneve and ".repeat(6).trim_end_matches(" and "), LinkType::ETHERNET).unwrap_err();
    assert!(error.to_string().contains("too many tunnels"), "{error}");
}

const TARGET: ebpf::Target = ebpf::Target {
    hook: ebpf::Hook::Xdp,
    tagged: false,
    multi_buffer: false,
    offloaded: true,
    verdict: false,
    direction: Direction::Inbound,
};

#[test]
fn instructions_are_printed_as_c_has_them() {
    let lines: Vec<String> =
        filter("ip").instructions(TARGET).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(lines[0], "{ 0xbf, 6, 1, 0, 0x00000000 },");
    assert_eq!(lines[6], "{ 0x69, 0, 1, 12, 0x00000000 },");
    assert_eq!(lines.last().unwrap(), "{ 0x95, 0, 0, 0, 0x00000000 },");
}

#[test]
fn what_is_not_known_in_the_kernel_is_refused_by_name() {
    assert_eq!(filter("cpu 1").instructions(TARGET), Err(ebpf::Refusal::NotKnown("the CPU")));
    let verdict = filter("verdict drop");
    assert!(verdict.instructions(TARGET).unwrap_err().to_string().contains("verdict"));
    assert!(verdict.instructions(ebpf::Target { verdict: true, ..TARGET }).is_ok());
    assert!(filter("tcp").instructions(TARGET).is_ok());
}

#[test]
fn only_link_types_that_are_known_are_filtered() {
    let error = Filter::compile("tcp", LinkType::IEEE802_11).unwrap_err();
    assert!(error.to_string().contains("IEEE802_11"), "{error}");
    assert!(Filter::compile("", LinkType::IEEE802_11).is_ok());
}

#[test]
fn cooked_headers_say_which_frames_were_sent() {
    for (link_type, at) in [(LinkType::LINUX_SLL, 1), (LinkType::LINUX_SLL2, 10)] {
        let matches = |text: &str, packet_type| {
            let mut bytes = [0; 40];
            bytes[at] = packet_type;
            let frame = Frame { bytes: &bytes, len: 40, ..Frame::default() };
            Filter::compile(text, link_type).unwrap().matches(&frame)
        };
        // PACKET_HOST, PACKET_OTHERHOST and PACKET_OUTGOING.
        assert_eq!([0, 3, 4].map(|packet_type| matches("inbound", packet_type)), [true, true, false]);
        assert_eq!([0, 3, 4].map(|packet_type| matches("outbound", packet_type)), [false, false, true]);
    }
}

#[test]
fn loopbacks_of_each_system_and_byte_order_have_ip() {
    for (text, families) in [("ip", &[2][..]), ("ip6", &[24, 28, 30][..])] {
        let filter = Filter::compile(text, LinkType::NULL).unwrap();
        for family in families.iter().flat_map(|family: &u32| [family.to_le_bytes(), family.to_be_bytes()]) {
            assert!(
                filter.matches(&Frame { bytes: &family, len: 4, ..Frame::default() }),
                "{text} {family:?}"
            );
        }
        assert!(!filter.matches(&Frame { bytes: &[0, 0, 0, 7], len: 4, ..Frame::default() }));
    }
}
