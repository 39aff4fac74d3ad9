//! The control connection of point-to-point tunnelling (RFC 2637).

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const MAGIC: u32 = 0x1a2b_3c4d;

/// Prints the first message of a segment.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
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
    p.text(": pptp");
    let mut cursor = layer.cursor("pptp");
    cursor.need(12)?;
    let (len, class, magic, kind) = (cursor.u16()?, cursor.u16()?, cursor.u32()?, cursor.u16()?);
    let reserved = cursor.u16()?;
    if p.verbose() {
        write!(p, " Length={len}");
        match class {
            1 => p.text(" CTRL-MSG"),
            2 => p.text(" MGMT-MSG"),
            _ => p.text(" UNKNOWN-MSG-TYPE"),
        }
    }
    if magic != MAGIC {
        write!(p, " UNEXPECTED Magic-Cookie!!({magic:08x})");
    }
    if p.verbose() || magic != MAGIC {
        write!(p, " Magic-Cookie={magic:08x}");
    }
    let Some(name) = NAMES.get(usize::from(kind)) else {
        write!(p, " UNKNOWN_CTRL_MSGTYPE({kind})");
        return Ok(());
    };
    write!(p, " CTRL_MSGTYPE={name}");
    if reserved != 0 {
        write!(p, " [ERROR: reserved={reserved} must be zero]");
    }
    print_fields(p, &mut cursor, kind)
}

fn print_fields(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, kind: u16) -> Printed {
    match kind {
        1 | 2 => print_start(p, cursor, kind == 2),
        3 => {
            let reason = cursor.u8()?;
            print_code(p, "REASON", reason, &["None", "Stop-Protocol", "Stop-Local-Shutdown"]);
            cursor.skip(3)
        }
        4 => {
            print_result(p, cursor, &["OK", "General Error"])?;
            cursor.skip(2)
        }
        5 => number(p, cursor, "ID", 4),
        6 => {
            number(p, cursor, "ID", 4)?;
            print_result(p, cursor, &["OK", "General Error"])?;
            cursor.skip(2)
        }
        7 => {
            numbers(p, cursor, &[("CALL_ID", 2), ("CALL_SER_NUM", 2), ("MIN_BPS", 4), ("MAX_BPS", 4)])?;
            print_type(p, "BEARER_TYPE", cursor.u32()?, ["A", "D", "Any"]);
            print_type(p, "FRAME_TYPE", cursor.u32()?, ["A", "S", "E"]);
            numbers(p, cursor, &[("RECV_WIN", 2), ("PROC_DELAY", 2), ("PHONE_NO_LEN", 2)])?;
            cursor.skip(2)?;
            print_string(p, cursor, "PHONE_NO", 64)?;
            print_string(p, cursor, "SUB_ADDR", 64)
        }
        8 => {
            numbers(p, cursor, &[("CALL_ID", 2), ("PEER_CALL_ID", 2)])?;
            let results = &[
                "Connected",
                "General Error",
                "No Carrier",
                "Busy",
                "No Dial Tone",
                "Time-out",
                "Do Not Accept",
            ];
            print_result(p, cursor, results)?;
            numbers(p, cursor, &[("CAUSE_CODE", 2), ("CONN_SPEED", 4), ("RECV_WIN", 2), ("PROC_DELAY", 2)])?;
            number(p, cursor, "PHY_CHAN_ID", 4)
        }
        9 => {
            numbers(p, cursor, &[("CALL_ID", 2), ("CALL_SER_NUM", 2)])?;
            print_type(p, "BEARER_TYPE", cursor.u32()?, ["A", "D", "Any"]);
            numbers(p, cursor, &[("PHY_CHAN_ID", 4), ("DIALED_NO_LEN", 2), ("DIALING_NO_LEN", 2)])?;
            print_string(p, cursor, "DIALED_NO", 64)?;
            print_string(p, cursor, "DIALING_NO", 64)?;
            print_string(p, cursor, "SUB_ADDR", 64)
        }
        10 => {
            numbers(p, cursor, &[("CALL_ID", 2), ("PEER_CALL_ID", 2)])?;
            print_result(p, cursor, &["Connect", "General Error", "Do Not Accept"])?;
            numbers(p, cursor, &[("RECV_WIN", 2), ("PROC_DELAY", 2)])?;
            cursor.skip(2)
        }
        11 => {
            number(p, cursor, "PEER_CALL_ID", 2)?;
            cursor.skip(2)?;
            numbers(p, cursor, &[("CONN_SPEED", 4), ("RECV_WIN", 2), ("PROC_DELAY", 2)])?;
            print_type(p, "FRAME_TYPE", cursor.u32()?, ["A", "S", "E"]);
            Ok(())
        }
        12 => {
            number(p, cursor, "CALL_ID", 2)?;
            cursor.skip(2)
        }
        13 => {
            number(p, cursor, "CALL_ID", 2)?;
            print_result(p, cursor, &["Lost Carrier", "General Error", "Admin Shutdown", "Request"])?;
            number(p, cursor, "CAUSE_CODE", 2)?;
            cursor.skip(2)?;
            print_string(p, cursor, "CALL_STATS", 128)
        }
        14 => {
            number(p, cursor, "PEER_CALL_ID", 2)?;
            cursor.skip(2)?;
            numbers(p, cursor, &[("CRC_ERR", 4), ("FRAMING_ERR", 4), ("HARDWARE_OVERRUN", 4)])?;
            numbers(p, cursor, &[("BUFFER_OVERRUN", 4), ("TIMEOUT_ERR", 4), ("ALIGN_ERR", 4)])
        }
        15 => {
            number(p, cursor, "PEER_CALL_ID", 2)?;
            cursor.skip(2)?;
            write!(p, " SEND_ACCM(0x{:08x})", cursor.u32()?);
            write!(p, " RECV_ACCM(0x{:08x})", cursor.u32()?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Prints the start of a connection: a request, or a reply, which has a result.
fn print_start(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, reply: bool) -> Printed {
    let version = cursor.u16()?;
    write!(p, " PROTO_VER({}.{})", version >> 8, version & 0xff);
    if reply {
        let results = &[
            "Successful channel establishment",
            "General error",
            "Command channel already exists",
            "Requester is not authorized to establish a command channel",
            "The protocol version of the requester is not supported",
        ];
        print_result(p, cursor, results)?;
    } else {
        cursor.skip(2)?;
    }
    let framing = cursor.u32()?;
    p.text(" FRAME_CAP(");
    p.text(if framing & 1 != 0 { "A" } else { "" });
    p.text(if framing & 2 != 0 { "S" } else { "" });
    p.text(")");
    let bearer = cursor.u32()?;
    p.text(" BEARER_CAP(");
    p.text(if bearer & 2 != 0 { "D" } else { "" });
    p.text(if bearer & 1 != 0 { "A" } else { "" });
    p.text(")");
    numbers(p, cursor, &[("MAX_CHAN", 2), ("FIRM_REV", 2)])?;
    print_string(p, cursor, "HOSTNAME", 64)?;
    print_string(p, cursor, "VENDOR", 64)
}

fn number(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, name: &str, width: u8) -> Printed {
    let value = if width == 2 { u32::from(cursor.u16()?) } else { cursor.u32()? };
    write!(p, " {name}({value})");
    Ok(())
}

fn numbers(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, fields: &[(&str, u8)]) -> Printed {
    fields.iter().try_for_each(|(name, width)| number(p, cursor, name, *width))
}

/// Prints a code, with its meaning when verbose; the first name is that of code 1.
fn print_code(p: &mut Printer<'_>, name: &str, code: u8, meanings: &[&str]) {
    write!(p, " {name}({code}");
    if p.verbose() {
        let meaning = usize::from(code).checked_sub(1).and_then(|code| meanings.get(code));
        write!(p, ":{}", meaning.unwrap_or(&"?"));
    }
    p.text(")");
}

fn print_result(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, meanings: &[&str]) -> Printed {
    const ERRORS: [&str; 7] =
        ["None", "Not-Connected", "Bad-Format", "Bad-Value", "No-Resource", "Bad-Call-ID", "PAC-Error"];
    let (result, error) = (cursor.u8()?, cursor.u8()?);
    print_code(p, "RESULT_CODE", result, meanings);
    write!(p, " ERR_CODE({error}");
    if p.verbose() {
        write!(p, ":{}", ERRORS.get(usize::from(error)).unwrap_or(&"?"));
    }
    p.text(")");
    Ok(())
}

fn print_type(p: &mut Printer<'_>, name: &str, value: u32, [first, second, both]: [&str; 3]) {
    let text = match value {
        1 => first,
        2 => second,
        3 => both,
        _ => "?",
    };
    write!(p, " {name}({text})");
}

fn print_string(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, name: &str, len: usize) -> Printed {
    write!(p, " {name}(");
    let captured = cursor.rest().len().min(len);
    let text = cursor.take(captured)?;
    let end = text.iter().position(|byte| *byte == 0);
    p.escaped(text.get(..end.unwrap_or(captured)).unwrap_or_default());
    // What follows the end of the text need not be captured.
    if end.is_none() && captured < len {
        return Err(cursor.truncated());
    }
    p.text(")");
    Ok(())
}
