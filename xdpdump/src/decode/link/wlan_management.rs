//! Bodies of 802.11 management frames: how stations find each other, join and leave.

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::link::wlan::{Header, NAME, PROTECTED, print_encrypted};
use crate::decode::printer::Printer;

/// Subtypes (IEEE 802.11-2016, table 9-1).
const ASSOCIATION_REQUEST: u8 = 0;
const ASSOCIATION_RESPONSE: u8 = 1;
const REASSOCIATION_REQUEST: u8 = 2;
const REASSOCIATION_RESPONSE: u8 = 3;
const PROBE_REQUEST: u8 = 4;
const PROBE_RESPONSE: u8 = 5;
const BEACON: u8 = 8;
const DISASSOCIATION: u8 = 10;
const AUTHENTICATION: u8 = 11;
const DEAUTHENTICATION: u8 = 12;
const ACTION: u8 = 13;

/// Prints a management frame behind its header.
pub(super) fn print(p: &mut Printer<'_>, header: &Header<'_>, body: Layer<'_>) -> Printed {
    let subtype = header.control.subtype();
    match subtype {
        ASSOCIATION_REQUEST => p.text("Assoc Request"),
        ASSOCIATION_RESPONSE => p.text("Assoc Response"),
        REASSOCIATION_REQUEST => p.text("ReAssoc Request"),
        REASSOCIATION_RESPONSE => p.text("ReAssoc Response"),
        PROBE_REQUEST => p.text("Probe Request"),
        PROBE_RESPONSE => p.text("Probe Response"),
        BEACON => p.text("Beacon"),
        9 => p.text("ATIM"),
        DISASSOCIATION => p.text("Disassociation"),
        AUTHENTICATION => p.text("Authentication"),
        DEAUTHENTICATION => p.text("DeAuthentication"),
        ACTION => p.text("Action"),
        _ => write!(p, "Unhandled Management subtype({subtype:x})"),
    }
    if header.control.has(PROTECTED) {
        return print_encrypted(p, body);
    }
    let mut cursor = body.cursor(NAME);
    let source = header.addresses[1];
    match subtype {
        ASSOCIATION_REQUEST => {
            cursor.skip(4)?;
            print_request(p, &mut cursor)
        }
        PROBE_REQUEST => print_request(p, &mut cursor),
        REASSOCIATION_REQUEST => {
            cursor.skip(4)?;
            let access_point = Mac(cursor.take(6)?);
            let elements = Elements::read(&mut cursor);
            elements.print_name(p);
            write!(p, " AP : {access_point}");
            elements.end()
        }
        ASSOCIATION_RESPONSE | REASSOCIATION_RESPONSE => {
            let [capabilities, status, id] = numbers(&mut cursor)?;
            let elements = Elements::read(&mut cursor);
            let privacy = if capabilities & PRIVACY == 0 { "" } else { " PRIVACY " };
            write!(p, " AID({:x}) :{privacy}: {}", id & 0x3fff, Code(status, STATUS));
            elements.end()
        }
        PROBE_RESPONSE | BEACON => print_beacon(p, &mut cursor, subtype == BEACON),
        DISASSOCIATION => {
            let [reason] = numbers(&mut cursor)?;
            write!(p, ": {}", Code(reason, REASON));
            Ok(())
        }
        AUTHENTICATION => print_authentication(p, &mut cursor),
        DEAUTHENTICATION => {
            let [reason] = numbers(&mut cursor)?;
            if !p.style.link_header {
                write!(p, " ({source})");
            }
            write!(p, ": {}", Code(reason, REASON));
            Ok(())
        }
        ACTION => print_action(p, &mut cursor, source),
        _ => Ok(()),
    }
}

fn print_request(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let elements = Elements::read(cursor);
    elements.print_name(p);
    elements.print_rates(p);
    elements.end()
}

fn print_beacon(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, is_beacon: bool) -> Printed {
    // The time and the interval.
    cursor.skip(10)?;
    let [capabilities] = numbers(cursor)?;
    let elements = Elements::read(cursor);
    elements.print_name(p);
    elements.print_rates(p);
    if is_beacon {
        p.text(if capabilities & 1 == 0 { " IBSS" } else { " ESS" });
    }
    if let Some(channel) = elements.channel {
        write!(p, " CH: {channel}");
    }
    if capabilities & PRIVACY != 0 {
        p.text(", PRIVACY");
    }
    elements.end()
}

fn print_authentication(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let [algorithm, sequence, status] = numbers(cursor)?;
    let names = ["Open System", "Shared Key", "EAP"];
    let algorithm = names.get(usize::from(algorithm)).unwrap_or(&"Reserved");
    write!(p, " ({algorithm})-{sequence:x}: ");
    if sequence % 2 == 1 {
        write!(p, "{}", Code(status, STATUS));
    }
    Ok(())
}

fn print_action(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, source: Mac<'_>) -> Printed {
    let (category, action) = (cursor.u8()?, cursor.u8()?);
    if !p.style.link_header {
        write!(p, " ({source})");
    }
    match category {
        0 => p.text(": Spectrum Management "),
        1 => p.text(": QoS "),
        2 => p.text(": DLS "),
        3 => p.text(": BA "),
        7 => p.text(": HT "),
        13 => p.text(": MeshAction "),
        14 => p.text(": MultihopAction "),
        15 => p.text(": SelfprotectAction "),
        127 => p.text(": Vendor "),
        _ => write!(p, ": Reserved({category}) "),
    }
    match (category, action) {
        (3, 0) => p.text("ADDBA Request"),
        (3, 1) => p.text("ADDBA Response"),
        (3, 2) => p.text("DELBA"),
        (7, 0) => p.text("TxChWidth"),
        (7, 1) => p.text("MIMOPwrSave"),
        _ => write!(p, "Act#{action}"),
    }
    Ok(())
}

/// The bit of a capability field that says that frames are encrypted.
const PRIVACY: u16 = 0x10;

fn numbers<const N: usize>(cursor: &mut Cursor<'_>) -> Result<[u16; N], Truncated> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = u16::from_le_bytes(cursor.array()?);
    }
    Ok(numbers)
}

/// A status or a reason with its text, if that is one of the usual ones (IEEE 802.11-2016, tables 9-45 and 9-46).
struct Code(u16, &'static [(u16, &'static str)]);

const STATUS: &[(u16, &str)] = &[
    (0, "Successful"),
    (1, "Unspecified failure"),
    (15, "Authentication rejected because of challenge failure"),
];
const REASON: &[(u16, &str)] = &[
    (1, "Unspecified reason"),
    (2, "Previous authentication no longer valid"),
    (4, "Disassociated due to inactivity"),
    (6, "Class 2 frame received from nonauthenticated STA"),
    (7, "Class 3 frame received from nonassociated STA"),
    (15, "4-Way Handshake timeout"),
    (16, "Group key handshake timeout"),
];

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1.iter().find(|(code, _)| *code == self.0) {
            Some((_, text)) => f.write_str(text),
            None => write!(f, "code {}", self.0),
        }
    }
}

/// The elements of a management frame that are printed: the first of each kind.
#[derive(Default)]
struct Elements<'a> {
    name: Option<&'a [u8]>,
    rates: Option<&'a [u8]>,
    channel: Option<u8>,
    is_cut: bool,
}

impl<'a> Elements<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Self {
        let mut elements = Self::default();
        while !cursor.rest().is_empty() {
            let element =
                cursor.array().and_then(|[kind, length]| Ok((kind, cursor.take(usize::from(length))?)));
            let Ok((kind, value)) = element else {
                elements.is_cut = true;
                break;
            };
            match kind {
                0 => elements.name = elements.name.or(Some(value)),
                1 if !value.is_empty() => elements.rates = elements.rates.or(Some(value)),
                3 => {
                    elements.channel =
                        elements.channel.or(value.first().copied().filter(|_| value.len() == 1));
                }
                _ => {}
            }
        }
        elements
    }

    fn print_name(&self, p: &mut Printer<'_>) {
        if let Some(name) = self.name {
            p.text(" (");
            // What is behind a NUL byte is not printed.
            p.escaped(name.split(|byte| *byte == 0).next().unwrap_or_default());
            p.text(")");
        }
    }

    fn print_rates(&self, p: &mut Printer<'_>) {
        let Some(rates) = self.rates else { return };
        let mut before = " [";
        for rate in rates {
            // In half a megabit per second; the topmost bit says that every station has to know it.
            let basic = if rate & 0x80 == 0 { "" } else { "*" };
            write!(p, "{before}{}.{}{basic}", (rate & 0x7f) / 2, if rate & 1 == 0 { 0 } else { 5 });
            before = " ";
        }
        p.text(" Mbit]");
    }

    fn end(&self) -> Printed {
        if self.is_cut { Err(Truncated(NAME)) } else { Ok(()) }
    }
}
