//! Builds frames by hand, so that every field can have a wrong value.

/// The bytes for a string of hex digits; spaces are ignored.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let digit = |ascii: u8| char::from(ascii).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for pair in parts.concat().chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

pub const CLIENT: [u8; 4] = [10, 0, 0, 1];
pub const SERVER: [u8; 4] = [10, 0, 0, 2];
const SRC6: &str = "fe800000000000000000000000000001";
const DST6: &str = "ff020000000000000000000000000002";

/// An Ethernet frame.
pub fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&hex("020000000002020000000001")[..], &ethertype.to_be_bytes(), payload].concat()
}

/// An 802.1Q tag around the payload of a frame.
pub fn tag(frame: &[u8], tpid: u16, tci: u16) -> Vec<u8> {
    [&frame[..12], &tpid.to_be_bytes(), &tci.to_be_bytes(), &frame[12..]].concat()
}

/// An IPv4 header whose fields can be set before it is built.
#[derive(Clone)]
pub struct Ipv4<'a> {
    pub src: [u8; 4],
    pub dst: [u8; 4],
    pub tos: u8,
    pub fragment: u16,
    pub options: &'a [u8],
    /// Values that replace the right ones.
    pub version: u8,
    pub words: Option<u8>,
    pub total: Option<u16>,
    pub checksum: Option<u16>,
}

impl Default for Ipv4<'_> {
    fn default() -> Self {
        Self {
            src: CLIENT,
            dst: SERVER,
            tos: 0,
            fragment: 0,
            options: &[],
            version: 4,
            words: None,
            total: None,
            checksum: None,
        }
    }
}

impl Ipv4<'_> {
    pub fn packet(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let len = 20 + self.options.len();
        let words = self.words.unwrap_or(len as u8 / 4);
        let total = self.total.unwrap_or((len + payload.len()) as u16);
        let mut header = vec![self.version << 4 | words, self.tos];
        header.extend_from_slice(&total.to_be_bytes());
        header.extend_from_slice(&[0x12, 0x34]);
        header.extend_from_slice(&self.fragment.to_be_bytes());
        header.extend_from_slice(&[64, protocol, 0, 0]);
        header.extend_from_slice(&self.src);
        header.extend_from_slice(&self.dst);
        header.extend_from_slice(self.options);
        let checksum = self.checksum.unwrap_or_else(|| sum(&[&header]));
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        [&header[..], payload].concat()
    }

    pub fn frame(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        ethernet(0x0800, &self.packet(protocol, payload))
    }

    /// A frame with a message whose checksum, at offset `at`, covers the pseudo header.
    pub fn summed(&self, protocol: u8, at: usize, message: &[u8]) -> Vec<u8> {
        let pseudo = [&self.src[..], &self.dst, &[0, protocol], &(message.len() as u16).to_be_bytes()];
        self.frame(protocol, &fill(at, message, &pseudo.concat()))
    }
}

/// An IPv6 header.
#[derive(Clone)]
pub struct Ipv6 {
    pub class: u8,
    pub flow: u32,
    pub hops: u8,
    pub version: u8,
    pub length: Option<u16>,
}

impl Default for Ipv6 {
    fn default() -> Self {
        Self { class: 0, flow: 0, hops: 64, version: 6, length: None }
    }
}

impl Ipv6 {
    pub fn packet(&self, next: u8, payload: &[u8]) -> Vec<u8> {
        let first = u32::from(self.version) << 28 | u32::from(self.class) << 20 | self.flow;
        let length = self.length.unwrap_or(payload.len() as u16);
        let addresses = [hex(SRC6), hex(DST6)].concat();
        let next = [next, self.hops];
        [&first.to_be_bytes()[..], &length.to_be_bytes(), &next, &addresses, payload].concat()
    }

    pub fn frame(&self, next: u8, payload: &[u8]) -> Vec<u8> {
        ethernet(0x86dd, &self.packet(next, payload))
    }

    /// A message whose checksum, which covers the pseudo header, is filled in at offset `at`.
    pub fn message(protocol: u8, at: usize, message: &[u8]) -> Vec<u8> {
        let length = (message.len() as u32).to_be_bytes();
        let pseudo = [&hex(SRC6)[..], &hex(DST6), &length, &[0, 0, 0, protocol]].concat();
        fill(at, message, &pseudo)
    }

    pub fn summed(&self, protocol: u8, at: usize, message: &[u8]) -> Vec<u8> {
        self.frame(protocol, &Self::message(protocol, at, message))
    }
}

fn fill(at: usize, message: &[u8], pseudo: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[at..at + 2].fill(0);
    let checksum = sum(&[pseudo, &message]);
    message[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// An ICMP (version 4) message with its checksum.
pub fn icmp(kind: u8, code: u8, rest: &[u8], payload: &[u8]) -> Vec<u8> {
    fill(2, &[&[kind, code, 0, 0][..], rest, payload].concat(), &[])
}

/// A UDP datagram without checksum.
pub fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    udp_with(src, dst, 8 + payload.len() as u16, 0, payload)
}

pub fn udp_with(src: u16, dst: u16, length: u16, checksum: u16, payload: &[u8]) -> Vec<u8> {
    let fields: Vec<u8> = [src, dst, length, checksum].iter().flat_map(|field| field.to_be_bytes()).collect();
    [&fields[..], payload].concat()
}

/// A TCP segment without checksum.
#[derive(Clone)]
pub struct Tcp<'a> {
    pub src: u16,
    pub dst: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u16,
    pub window: u16,
    pub urgent: u16,
    pub options: &'a [u8],
    pub words: Option<u16>,
}

impl Default for Tcp<'_> {
    fn default() -> Self {
        Self {
            src: 40_000,
            dst: 9000,
            seq: 1000,
            ack: 0,
            flags: 2,
            window: 512,
            urgent: 0,
            options: &[],
            words: None,
        }
    }
}

impl Tcp<'_> {
    pub fn segment(&self, payload: &[u8]) -> Vec<u8> {
        let words = self.words.unwrap_or(5 + self.options.len() as u16 / 4);
        let mut segment = Vec::new();
        segment.extend_from_slice(&self.src.to_be_bytes());
        segment.extend_from_slice(&self.dst.to_be_bytes());
        segment.extend_from_slice(&self.seq.to_be_bytes());
        segment.extend_from_slice(&self.ack.to_be_bytes());
        for field in [words << 12 | self.flags, self.window, 0, self.urgent] {
            segment.extend_from_slice(&field.to_be_bytes());
        }
        [&segment[..], self.options, payload].concat()
    }
}
