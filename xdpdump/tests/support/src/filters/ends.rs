//! Generates frames, and notes where their headers end.

use super::{
    made::{ETHERNET_IN_TUNNEL, IPV4, IPV6},
    random::Random,
};
use xdpdump::packet::LinkType;

/// Number of nested frames that are examined.
const LEVELS: u32 = 3;
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Optional fields of GTP-U: none, the sequence number, and up to three extension headers.
const GTP_FIELDS: [(u8, &[u8]); 5] = [
    (0x30, &[]),
    (0x32, &[0, 7, 0, 0]),
    (0x34, &[0, 0, 0, 0]),
    (0x34, &[0, 0, 0, 0x85, 1, 0, 9, 0]),
    (0x36, &[0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0x85, 1, 0, 0, 0]),
];

/// A frame, and where its headers end.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Bytes up to the end of the last header.
    pub end: usize,
    /// Bytes that are needed to see that no other header follows.
    pub seen: usize,
    /// The headers as text, for messages.
    pub name: String,
}

/// Adds what follows an IP header with a certain protocol number, at a level of nesting.
type Inside = fn(&mut Maker<'_>, u32);

/// Appends layers to a frame.
struct Maker<'a> {
    random: &'a mut Random,
    frame: Ended,
}

/// A frame with random headers and something after them.
pub fn random(random: &mut Random, link_type: LinkType) -> Ended {
    let mut maker = Maker { random, frame: Ended::default() };
    if link_type == LinkType::RAW {
        maker.packet(1);
    } else {
        maker.ethernet(1);
    }
    maker.finish()
}

impl Maker<'_> {
    fn finish(mut self) -> Ended {
        let rest = self.random.below(40);
        self.payload(&vec![0; rest]);
        self.frame
    }

    fn header(&mut self, name: &str, bytes: &[u8]) {
        self.payload(bytes);
        self.frame.end = self.frame.bytes.len();
        self.frame.name += name;
        self.frame.name.push(' ');
    }

    fn payload(&mut self, bytes: &[u8]) {
        self.frame.bytes.extend(bytes);
    }

    fn ethernet(&mut self, level: u32) {
        self.payload(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        let mut name = "ethernet";
        for _ in 0..self.random.below(3) {
            let tag = TAGS[self.random.below(TAGS.len())];
            self.header(name, &tag.to_be_bytes());
            self.payload(&[0, 7]);
            name = "vlan";
        }
        self.carried(name, level);
    }

    /// Adds an EtherType and its protocol.
    fn carried(&mut self, name: &str, level: u32) {
        match self.random.below(10) {
            0 => {
                let ether_type = [0x0806u16, 0x8035][self.random.below(2)];
                let [hardware, protocol] =
                    [[6u8, 4], [8, 4], [0, 0], [20, 16], [255, 255]][self.random.below(5)];
                self.header(name, &ether_type.to_be_bytes());
                self.payload(&[0, 1, 8, 0, hardware, protocol, 0, 1]);
                self.header("arp", &vec![1; 2 * (usize::from(hardware) + usize::from(protocol))]);
            }
            1 => {
                let ether_type = [0x88ccu16, 0x88f7, 0x0026, 0x8137][self.random.below(4)];
                self.header(name, &ether_type.to_be_bytes());
                self.payload(&[0x45; 40]);
            }
            2 => {
                let multicast = self.random.below(2) as u8;
                self.header(name, &[0x88, 0x47 + multicast]);
                for left in (0..=self.random.below(4)).rev() {
                    self.header("mpls", &[0, 1, u8::from(left == 0), 64]);
                }
                self.packet_or_other(level, &[0x50; 40]);
            }
            3 => {
                self.header(name, &0x8864u16.to_be_bytes());
                self.payload(&[0x11, 0, 0, 5, 0, 40]);
                match self.random.below(3) {
                    0 => {
                        self.header("pppoe", &[0, 0x21]);
                        self.ipv4(level);
                    }
                    1 => {
                        self.header("pppoe", &[0, 0x57]);
                        self.ipv6(level);
                    }
                    // Link control, which does not count as a header.
                    _ => {
                        self.header("pppoe", &[0xc0, 0x21]);
                        self.payload(&[0x45; 40]);
                    }
                }
            }
            4..=7 => {
                self.header(name, &IPV4.to_be_bytes());
                self.ipv4(level);
            }
            _ => {
                self.header(name, &IPV6.to_be_bytes());
                self.ipv6(level);
            }
        }
    }

    /// Adds a packet that is identified only by its version field.
    fn packet(&mut self, level: u32) {
        if self.random.one_in(2) {
            self.ipv4(level);
        } else {
            self.ipv6(level);
        }
    }

    fn packet_or_other(&mut self, level: u32, other: &[u8]) {
        if self.random.one_in(5) {
            self.payload(other);
        } else {
            self.packet(level);
        }
    }

    fn ipv4(&mut self, level: u32) {
        let words = self.random.below(11);
        let [fragment_high, fragment_low] =
            [[0, 0], [0x40, 0], [0x20, 0], [0x20, 5], [0, 1], [0x1f, 0xff]][self.random.below(6)];
        let authenticated = self.random.one_in(6);
        let (protocol, inside) = self.protocol(level);
        let first = if authenticated { 51 } else { protocol };
        self.payload(&[0x45 + words as u8, 0, 0, 0, 0, 0, fragment_high, fragment_low, 64, first]);
        self.payload(&[0, 0, 10, 0, 0, 1, 192, 168, 1, 1]);
        self.header("ipv4", &vec![1; words * 4]);
        if [fragment_high & 0x1f, fragment_low] != [0, 0] {
            return self.payload(&[0x55; 40]);
        }
        if authenticated {
            self.authentication(protocol);
        }
        inside(self, level);
    }

    fn authentication(&mut self, next: u8) {
        let words = self.random.below(7);
        self.header("ah", &[&[next, words as u8 + 1, 0, 0][..], &vec![9; 8 + words * 4]].concat());
    }

    fn ipv6(&mut self, level: u32) {
        let count = if self.random.one_in(3) { self.random.below(8) } else { 0 };
        let extensions: Vec<u8> = (0..count).map(|_| [0, 43, 60, 44, 51][self.random.below(5)]).collect();
        let (protocol, inside) = self.protocol(level);
        let next = |at: usize| extensions.get(at).copied().unwrap_or(protocol);
        self.payload(&[0x60, 0, 0, 0, 0, 40, next(0), 64]);
        self.header("ipv6", &[0x20; 32]);
        for (at, &extension) in extensions.iter().enumerate() {
            match extension {
                44 => {
                    // The lowest three bits do not belong to the fragment offset.
                    let [high, low] = [[0, 0], [0, 7], [0, 1], [0, 8], [0xff, 0xf9]][self.random.below(5)];
                    self.header("fragment", &[next(at + 1), 0xee, high, low, 0, 0, 0, 1]);
                    if [high, low & 0xf8] != [0, 0] {
                        return self.payload(&[0x55; 40]);
                    }
                }
                51 => self.authentication(next(at + 1)),
                _ => {
                    let units = self.random.below(4);
                    let header = [&[next(at + 1), units as u8][..], &vec![1; 6 + units * 8]].concat();
                    self.header("extension", &header);
                }
            }
        }
        inside(self, level);
    }

    /// A random protocol over IP, and the function that adds it.
    fn protocol(&mut self, level: u32) -> (u8, Inside) {
        let protocols: [(u8, Inside); 14] = [
            (6, |maker, _| maker.tcp()),
            (17, |maker, _| maker.udp("udp", 53)),
            (1, |maker, _| maker.header("icmp", &[8; 8])),
            (58, |maker, _| maker.header("icmpv6", &[8; 8])),
            (2, |maker, _| maker.header("igmp", &[8; 8])),
            (50, |maker, _| maker.header("esp", &[8; 8])),
            (132, |maker, _| maker.header("sctp", &[8; 12])),
            (33, |maker, _| maker.header("dccp", &[8; 12])),
            (136, |maker, _| maker.header("udplite", &[8; 8])),
            (89, |maker, _| maker.payload(&[0x45; 40])),
            (17, |maker, level| maker.udp_tunnel(level)),
            (47, |maker, level| maker.gre(level)),
            (4, |maker, level| {
                if level < LEVELS {
                    maker.ipv4(level + 1);
                }
            }),
            (41, |maker, level| {
                if level < LEVELS {
                    maker.ipv6(level + 1);
                }
            }),
        ];
        // Prefers tunnels at levels where they are examined.
        let first = if level < LEVELS && self.random.one_in(2) { 10 } else { 0 };
        protocols[first + self.random.below(protocols.len() - first)]
    }

    fn tcp(&mut self) {
        // A length smaller than the fixed part does not make the header shorter.
        let words = self.random.below(16);
        self.payload(&[0, 80, 1, 187, 0, 0, 0, 1, 0, 0, 0, 0, (words << 4) as u8, 2]);
        self.header("tcp", &vec![1; 6 + 4 * words.saturating_sub(5)]);
    }

    fn udp(&mut self, name: &str, port: u16) {
        self.header(name, &[&[0, 1][..], &port.to_be_bytes(), &[0, 40, 0, 0]].concat());
    }

    fn udp_tunnel(&mut self, level: u32) {
        let port = [4789, 8472, 6081, 2152][self.random.below(4)];
        self.udp("udp", port);
        if level == LEVELS {
            return self.payload(&[8; 40]);
        }
        match port {
            6081 => {
                if self.random.one_in(6) {
                    // Another version.
                    return self.payload(&[0x40; 40]);
                }
                let options = self.random.below(64);
                self.payload(&[options as u8, 0]);
                let rest = [&[0, 0, 9, 0][..], &vec![0x55; options * 4]].concat();
                self.tunnelled("geneve", &rest, level);
            }
            2152 => self.gtp(level),
            _ => {
                if self.random.one_in(6) {
                    // Without the I flag, there is no valid network identifier (RFC 7348).
                    return self.payload(&[0; 40]);
                }
                self.header("vxlan", &[8, 0, 0, 0, 0, 0, 9, 0]);
                self.ethernet(level + 1);
            }
        }
    }

    fn gtp(&mut self, level: u32) {
        let (flags, optional) = GTP_FIELDS[self.random.below(GTP_FIELDS.len())];
        let header = [&[flags, 255, 0, 0, 0, 0, 0, 1][..], optional].concat();
        match self.random.below(6) {
            // An echo request, according to the type in the second byte.
            0 => {
                self.frame.seen = self.frame.bytes.len() + 2;
                self.payload(&[flags, 1, 0x45, 0x45, 0, 0, 0, 1]);
            }
            // The payload is not IP.
            1 => {
                self.payload(&header);
                self.frame.seen = self.frame.bytes.len() + 1;
                let other = [0, 0x12, 0x54, 0x81][self.random.below(4)];
                self.payload(&[other; 40]);
            }
            _ => {
                self.header("gtp", &header);
                self.packet(level + 1);
            }
        }
    }

    fn gre(&mut self, level: u32) {
        if level == LEVELS {
            self.header("gre", &[0, 0, 8, 0]);
            return self.payload(&[0x45; 40]);
        }
        // Routing, or version 1: what follows the fixed part is not known.
        if self.random.one_in(6) {
            let flags = [0x40, 0x01][self.random.below(2)];
            self.header("gre", &[flags & 0xf0, flags & 0x0f, 0x88, 0x0b]);
            return self.payload(&[0x45; 40]);
        }
        let flags = (0x10 * self.random.below(16) as u8) & 0xb0;
        self.payload(&[flags, 0]);
        let rest = vec![0xee; 4 * flags.count_ones() as usize];
        self.tunnelled("gre", &rest, level);
    }

    /// Adds an EtherType, the rest of a tunnel header, and the protocol of the EtherType.
    fn tunnelled(&mut self, name: &str, rest: &[u8], level: u32) {
        let put = |maker: &mut Self, ether_type: u16| {
            maker.payload(&ether_type.to_be_bytes());
            maker.header(name, rest);
        };
        match self.random.below(5) {
            0 | 1 => {
                put(self, ETHERNET_IN_TUNNEL);
                self.ethernet(level + 1);
            }
            2 => {
                put(self, IPV4);
                self.ipv4(level + 1);
            }
            3 => {
                put(self, IPV6);
                self.ipv6(level + 1);
            }
            _ => {
                put(self, 0x880b);
                self.payload(&[0x45; 40]);
            }
        }
    }
}
