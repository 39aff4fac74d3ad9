//! IEEE 802.11: all headers, control frames and data; `wlan_management.rs` has the bodies of management frames.

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::link::ethernet::Addresses;
use crate::decode::link::{llc, wlan_management};
use crate::decode::printer::Printer;

pub(super) const NAME: &str = "802.11";
/// Bytes of the header of a management frame.
const MANAGEMENT_HEADER: usize = 24;

/// Subtypes of control frames.
const BLOCK_ACK_REQUEST: u8 = 8;
const BLOCK_ACK: u8 = 9;
const POWER_SAVE_POLL: u8 = 10;
const REQUEST_TO_SEND: u8 = 11;
const CLEAR_TO_SEND: u8 = 12;
const ACKNOWLEDGMENT: u8 = 13;
const END: u8 = 14;
const END_ACK: u8 = 15;

/// The frame control field (9.2.4.1).
#[derive(Clone, Copy)]
pub(super) struct Control(u16);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Management,
    Control,
    Data,
    Unknown,
}

impl Control {
    fn kind(self) -> Kind {
        match self.0 >> 2 & 3 {
            0 => Kind::Management,
            1 => Kind::Control,
            2 => Kind::Data,
            _ => Kind::Unknown,
        }
    }

    pub(super) fn subtype(self) -> u8 {
        (self.0 >> 4 & 15) as u8
    }

    pub(super) fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }
}

const TO_DISTRIBUTION: u16 = 0x0100;
const FROM_DISTRIBUTION: u16 = 0x0200;
pub(super) const PROTECTED: u16 = 0x4000;

/// The addresses of a header, as far as it has them.
pub(super) struct Header<'a> {
    pub(super) control: Control,
    duration: u16,
    pub(super) addresses: [Mac<'a>; 4],
    bytes: &'a [u8],
}

/// How a frame was captured, according to the header in front of it.
#[derive(Clone, Copy, Default)]
pub(in crate::decode) struct Capture {
    /// Whether the header is padded to a multiple of 4 bytes.
    pub(in crate::decode) is_padded: bool,
    /// Bytes of the frame check sequence at the end.
    pub(in crate::decode) check_sequence: usize,
}

/// Prints a frame.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    print_captured(p, frame, Capture::default())
}

/// Prints a frame that was captured in this way.
pub(in crate::decode) fn print_captured(p: &mut Printer<'_>, frame: Layer<'_>, capture: Capture) -> Printed {
    let len = frame.len.checked_sub(capture.check_sequence).ok_or(Truncated(NAME))?;
    let frame = frame.cut(len);
    let mut cursor = frame.cursor(NAME);
    let control = Control(u16::from_le_bytes(cursor.array()?));
    let Some(length) = header_length(p, control) else { return Ok(()) };
    let length = if capture.is_padded { length.next_multiple_of(4) } else { length };
    let bytes = frame.bytes.get(..length).ok_or(Truncated(NAME))?;
    let address = |at: usize| Mac(bytes.get(at..at + 6).unwrap_or_default());
    let duration = u16::from_le_bytes(cursor.array()?);
    let header = Header { control, duration, addresses: [4, 10, 16, 24].map(address), bytes };
    if p.style.link_header {
        print_header(p, &header);
    }
    let body = frame.skip(length);
    match control.kind() {
        Kind::Management => wlan_management::print(p, &header, body),
        Kind::Control => {
            print_control(p, &header);
            Ok(())
        }
        Kind::Data => print_data(p, &header, body),
        Kind::Unknown => Ok(()),
    }
}

/// Bytes of the header; says why if it is not known.
fn header_length(p: &mut Printer<'_>, control: Control) -> Option<usize> {
    let subtype = control.subtype();
    Some(match control.kind() {
        Kind::Management => MANAGEMENT_HEADER,
        Kind::Data => {
            let has_four = control.has(TO_DISTRIBUTION) && control.has(FROM_DISTRIBUTION);
            let quality_of_service = if subtype & 8 == 0 { 0 } else { 2 };
            quality_of_service + if has_four { 30 } else { 24 }
        }
        Kind::Control => match subtype {
            BLOCK_ACK_REQUEST => 20,
            BLOCK_ACK | CLEAR_TO_SEND | ACKNOWLEDGMENT => 10,
            7 | POWER_SAVE_POLL | REQUEST_TO_SEND | END | END_ACK => 16,
            _ => {
                write!(p, "unknown 802.11 ctrl frame subtype ({subtype})");
                return None;
            }
        },
        Kind::Unknown => {
            p.text("unknown 802.11 frame type (3)");
            return None;
        }
    })
}

fn print_header(p: &mut Printer<'_>, header: &Header<'_>) {
    let control = header.control;
    if p.verbose() {
        for (bit, name) in [
            (0x2000, "More Data "),
            (0x0400, "More Fragments "),
            (0x1000, "Pwr Mgmt "),
            (0x0800, "Retry "),
            (0x8000, "Strictly Ordered "),
            (PROTECTED, "Protected "),
        ] {
            if control.has(bit) {
                p.text(name);
            }
        }
        if control.kind() != Kind::Control || control.subtype() != POWER_SAVE_POLL {
            write!(p, "{}us ", header.duration);
        }
    }
    let [first, second, third, fourth] = header.addresses;
    match (control.kind(), control.subtype()) {
        (Kind::Management, _) => write!(p, "BSSID:{third} DA:{first} SA:{second} "),
        (Kind::Control, BLOCK_ACK_REQUEST) => print_block_ack_request(p, header),
        (Kind::Control, REQUEST_TO_SEND) => write!(p, "RA:{first} TA:{second} "),
        (Kind::Control, POWER_SAVE_POLL) => write!(p, "BSSID:{first} TA:{second} "),
        (Kind::Control, BLOCK_ACK | CLEAR_TO_SEND | ACKNOWLEDGMENT) => write!(p, "RA:{first} "),
        (Kind::Control, END | END_ACK) => write!(p, "RA:{first} BSSID:{second} "),
        (Kind::Data, subtype) => {
            if subtype & 0b1011 != 0 {
                p.text("CF ");
                p.text(["", "Ack", "Poll", "Ack/Poll"][usize::from(subtype & 3)]);
                p.text(if subtype & 8 == 0 { " " } else { "+QoS " });
            }
            match (control.has(TO_DISTRIBUTION), control.has(FROM_DISTRIBUTION)) {
                (false, false) => write!(p, "DA:{first} SA:{second} BSSID:{third} "),
                (false, true) => write!(p, "DA:{first} BSSID:{second} SA:{third} "),
                (true, false) => write!(p, "BSSID:{first} SA:{second} DA:{third} "),
                (true, true) => write!(p, "RA:{first} TA:{second} DA:{third} SA:{fourth} "),
            }
        }
        (Kind::Control | Kind::Unknown, _) => {}
    }
}

fn print_block_ack_request(p: &mut Printer<'_>, header: &Header<'_>) {
    let [first, second, ..] = header.addresses;
    let number = |at: usize| header.bytes.get(at..).and_then(<[u8]>::first_chunk).copied();
    let [control, sequence] = [16, 18].map(|at| number(at).map_or(0, u16::from_le_bytes));
    write!(p, " RA:{first} TA:{second} CTL({control:x}) SEQ({sequence}) ");
}

fn print_control(p: &mut Printer<'_>, header: &Header<'_>) {
    let subtype = header.control.subtype();
    p.text(match subtype {
        7 => "Control Wrapper",
        BLOCK_ACK_REQUEST => "BAR",
        BLOCK_ACK => "BA",
        POWER_SAVE_POLL => "Power Save-Poll",
        REQUEST_TO_SEND => "Request-To-Send",
        CLEAR_TO_SEND => "Clear-To-Send",
        ACKNOWLEDGMENT => "Acknowledgment",
        END => "CF-End",
        _ => "CF-End+CF-Ack",
    });
    let [first, second, ..] = header.addresses;
    match subtype {
        // The duration is another number here.
        POWER_SAVE_POLL => write!(p, " AID({:x})", header.duration),
        _ if p.style.link_header => {}
        BLOCK_ACK_REQUEST => print_block_ack_request(p, header),
        REQUEST_TO_SEND => write!(p, " TA:{second} "),
        BLOCK_ACK | CLEAR_TO_SEND | ACKNOWLEDGMENT | END | END_ACK => write!(p, " RA:{first} "),
        _ => {}
    }
}

fn print_data(p: &mut Printer<'_>, header: &Header<'_>, body: Layer<'_>) -> Printed {
    let control = header.control;
    if control.subtype() & 4 != 0 {
        // Without data.
        return Ok(());
    }
    if control.has(PROTECTED) {
        p.text("Data");
        return print_encrypted(p, body);
    }
    let [first, second, third, fourth] = header.addresses;
    let (src, dst) = match (control.has(TO_DISTRIBUTION), control.has(FROM_DISTRIBUTION)) {
        (false, false) => (second, first),
        (false, true) => (third, first),
        (true, false) => (second, third),
        (true, true) => (fourth, third),
    };
    p.nested(|p| llc::print(p, Addresses { src, dst }, body))
}

/// Prints the beginning of what WEP or one of its successors encrypted.
pub(super) fn print_encrypted(p: &mut Printer<'_>, body: Layer<'_>) -> Printed {
    let vector = u32::from_le_bytes(body.cursor(NAME).array()?);
    write!(p, " IV:{:3x} Pad {:x} KeyID {:x}", vector & 0x00ff_ffff, vector >> 24 & 0x3f, vector >> 30);
    Ok(())
}
