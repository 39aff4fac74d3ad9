//! Layer two tunnelling (RFC 2661): control messages with their attributes, and the PPP frames of sessions.

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::link::ppp;
use crate::decode::printer::Printer;

const CONTROL: u16 = 0x8000;
const HAS_LENGTH: u16 = 0x4000;
const HAS_SEQUENCE: u16 = 0x0800;
const HAS_OFFSET: u16 = 0x0200;
const FLAGS: [(u32, &str); 5] = [(0x8000, "T"), (0x4000, "L"), (0x0800, "S"), (0x0200, "O"), (0x0100, "P")];
/// Bytes of an attribute before its value.
const ATTRIBUTE: usize = 6;
const MANDATORY: u16 = 0x8000;
const HIDDEN: u16 = 0x4000;

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("l2tp");
    let flags = cursor.u16()?;
    match flags & 15 {
        1 => {
            p.text(" l2f:");
            return Ok(());
        }
        2 => p.text(" l2tp:"),
        _ => {
            p.text(" Unknown Version, neither L2F(1) nor L2TP(2)");
            return Ok(());
        }
    }
    p.text("[");
    p.flags_or(u32::from(flags), &FLAGS, "", "");
    p.text("]");
    let length = if flags & HAS_LENGTH == 0 { None } else { Some(usize::from(cursor.u16()?)) };
    write!(p, "({}/", cursor.u16()?);
    write!(p, "{})", cursor.u16()?);
    if flags & HAS_SEQUENCE != 0 {
        write!(p, "Ns={},", cursor.u16()?);
        write!(p, "Nr={}", cursor.u16()?);
    }
    if flags & HAS_OFFSET != 0 {
        let padding = cursor.u16()?;
        cursor.skip(padding.into())?;
    }
    let header = cursor.at();
    let len = match length {
        Some(len) if len < header => {
            write!(p, " Length {len} smaller than header length");
            return Ok(());
        }
        Some(len) if len > layer.len => {
            write!(p, " Length {len} larger than packet");
            return Ok(());
        }
        Some(len) => len,
        None if flags & CONTROL != 0 => {
            p.text(" No length");
            return Ok(());
        }
        None => layer.len,
    };
    let payload = layer.cut_to(len).skip(header);
    if flags & CONTROL == 0 {
        p.text(" {");
        let printed = p.nested(|p| ppp::print(p, payload));
        if let Err(Truncated(protocol)) = printed {
            write!(p, " [|{protocol}]");
        }
        p.text("}");
        return Ok(());
    }
    if payload.len == 0 {
        p.text(" ZLB");
        return Ok(());
    }
    print_attributes(p, payload)
}

fn print_attributes(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut rest = layer;
    while rest.len > 0 {
        let mut cursor = rest.cursor("l2tp");
        p.text(" ");
        let head = cursor.u16()?;
        let len = usize::from(head & 0x3ff);
        if len < ATTRIBUTE || len > rest.len {
            return Err(cursor.truncated());
        }
        rest.cursor("l2tp").need(len)?;
        if head & MANDATORY != 0 {
            p.text("*");
        }
        if head & HIDDEN != 0 {
            p.text("?");
        }
        let vendor = cursor.u16()?;
        let kind = cursor.u16()?;
        let mut value = rest.cut(len).skip(ATTRIBUTE).cursor("l2tp");
        if vendor != 0 {
            write!(p, "VENDOR{vendor:04x}:ATTR{kind:04x}(");
            p.digits(value.rest());
        } else {
            match name(kind) {
                Some(name) => p.text(name),
                None => write!(p, "AVP-#{kind}"),
            }
            p.text("(");
            if head & HIDDEN != 0 {
                p.text("???");
            } else if print_value(p, kind, &mut value).is_err() {
                p.text("AVP too short");
            }
        }
        p.text(")");
        rest = rest.skip(len);
    }
    Ok(())
}

fn print_value(p: &mut Printer<'_>, kind: u16, value: &mut Cursor<'_>) -> Result<(), Truncated> {
    match kind {
        0 => {
            let message = value.u16()?;
            match message_name(message) {
                Some(name) => p.text(name),
                None => write!(p, "MSGTYPE-#{message}"),
            }
        }
        1 => {
            write!(p, "{}", value.u16()?);
            if !value.rest().is_empty() {
                write!(p, "/{}", value.u16()?);
                if !value.rest().is_empty() {
                    p.text(" ");
                    p.escaped(value.rest());
                }
            }
        }
        2 => write!(p, "{}.{}", value.u8()?, value.u8()?),
        3 | 19 => p.flags_or(value.u32()?, &[(2, "A"), (1, "S")], "", ""),
        4 | 18 => p.flags_or(value.u32()?, &[(2, "A"), (1, "D")], "", ""),
        5 | 11 | 13 | 26..=28 | 31 | 33 | 36 => p.digits(value.rest()),
        6 | 9 | 10 | 14 => write!(p, "{}", value.u16()?),
        7 | 8 | 21..=23 | 30 | 37 => p.escaped(value.rest()),
        12 => {
            write!(p, "{}, {:02x}", value.u16()?, value.u8()?);
            if !value.rest().is_empty() {
                p.text(" ");
                p.escaped(value.rest());
            }
        }
        15..=17 | 24 | 25 | 38 => write!(p, "{}", value.u32()?),
        20 => p.text("obsolete"),
        29 => {
            const NAMES: [&str; 6] = ["Reserved", "Textual", "CHAP", "PAP", "No Auth", "MS-CHAPv1"];
            let kind = value.u16()?;
            match NAMES.get(usize::from(kind)) {
                Some(name) => p.text(name),
                None => write!(p, "AuthType-#{kind}"),
            }
        }
        32 => write!(p, "{}", value.u16()? & 0xff),
        34 => {
            value.skip(2)?;
            for name in ["CRCErr", "FrameErr", "HardOver", "BufOver", "Timeout", "AlignErr"] {
                write!(p, "{name}={} ", value.u32()?);
            }
        }
        35 => {
            value.skip(2)?;
            for name in ["send", "recv"] {
                write!(p, "{name}={:08x} ", value.u32()?);
            }
        }
        46 => {
            value.need(5)?;
            write!(p, "{:04x}, {:04x} ", value.u16()?, value.u16()?);
            let direction = value.u8()?;
            match direction {
                0 => p.text("global error"),
                1 => p.text("at peer"),
                2 => p.text("at local"),
                _ => write!(p, "Direction-#{direction}"),
            }
            if !value.rest().is_empty() {
                p.text(" ");
                p.escaped(value.rest());
            }
        }
        _ => {}
    }
    Ok(())
}

fn message_name(message: u16) -> Option<&'static str> {
    Some(match message {
        1 => "SCCRQ",
        2 => "SCCRP",
        3 => "SCCCN",
        4 => "StopCCN",
        6 => "HELLO",
        7 => "OCRQ",
        8 => "OCRP",
        9 => "OCCN",
        10 => "ICRQ",
        11 => "ICRP",
        12 => "ICCN",
        14 => "CDN",
        15 => "WEN",
        16 => "SLI",
        _ => return None,
    })
}

/// Names of attributes (RFC 2661 §4.4, RFC 3145).
fn name(kind: u16) -> Option<&'static str> {
    const NAMES: [&str; 40] = [
        "MSGTYPE",
        "RESULT_CODE",
        "PROTO_VER",
        "FRAMING_CAP",
        "BEARER_CAP",
        "TIE_BREAKER",
        "FIRM_VER",
        "HOST_NAME",
        "VENDOR_NAME",
        "ASSND_TUN_ID",
        "RECV_WIN_SIZE",
        "CHALLENGE",
        "Q931_CC",
        "CHALLENGE_RESP",
        "ASSND_SESS_ID",
        "CALL_SER_NUM",
        "MINIMUM_BPS",
        "MAXIMUM_BPS",
        "BEARER_TYPE",
        "FRAMING_TYPE",
        "PACKET_PROC_DELAY",
        "CALLED_NUMBER",
        "CALLING_NUMBER",
        "SUB_ADDRESS",
        "TX_CONN_SPEED",
        "PHY_CHANNEL_ID",
        "INI_RECV_LCP",
        "LAST_SENT_LCP",
        "LAST_RECV_LCP",
        "PROXY_AUTH_TYPE",
        "PROXY_AUTH_NAME",
        "PROXY_AUTH_CHAL",
        "PROXY_AUTH_ID",
        "PROXY_AUTH_RESP",
        "CALL_ERRORS",
        "ACCM",
        "RANDOM_VECTOR",
        "PRIVATE_GRP_ID",
        "RX_CONN_SPEED",
        "SEQ_REQUIRED",
    ];
    match kind {
        46 => Some("PPP_DISCON_CC"),
        _ => NAMES.get(usize::from(kind)).copied(),
    }
}
