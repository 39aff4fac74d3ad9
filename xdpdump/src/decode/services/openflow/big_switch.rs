//! Messages and actions that Big Switch Networks adds to OpenFlow 1.0 (the headers of its controller).

use crate::decode::address::Ipv4;
use crate::decode::cursor::Cursor;
use crate::decode::printer::Printer;
use crate::decode::services::openflow::v10::{Print, exactly};

const NAMES: [&str; 29] = [
    "SET_IP_MASK",
    "GET_IP_MASK_REQUEST",
    "GET_IP_MASK_REPLY",
    "SET_MIRRORING",
    "GET_MIRRORING_REQUEST",
    "GET_MIRRORING_REPLY",
    "SHELL_COMMAND",
    "SHELL_OUTPUT",
    "SHELL_STATUS",
    "GET_INTERFACES_REQUEST",
    "GET_INTERFACES_REPLY",
    "SET_PKTIN_SUPPRESSION_REQUEST",
    "SET_L2_TABLE_REQUEST",
    "GET_L2_TABLE_REQUEST",
    "GET_L2_TABLE_REPLY",
    "VIRTUAL_PORT_CREATE_REQUEST",
    "VIRTUAL_PORT_CREATE_REPLY",
    "VIRTUAL_PORT_REMOVE_REQUEST",
    "BW_ENABLE_SET_REQUEST",
    "BW_ENABLE_GET_REQUEST",
    "BW_ENABLE_GET_REPLY",
    "BW_CLEAR_DATA_REQUEST",
    "BW_CLEAR_DATA_REPLY",
    "BW_ENABLE_SET_REPLY",
    "SET_L2_TABLE_REPLY",
    "SET_PKTIN_SUPPRESSION_REPLY",
    "VIRTUAL_PORT_REMOVE_REPLY",
    "HYBRID_GET_REQUEST",
    "HYBRID_GET_REPLY",
];

/// Prints the `len` bytes of a message after the vendor's number.
pub(super) fn print_message(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 4)?;
    let kind = body.u32()?;
    p.text("\n\t subtype ");
    let other = match kind {
        31 => Some("PDU_TX_REQUEST"),
        32 => Some("PDU_TX_REPLY"),
        33 => Some("PDU_RX_REQUEST"),
        34 => Some("PDU_RX_REPLY"),
        35 => Some("PDU_RX_TIMEOUT"),
        _ => None,
    };
    p.name(NAMES.get(kind as usize).copied().or(other), format_args!("unknown (0x{kind:08x})"));
    let len = len - 4;
    match kind {
        0..=2 => {
            exactly(len == 8)?;
            write!(p, ", index {}", body.u8()?);
            body.skip(3)?;
            let mask = Ipv4::read(body)?;
            if kind != 1 {
                write!(p, ", mask {mask}");
            }
        }
        3..=5 => {
            exactly(len == 4)?;
            let on = body.u8()?;
            p.text(", report_mirror_ports ");
            p.name(["OFF", "ON"].get(usize::from(on)).copied(), format_args!("bogus ({on})"));
        }
        6 => {
            exactly(len >= 4)?;
            write!(p, ", service {}", body.u32()?);
            print_text(p, body, len - 4)?;
        }
        7 => print_text(p, body, len)?,
        8 => {
            exactly(len == 4)?;
            write!(p, ", status 0x{:08x}", body.u32()?);
        }
        9 | 13 | 19 | 21 | 27 => exactly(len == 0)?,
        17 => exactly(len == 4)?,
        _ => {}
    }
    Ok(())
}

fn print_text(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    p.text(", data '");
    let captured = body.rest().len().min(len);
    p.escaped(body.take(captured)?);
    body.need(len - captured)?;
    p.text("'");
    Ok(())
}

/// Prints the `len` bytes of an action after the vendor's number.
pub(super) fn print_action(p: &mut Printer<'_>, value: &mut Cursor<'_>, len: usize) -> Print {
    const MIRROR: u32 = 1;
    exactly(len >= 4)?;
    let kind = value.u32()?;
    p.text("\n\t  subtype ");
    let name = match kind {
        MIRROR => Some("MIRROR"),
        2 => Some("SET_TUNNEL_DST"),
        4 => Some("CHECKSUM"),
        _ => None,
    };
    p.name(name, format_args!("unknown (0x{kind:08x})"));
    if kind != MIRROR {
        return Ok(());
    }
    exactly(len == 16)?;
    write!(p, ", dest_port {}", value.u32()?);
    let tag = value.u32()?;
    match tag >> 16 {
        0 => p.text(", vlan_tag none"),
        0x8100 => {
            write!(p, ", vlan_tag 802.1Q (vlan {}, p {}", tag & 0xfff, tag >> 13 & 7);
            p.text(if tag & 0x1000 != 0 { ", DEI)" } else { ")" });
        }
        protocol => write!(p, ", vlan_tag unknown (0x{protocol:04x})"),
    }
    let stage = value.u8()?;
    p.text(", copy_stage ");
    p.name(["INGRESS", "EGRESS"].get(usize::from(stage)).copied(), format_args!("unknown ({stage})"));
    Ok(())
}
