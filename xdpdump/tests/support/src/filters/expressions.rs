//! Filter expressions: some written by hand to cover the whole grammar, others generated at random.

use super::random::Random;

/// The expressions of the file, one per line, without blank lines and lines that begin with `#`.
pub fn written() -> Vec<String> {
    include_str!("expressions.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

const PROTOCOLS: &[&str] = &[
    "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp",
    "ah", "esp", "atalk", "aarp", "decnet", "lat", "sca", "moprc", "mopdl", "iso", "esis", "isis", "l1",
    "l2", "iih", "lsp", "snp", "csnp", "psnp", "clnp", "stp", "ipx", "netbeui",
];
const HOSTS: &[&str] = &[
    "10.0.0.1",
    "192.168.1.1",
    "10.0.0.2",
    "10.0.0",
    "192.168",
    "2001:db8::1",
    "ff02::1:ff00:2",
    "127.0.0.1",
];
const NETS: &[&str] = &[
    "10.0.0.0/8",
    "192.168.0.0/16",
    "192.168.1.0 mask 255.255.255.0",
    "10",
    "192.168.1",
    "2001:db8::/32",
    "ff00::/8",
    "0.0.0.0/0",
    "::/0",
];
const PORTS: &[&str] = &["80", "443", "53", "22", "5353", "http", "domain", "ssh", "6081", "0", "65535"];
const RANGES: &[&str] = &["0-100", "80-443", "443-80", "6000-6100", "1024-65535"];
const SIDES: &[&str] = &["src", "dst", "src or dst", "src and dst", "dst or src", ""];
const LOADED: &[&str] =
    &["ether", "ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "rarp", "decnet"];
const RELATIONS: &[&str] = &["=", "==", "!=", "<", ">", "<=", ">="];
const OPERATORS: &[&str] = &["+", "-", "*", "&", "|", "^", "<<", ">>", "/", "%"];

/// A random expression, which libpcap accepts in nearly all cases.
pub fn generated(random: &mut Random) -> String {
    let terms = 1 + random.below(4);
    chain(random, terms, 2)
}

fn chain(random: &mut Random, terms: usize, depth: usize) -> String {
    let mut text = String::new();
    let mut inheritable: Option<&[&str]> = None;
    for term in 0..terms {
        if term > 0 {
            text += random.of(&[" and ", " or ", " && ", " || "]);
            // An address without qualifiers, which inherits those of the term before it.
            if let Some(choices) = inheritable
                && random.one_in(3)
            {
                text += random.of(choices);
                continue;
            }
        }
        if random.one_in(5) {
            text += random.of(&["not ", "! "]);
        }
        if depth > 0 && random.one_in(4) {
            let inside = 1 + random.below(3);
            text += &format!("({})", chain(random, inside, depth - 1));
            inheritable = None;
        } else {
            let (primitive, choices) = primitive(random);
            text += &primitive;
            inheritable = choices;
        }
    }
    text
}

/// A primitive, and the addresses that may follow it without qualifiers.
fn primitive(random: &mut Random) -> (String, Option<&'static [&'static str]>) {
    match random.below(12) {
        0 | 1 => (random.of(PROTOCOLS).to_owned(), None),
        2 | 3 => (format!("{} host {}", random.of(SIDES), random.of(HOSTS)), Some(HOSTS)),
        4 => (format!("{} net {}", random.of(SIDES), random.of(NETS)), None),
        5 | 6 => {
            let protocol = random.of(&["", "tcp", "udp", "sctp"]);
            (
                format!("{protocol} {} port {}", random.of(SIDES), port(random, protocol)),
                Some(&["80", "443", "53"]),
            )
        }
        7 => (
            format!(
                "{} {} portrange {}",
                random.of(&["", "tcp", "udp"]),
                random.of(SIDES),
                random.of(RANGES)
            ),
            None,
        ),
        8 => {
            let within = random.of(&["", "ip", "ip6", "ether"]);
            (
                format!("{within} proto {}", random.of(&["6", "17", "1", "58", "0x800", "2048", "66"])),
                Some(&["17", "6"]),
            )
        }
        9 => (relation(random), None),
        10 => (
            random
                .of(&[
                    "vlan",
                    "vlan 100",
                    "vlan 7",
                    "pppoed",
                    "broadcast",
                    "multicast",
                    "ip multicast",
                    "ip6 multicast",
                    "ip broadcast",
                    "ether multicast",
                    "ether host 02:00:00:00:00:01",
                    "ether src 02:00:00:00:00:02",
                    "less 60",
                    "greater 100",
                    "llc",
                    "llc s",
                    "llc ui",
                ])
                .to_owned(),
            None,
        ),
        _ => (
            random.of(&["mpls", "mpls 16", "pppoes", "pppoes 5", "len > 64", "ip", "ip6", "tcp"]).to_owned(),
            None,
        ),
    }
}

/// A port that is valid for the protocol: names of services belong to protocols.
fn port(random: &mut Random, protocol: &str) -> &'static str {
    let numbers = &["80", "443", "53", "22", "5353", "6081", "0", "65535"];
    if protocol.is_empty() { random.of(PORTS) } else { random.of(numbers) }
}

fn relation(random: &mut Random) -> String {
    format!("{} {} {}", arithmetic(random, 2), random.of(RELATIONS), arithmetic(random, 1))
}

fn arithmetic(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 3 } else { 6 }) {
        0 => random
            .of(&["0", "1", "2", "6", "17", "64", "0x40", "255", "1500", "tcp-syn", "icmp-echo"])
            .to_owned(),
        1 => {
            random.of(&["len", "tcp[tcpflags]", "ip[0]", "ether[0]", "ip[2:2]", "icmp[icmptype]"]).to_owned()
        }
        2 | 3 => {
            let size = random.of(&["", ":1", ":2", ":4"]);
            format!("{}[{}{size}]", random.of(LOADED), random.below(30))
        }
        4 => {
            let operator = random.of(OPERATORS);
            // No loads on the right side: there libpcap forgets the protocol of a load.
            let right = random.of(&["1", "2", "3", "4", "31", "len"]);
            let left = arithmetic(random, depth - 1);
            if random.one_in(2) {
                format!("({left} {operator} {right})")
            } else {
                format!("{left} {operator} {right}")
            }
        }
        _ => format!("{}[{}]", random.of(LOADED), arithmetic(random, depth - 1)),
    }
}
