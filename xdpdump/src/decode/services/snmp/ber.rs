//! ASN.1's basic encoding rules (ITU-T X.690), as far as SNMP uses them (RFC 1157, RFC 3417 §8).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;

/// Why an element could not be read.
pub(super) enum Stop {
    /// The bytes were not captured.
    Cut(Truncated),
    /// The encoding is wrong, which the line says already.
    Wrong,
}

impl From<Truncated> for Stop {
    fn from(truncated: Truncated) -> Self {
        Self::Cut(truncated)
    }
}

/// Elements that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a> {
    cursor: Cursor<'a>,
    /// Bytes that are left according to the lengths of what they are in.
    left: usize,
}

/// An element.
pub(super) enum Element<'a> {
    Int(i32),
    Unsigned(u32),
    Counter64(u64),
    Bytes(&'a [u8]),
    Null,
    ObjectId(&'a [u8]),
    Address(&'a [u8]),
    /// Why a variable has no value (RFC 3416 §3).
    Exception(&'static str),
    Sequence(Elements<'a>),
    /// A message of this number.
    Pdu(u8, Elements<'a>),
    /// An element whose name is printed already.
    Other(&'a [u8]),
}

/// Names of universal types.
const UNIVERSAL: [&str; 18] = [
    "U-0",
    "Boolean",
    "Integer",
    "Bitstring",
    "String",
    "Null",
    "ObjID",
    "ObjectDes",
    "U-8",
    "U-9",
    "U-10",
    "U-11",
    "U-12",
    "U-13",
    "U-14",
    "U-15",
    "Sequence",
    "Set",
];
/// Names of SNMP's own types (RFC 2578 §7).
const APPLICATION: [&str; 7] = ["IpAddress", "Counter", "Gauge", "TimeTicks", "Opaque", "C-5", "Counter64"];
/// Names of messages (RFC 3416 §3).
const PDUS: [&str; 9] = [
    "GetRequest",
    "GetNextRequest",
    "GetResponse",
    "SetRequest",
    "Trap",
    "GetBulk",
    "Inform",
    "V2Trap",
    "Report",
];

impl<'a> Elements<'a> {
    /// The elements in a message of `len` bytes.
    pub(super) fn new(cursor: Cursor<'a>, len: usize) -> Self {
        Self { cursor, left: len }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    fn byte(&mut self) -> Result<u8, Truncated> {
        self.left = self.left.saturating_sub(1);
        self.cursor.u8()
    }

    /// The next element.
    pub(super) fn next(&mut self, p: &mut Printer<'_>) -> Result<Element<'a>, Stop> {
        if self.left == 0 {
            p.text("[nothing to parse]");
            return Err(Stop::Wrong);
        }
        let tag = self.byte()?;
        let mut id = u32::from(tag & 31);
        if id == 31 {
            id = self.long_id(p)?;
        }
        if self.left == 0 {
            p.text("[no asnlen]");
            return Err(Stop::Wrong);
        }
        let len = self.length(p)?;
        if self.left < len {
            write!(p, "[len{}<asnlen{len}]", self.left);
            return Err(Stop::Wrong);
        }
        let start = self.cursor;
        let content = self.cursor.take(len)?;
        self.left -= len;
        let mut inner = start;
        let inside = Elements { cursor: Cursor::new("snmp", inner.take(len)?), left: len };
        classify(p, tag, id, content, inside)
    }

    /// The number of a tag that does not fit into its first byte.
    fn long_id(&mut self, p: &mut Printer<'_>) -> Result<u32, Stop> {
        let mut id = 0_u32;
        loop {
            if self.left == 0 {
                p.text("[Xtagfield?]");
                return Err(Stop::Wrong);
            }
            let byte = self.byte()?;
            id = id << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(id);
            }
        }
    }

    fn length(&mut self, p: &mut Printer<'_>) -> Result<usize, Stop> {
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return Ok(usize::from(first));
        }
        let count = usize::from(first & 0x7f);
        if self.left < count {
            write!(p, "[asnlen? {}<{count}]", self.left);
            return Err(Stop::Wrong);
        }
        let mut len = 0_u32;
        for _ in 0..count {
            len = len << 8 | u32::from(self.byte()?);
        }
        Ok(len as usize)
    }
}

/// What an element is, from its tag. Prints the names of types that are shown with their bytes only.
fn classify<'a>(
    p: &mut Printer<'_>,
    tag: u8,
    id: u32,
    content: &'a [u8],
    inside: Elements<'a>,
) -> Result<Element<'a>, Stop> {
    let constructed = tag & 0x20 != 0;
    let form = if constructed { 'C' } else { 'P' };
    let (names, letter): (&[&str], char) = match tag >> 6 {
        0 => (&UNIVERSAL, 'U'),
        1 => (&APPLICATION, if constructed { 'x' } else { 'A' }),
        2 => (&PDUS, 'C'),
        _ => (&["P-0"], 'x'),
    };
    let Some(name) = names.get(id as usize) else {
        write!(p, "[id?{form}/x/{id}]");
        return Err(Stop::Wrong);
    };
    Ok(match (constructed, tag >> 6, id) {
        (false, 0, 2) if content.is_empty() => {
            p.text("[asnlen=0]");
            return Err(Stop::Wrong);
        }
        (false, 0, 2) => Element::Int(integer(content)),
        (false, 0, 4) => Element::Bytes(content),
        (false, 0, 5) => Element::Null,
        (false, 0, 6) => Element::ObjectId(content),
        (false, 1, 0) => Element::Address(content),
        (false, 1, 1..=3) => {
            Element::Unsigned(content.iter().fold(0, |so_far, byte| so_far << 8 | u32::from(*byte)))
        }
        (false, 1, 6) => {
            Element::Counter64(content.iter().fold(0, |so_far, byte| so_far << 8 | u64::from(*byte)))
        }
        (false, 2, 0) => Element::Exception("[noSuchObject]"),
        (false, 2, 1) => Element::Exception("[noSuchInstance]"),
        (false, 2, 2) => Element::Exception("[endOfMibView]"),
        (false, 2, _) => Element::Exception("[BE_ANY!?]"),
        (true, 0, 16) => Element::Sequence(inside),
        (true, 2, _) => Element::Pdu(id as u8, inside),
        (false, ..) => {
            write!(p, "[P/{letter}/{name}]");
            Element::Other(content)
        }
        (true, ..) => {
            write!(p, "C/{letter}/{name}");
            Element::Other(content)
        }
    })
}

/// A signed number; of one that is too long, the last four bytes.
fn integer(content: &[u8]) -> i32 {
    let start = if content.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    content.iter().fold(start, |so_far: i32, byte| so_far << 8 | i32::from(*byte))
}

impl Element<'_> {
    /// Prints the value.
    pub(super) fn print(&self, p: &mut Printer<'_>) {
        match self {
            Self::Int(value) => write!(p, "{value}"),
            Self::Unsigned(value) => write!(p, "{value}"),
            Self::Counter64(value) => write!(p, "{value}"),
            Self::Bytes(bytes) => print_bytes(p, bytes),
            Self::Null => {}
            Self::ObjectId(bytes) => print_object_id(p, bytes),
            Self::Address(bytes) => print_address(p, bytes),
            Self::Exception(name) => p.text(name),
            Self::Sequence(inside) => write!(p, "Seq({})", inside.left),
            Self::Pdu(id, inside) => {
                write!(p, "{}({})", PDUS.get(usize::from(*id)).copied().unwrap_or_default(), inside.left);
            }
            Self::Other(bytes) => print_hex(p, bytes),
        }
    }
}

fn print_address(p: &mut Printer<'_>, bytes: &[u8]) {
    if let [a, b, c, d] = *bytes {
        write!(p, "{}", Ipv4([a, b, c, d]));
        return;
    }
    p.text("[inetaddr len!=4]");
    for (i, byte) in bytes.iter().enumerate() {
        write!(p, "{}{byte}", if i > 0 { "." } else { "" });
    }
}

/// Prints text in quotes, or bytes in hex if one of them is not printable.
fn print_bytes(p: &mut Printer<'_>, bytes: &[u8]) {
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        p.text("\"");
        p.escaped(bytes);
        p.text("\"");
    } else {
        for (i, byte) in bytes.iter().enumerate() {
            write!(p, "{}{byte:02x}", if i > 0 { "_" } else { "" });
        }
    }
}

/// Prints each byte in hex after an underscore.
pub(super) fn print_hex(p: &mut Printer<'_>, bytes: &[u8]) {
    for byte in bytes {
        write!(p, "_{byte:02x}");
    }
}

fn print_object_id(p: &mut Printer<'_>, bytes: &[u8]) {
    let mut number = 0_u32;
    let mut first = true;
    for byte in bytes {
        number = number << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if first {
            // The first number holds two (X.690 §8.19.4).
            let arc = (number / 40).min(2);
            write!(p, ".{arc}.{}", number - arc * 40);
            first = false;
        } else {
            write!(p, ".{number}");
        }
        number = 0;
    }
}
