use super::parse;

/// The message of a complaint, and the part of the text that it is about.
fn complaint(text: &str) -> (String, &str) {
    let complaint = parse(text).expect_err(text);
    (complaint.message, &text[complaint.span])
}

#[test]
fn complaints_name_the_place_and_what_belongs_there() {
    for (text, place, words) in [
        ("tcp prot 80", "prot", "'and', 'or' or the end"),
        ("tcp and", "", "a protocol, 'host'"),
        ("port", "", "the number or name of a port"),
        ("port tcp", "tcp", "the number or name of a port"),
        ("ip proto tcp", "tcp", "'\\tcp'"),
        ("host 10.0.0.0/33", "33", "at most 32 bits"),
        ("net 10.0.0.1/8", "10.0.0.1/8", "not part of the network"),
        ("tcp[13", "", "']'"),
        ("tcp[13:3] = 1", "3", "1, 2 or 4"),
        ("tcp[13] & 2", "", "an operator such as '='"),
        ("ip[0] = 5 = 6", "=", "the end of the filter"),
        ("(tcp or udp", "", "')'"),
        ("tcp or udp)", ")", "the end of the filter"),
        ("src or host 1.2.3.4", "host", "'dst'"),
        ("10.0.0.1", "10.0.0.1", "'host', 'net'"),
        ("vlan 4096", "4096", "at most 4095"),
        ("vpi 3", "vpi", "ATM"),
        ("llc nosuch", "nosuch", "an LLC type"),
        ("ether", "", "'host', 'proto'"),
        ("verdict maybe", "maybe", "aborted, drop, pass"),
        ("queue", "", "the number of a receive queue"),
        ("tcp and 10.0.0.1", "10.0.0.1", "'host', 'net'"),
    ] {
        let (message, marked) = complaint(text);
        assert_eq!(marked, place, "{text}: {message}");
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn depth_and_length_have_ends() {
    for deep in ["(".repeat(10_000), "not ".repeat(10_000), format!("len = {}1", "-".repeat(10_000))] {
        let (message, _) = complaint(&deep);
        assert!(message.contains("deep"), "{message}");
    }
    assert!(complaint(&"tcp or ".repeat(40_000)).0.contains("too long"));
}

#[test]
fn own_words_are_names_where_libpcap_has_names() {
    for text in [
        "host inner",
        "host a or inner",
        "host a or (queue)",
        "verdict drop",
        "host a and verdict drop",
        "inner tcp port 80",
        "host a and inner host b",
        "not inner (udp or tcp)",
        "queue 3 or cpu 1",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
    assert!(parse("inner").is_err());
}

#[test]
fn nothing_is_a_filter_too() {
    assert_eq!(parse(" \n\t"), Ok(None));
}
