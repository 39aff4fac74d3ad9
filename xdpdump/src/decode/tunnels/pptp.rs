//! The control connection of point-to-point tunnels (RFC 2637), a message of it.

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const COOKIE: u32 = 0x1a2b_3c4d;

const NAMES: [&str; 16] = [
    "NOT_DEFINED",
    "SCCRQ",
    "SCCRP",
    "StopCCRQ",
    "StopCCRP",
    "ECHORQ",
    "ECHORP",
    "OCRQ",
    "OCRP",
    "ICRQ",
    "ICRP",
    "ICCN",
    "CCRQ",
    "CDN",
    "WEN",
    "SLI",
];

const CHANNEL_RESULTS: [&str; 6] = [
    "?",
    "Successful channel establishment",
    "General error",
    "Command channel already exists",
    "Requester is not authorized to establish a command channel",
    "The protocol version of the requester is not supported",
];
const PLAIN_RESULTS: [&str; 3] = ["?", "OK", "General Error"];
const OUTGOING_RESULTS: [&str; 8] =
    ["?", "Connected", "General Error", "No Carrier", "Busy", "No Dial Tone", "Time-out", "Do Not Accept"];
const INCOMING_RESULTS: [&str; 4] = ["?", "Connect", "General Error", "Do Not Accept"];
const END_RESULTS: [&str; 5] = ["?", "Lost Carrier", "General Error", "Admin Shutdown", "Request"];
const ERRORS: [&str; 7] =
    ["None", "Not-Connected", "Bad-Format", "Bad-Value", "No-Resource", "Bad-Call-ID", "PAC-Error"];
const REASONS: [&str; 4] = ["?", "None", "Stop-Protocol", "Stop-Local-Shutdown"];
const BEARERS: [&str; 4] = ["?", "A", "D", "Any"];
const FRAMINGS: [&str; 4] = ["?", "A", "S", "E"];

/// A field of a message.
enum Field {
    Short(&'static str),
    Long(&'static str),
    Map(&'static str),
    /// A byte and its meanings.
    Code(&'static str, &'static [&'static str]),
    /// A number of four bytes of which only the meaning is shown.
    Kind(&'static str, &'static [&'static str]),
    Text(&'static str, usize),
    Version,
    Framing,
    Bearer,
    Unused(usize),
}

use Field::{Bearer, Code, Framing, Kind, Long, Map, Short, Text, Unused, Version};

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": pptp");
    let mut cursor = layer.cursor("pptp");
    let len = cursor.u16()?;
    if p.verbose() {
        write!(p, " Length={len}");
    }
    let class = cursor.u16()?;
    if p.verbose() {
        p.text(match class {
            1 => " CTRL-MSG",
            2 => " MGMT-MSG",
            _ => " UNKNOWN-MSG-TYPE",
        });
    }
    let cookie = cursor.u32()?;
    if cookie != COOKIE {
        write!(p, " UNEXPECTED Magic-Cookie!!({cookie:08x})");
    }
    if p.verbose() || cookie != COOKIE {
        write!(p, " Magic-Cookie={cookie:08x}");
    }
    let kind = cursor.u16()?;
    match NAMES.get(usize::from(kind)) {
        Some(name) => write!(p, " CTRL_MSGTYPE={name}"),
        None => write!(p, " UNKNOWN_CTRL_MSGTYPE({kind})"),
    }
    cursor.skip(2)?;
    for field in fields(kind) {
        print_field(p, field, &mut cursor)?;
    }
    Ok(())
}

fn fields(kind: u16) -> &'static [Field] {
    const CALL: Field = Short("CALL_ID");
    const PEER: Field = Short("PEER_CALL_ID");
    const SERIAL: Field = Short("CALL_SER_NUM");
    const ERROR: Field = Code("ERR_CODE", &ERRORS);
    const WINDOW: Field = Short("RECV_WIN");
    const DELAY: Field = Short("PROC_DELAY");
    const SPEED: Field = Long("CONN_SPEED");
    const CHANNEL: Field = Long("PHY_CHAN_ID");
    const BEARER: Field = Kind("BEARER_TYPE", &BEARERS);
    const FRAMING: Field = Kind("FRAME_TYPE", &FRAMINGS);
    const CHANNELS: Field = Short("MAX_CHAN");
    const REVISION: Field = Short("FIRM_REV");
    const HOST: Field = Text("HOSTNAME", 64);
    const VENDOR: Field = Text("VENDOR", 64);
    const ADDRESS: Field = Text("SUB_ADDR", 64);
    const CAUSE: Field = Short("CAUSE_CODE");
    match kind {
        1 => &[Version, Unused(2), Framing, Bearer, CHANNELS, REVISION, HOST, VENDOR],
        2 => {
            const RESULT: Field = Code("RESULT_CODE", &CHANNEL_RESULTS);
            &[Version, RESULT, ERROR, Framing, Bearer, CHANNELS, REVISION, HOST, VENDOR]
        }
        3 => &[Code("REASON", &REASONS), Unused(3)],
        4 => &[Code("RESULT_CODE", &PLAIN_RESULTS), ERROR, Unused(2)],
        5 => &[Long("ID")],
        6 => &[Long("ID"), Code("RESULT_CODE", &PLAIN_RESULTS), ERROR, Unused(2)],
        7 => &[
            CALL,
            SERIAL,
            Long("MIN_BPS"),
            Long("MAX_BPS"),
            BEARER,
            FRAMING,
            WINDOW,
            DELAY,
            Short("PHONE_NO_LEN"),
            Unused(2),
            Text("PHONE_NO", 64),
            ADDRESS,
        ],
        8 => {
            const RESULT: Field = Code("RESULT_CODE", &OUTGOING_RESULTS);
            &[CALL, PEER, RESULT, ERROR, CAUSE, SPEED, WINDOW, DELAY, CHANNEL]
        }
        9 => &[
            CALL,
            SERIAL,
            BEARER,
            CHANNEL,
            Short("DIALED_NO_LEN"),
            Short("DIALING_NO_LEN"),
            Text("DIALED_NO", 64),
            Text("DIALING_NO", 64),
            ADDRESS,
        ],
        10 => &[CALL, PEER, Code("RESULT_CODE", &INCOMING_RESULTS), ERROR, WINDOW, DELAY, Unused(2)],
        11 => &[PEER, Unused(2), SPEED, WINDOW, DELAY, FRAMING],
        12 => &[CALL, Unused(2)],
        13 => {
            const RESULT: Field = Code("RESULT_CODE", &END_RESULTS);
            &[CALL, RESULT, ERROR, CAUSE, Unused(2), Text("CALL_STATS", 128)]
        }
        14 => &[
            PEER,
            Unused(2),
            Long("CRC_ERR"),
            Long("FRAMING_ERR"),
            Long("HARDWARE_OVERRUN"),
            Long("BUFFER_OVERRUN"),
            Long("TIMEOUT_ERR"),
            Long("ALIGN_ERR"),
        ],
        15 => &[PEER, Unused(2), Map("SEND_ACCM"), Map("RECV_ACCM")],
        _ => &[],
    }
}

fn print_field(p: &mut Printer<'_>, field: &Field, cursor: &mut Cursor<'_>) -> Printed {
    match *field {
        Short(name) => write!(p, " {name}({})", cursor.u16()?),
        Long(name) => write!(p, " {name}({})", cursor.u32()?),
        Map(name) => write!(p, " {name}(0x{:08x})", cursor.u32()?),
        Code(name, meanings) => {
            let code = cursor.u8()?;
            write!(p, " {name}({code}");
            if p.verbose() {
                write!(p, ":{}", meanings.get(usize::from(code)).unwrap_or(&"?"));
            }
            p.text(")");
        }
        Kind(name, meanings) => {
            let kind = cursor.u32()?;
            let meaning = usize::try_from(kind).ok().and_then(|kind| meanings.get(kind));
            write!(p, " {name}({})", meaning.unwrap_or(&"?"));
        }
        Text(name, len) => {
            write!(p, " {name}(");
            let rest = cursor.rest();
            let text = rest.get(..len).unwrap_or(rest);
            let shown = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            p.escaped(text.get(..shown).unwrap_or(text));
            if shown == text.len() && shown < len {
                return Err(cursor.truncated());
            }
            p.text(")");
            cursor.skip_to_end(len)?;
        }
        Version => {
            let (major, minor) = (cursor.u8()?, cursor.u8()?);
            write!(p, " PROTO_VER({major}.{minor})");
        }
        Framing => {
            p.text(" FRAME_CAP(");
            let kinds = cursor.u32()?;
            p.text(if kinds & 1 == 0 { "" } else { "A" });
            p.text(if kinds & 2 == 0 { "" } else { "S" });
            p.text(")");
        }
        Bearer => {
            let kinds = cursor.u32()?;
            p.text(" BEARER_CAP(");
            p.text(if kinds & 2 == 0 { "" } else { "D" });
            p.text(if kinds & 1 == 0 { "" } else { "A" });
            p.text(")");
        }
        Unused(len) => cursor.skip(len)?,
    }
    Ok(())
}
