//! What OpenFlow 1.0 matches and what it does then (OpenFlow Switch Specification 1.0.0 §5.2.3, §5.2.4).

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::Cursor;
use crate::decode::printer::Printer;
use crate::decode::services::openflow::big_switch;
use crate::decode::services::openflow::v10::{
    BIG_SWITCH, Print, exactly, print_data, print_network, print_vendor,
};

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const ICMP: u8 = 1;

/// Fields that a match may leave open.
pub(super) const WILDCARDS: [(u32, &str); 10] = [
    (0x00_0001, "IN_PORT"),
    (0x00_0002, "DL_VLAN"),
    (0x00_0004, "DL_SRC"),
    (0x00_0008, "DL_DST"),
    (0x00_0010, "DL_TYPE"),
    (0x00_0020, "NW_PROTO"),
    (0x00_0040, "TP_SRC"),
    (0x00_0080, "TP_DST"),
    (0x10_0000, "DL_VLAN_PCP"),
    (0x20_0000, "NW_TOS"),
];

/// Prints a port's number or name.
pub(super) fn print_port(p: &mut Printer<'_>, port: u16) {
    let name = match port {
        0xff00 => Some("MAX"),
        0xfff8 => Some("IN_PORT"),
        0xfff9 => Some("TABLE"),
        0xfffa => Some("NORMAL"),
        0xfffb => Some("FLOOD"),
        0xfffc => Some("ALL"),
        0xfffd => Some("CONTROLLER"),
        0xfffe => Some("LOCAL"),
        0xffff => Some("NONE"),
        _ => None,
    };
    p.name(name, format_args!("{port}"));
}

/// Prints the fields of a match that are not left open, each after `before`.
pub(super) fn print_match(p: &mut Printer<'_>, body: &mut Cursor<'_>, before: &str) -> Print {
    let open = body.u32()?;
    if open & 0xffc0_0000 != 0 {
        write!(p, "{before}wildcards 0x{open:08x} (bogus)");
    }
    let fixed = |bit: u32| open & bit == 0;
    let port = body.u16()?;
    if fixed(0x01) {
        write!(p, "{before}match in_port ");
        print_port(p, port);
    }
    for (bit, name) in [(0x04, "dl_src"), (0x08, "dl_dst")] {
        let address = body.take(6)?;
        if fixed(bit) {
            write!(p, "{before}match {name} {}", Mac(address));
        }
    }
    let vlan = body.u16()?;
    if fixed(0x02) {
        write!(p, "{before}match dl_vlan ");
        p.name((vlan == 0xffff).then_some("NONE"), format_args!("{vlan}"));
    }
    let priority = body.u8()?;
    body.skip(1)?;
    if fixed(0x10_0000) {
        write!(p, "{before}match dl_vlan_pcp {priority}");
    }
    let ethertype = body.u16()?;
    if fixed(0x10) {
        write!(p, "{before}match dl_type 0x{ethertype:04x}");
    }
    let service = body.u8()?;
    if fixed(0x20_0000) {
        write!(p, "{before}match nw_tos 0x{service:02x}");
    }
    let protocol = body.u8()?;
    body.skip(2)?;
    if fixed(0x20) {
        let name = if fixed(0x10) && ethertype == ARP { "arp_opcode" } else { "nw_proto" };
        write!(p, "{before}match {name} {protocol}");
    }
    for (shift, name) in [(8, "match nw_src"), (14, "match nw_dst")] {
        let address = Ipv4::read(body)?;
        let ignored = open >> shift & 0x3f;
        if ignored < 32 {
            p.text(before);
        }
        print_network(p, name, address, ignored);
    }
    let icmp = fixed(0x10) && ethertype == IPV4 && fixed(0x20) && protocol == ICMP;
    let names = if icmp { ["icmp_type", "icmp_code"] } else { ["tp_src", "tp_dst"] };
    for (bit, name) in [0x40, 0x80].into_iter().zip(names) {
        let value = body.u16()?;
        if fixed(bit) {
            write!(p, "{before}match {name} {value}");
        }
    }
    Ok(())
}

/// Prints the actions in the next `len` bytes, each after `before`.
pub(super) fn print_actions(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize, before: &str) -> Print {
    const NAMES: [(&str, usize); 12] = [
        ("OUTPUT", 8),
        ("SET_VLAN_VID", 8),
        ("SET_VLAN_PCP", 8),
        ("STRIP_VLAN", 8),
        ("SET_DL_SRC", 16),
        ("SET_DL_DST", 16),
        ("SET_NW_SRC", 8),
        ("SET_NW_DST", 8),
        ("SET_NW_TOS", 8),
        ("SET_TP_SRC", 8),
        ("SET_TP_DST", 8),
        ("ENQUEUE", 16),
    ];
    const VENDOR: u16 = 0xffff;
    let mut left = len;
    while left > 0 {
        exactly(left >= 8)?;
        let (kind, len) = (body.u16()?, usize::from(body.u16()?));
        let known = NAMES.get(usize::from(kind)).copied();
        write!(p, "{before}action type ");
        let name = if kind == VENDOR { Some("VENDOR") } else { known.map(|(name, _)| name) };
        p.name(name, format_args!("invalid (0x{kind:04x})"));
        write!(p, ", len {len}");
        exactly(len >= 8 && len <= left)?;
        let mut value = *body;
        if known.is_some_and(|(_, right)| right != len) || (kind == VENDOR && !len.is_multiple_of(8)) {
            p.text(" (bogus)");
        } else if kind == VENDOR {
            let vendor = value.u32()?;
            print_vendor(p, vendor);
            if vendor == BIG_SWITCH {
                big_switch::print_action(p, &mut value, len - 8)?;
            } else {
                print_data(p, &mut value, len - 8)?;
            }
        } else if known.is_some() {
            print_action(p, &mut value, kind)?;
        }
        body.skip(len - 4)?;
        left -= len;
    }
    Ok(())
}

fn print_action(p: &mut Printer<'_>, value: &mut Cursor<'_>, kind: u16) -> Print {
    match kind {
        0 => {
            let port = value.u16()?;
            p.text(", port ");
            print_port(p, port);
            if port == 0xfffd {
                write!(p, ", max_len {}", value.u16()?);
            }
        }
        1 => {
            let vlan = value.u16()?;
            p.text(", vlan_vid ");
            p.name((vlan == 0xffff).then_some("NONE"), format_args!("{vlan}"));
        }
        2 => write!(p, ", vlan_pcp {}", value.u8()?),
        4 | 5 => write!(p, ", dl_addr {}", Mac(value.take(6)?)),
        6 | 7 => write!(p, ", nw_addr {}", Ipv4::read(value)?),
        8 => write!(p, ", nw_tos 0x{:02x}", value.u8()?),
        9 | 10 => write!(p, ", tp_port {}", value.u16()?),
        11 => {
            p.text(", port ");
            print_port(p, value.u16()?);
            value.skip(6)?;
            write!(p, ", queue_id {}", value.u32()?);
        }
        _ => {}
    }
    Ok(())
}
