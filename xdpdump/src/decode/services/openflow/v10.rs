//! The bodies of OpenFlow 1.0 messages (OpenFlow Switch Specification 1.0.0 §5).

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;
use crate::decode::services::openflow::bits::{ACTIONS, CAPABILITIES, CONFIGURATION, FEATURES};
use crate::decode::services::openflow::flow::{print_actions, print_match, print_port};
use crate::decode::services::openflow::{big_switch, stats};

/// Why the rest of a message is not printed.
pub(super) enum Stop {
    /// It was not captured.
    Cut(Truncated),
    /// It is not valid.
    Invalid,
}

impl From<Truncated> for Stop {
    fn from(truncated: Truncated) -> Self {
        Self::Cut(truncated)
    }
}

pub(super) type Print = Result<(), Stop>;

pub(super) const BIG_SWITCH: u32 = 0x005c_16c7;
/// Prints the body of a message, of which `len` bytes are on the wire.
pub(super) fn print(p: &mut Printer<'_>, kind: u8, body: &mut Cursor<'_>, len: usize) -> Print {
    match kind {
        0 | 2 | 3 => print_data(p, body, len),
        1 => print_error(p, body, len),
        4 => print_vendor_data(p, body, len),
        5 | 7 | 18 | 19 => exactly(len == 0),
        6 => print_features(p, body, len),
        8 | 9 => {
            exactly(len == 4)?;
            let flags = body.u16()?;
            p.text("\n\t flags ");
            let name = ["FRAG_NORMAL", "FRAG_DROP", "FRAG_REASM"].get(usize::from(flags)).copied();
            p.name(name, format_args!("invalid (0x{flags:04x})"));
            write!(p, ", miss_send_len {}", body.u16()?);
            Ok(())
        }
        10 => print_packet_in(p, body, len),
        11 => print_removal(p, body, len),
        12 => {
            exactly(len == 56)?;
            let reason = body.u8()?;
            p.text("\n\t reason ");
            let name = ["ADD", "DELETE", "MODIFY"].get(usize::from(reason)).copied();
            p.name(name, format_args!("invalid (0x{reason:02x})"));
            body.skip(7)?;
            print_physical_port(p, body)
        }
        13 => print_packet_out(p, body, len),
        14 => print_change(p, body, len),
        15 => print_port_change(p, body, len),
        16 => stats::print_request(p, body, len),
        17 => stats::print_reply(p, body, len),
        20 => {
            exactly(len == 4)?;
            p.text("\n\t port ");
            print_port(p, body.u16()?);
            Ok(())
        }
        21 => print_queues(p, body, len),
        _ => Ok(()),
    }
}

/// Fails unless the length is right.
pub(super) fn exactly(right: bool) -> Print {
    if right { Ok(()) } else { Err(Stop::Invalid) }
}

/// Says how much data there is, and shows it with `-vv`.
pub(super) fn print_data(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    if len > 0 {
        write!(p, "\n\t data ({len} octets)");
        let data = body.take(len)?;
        if p.style.verbosity > 1 {
            p.hex_ascii("\n\t  ", data);
        }
    }
    Ok(())
}

/// Whether a message has a length that its kind allows.
pub(super) fn has_valid_length(kind: u8, len: usize) -> bool {
    match kind {
        1 | 4 | 16 | 17 => len >= 4,
        5 | 7 | 18 | 19 => len == 0,
        6 => len >= 24,
        8 | 9 | 20 => len == 4,
        10 => len >= 10,
        11 => len == 80,
        12 => len == 56,
        13 | 21 => len >= 8,
        14 => len >= 64,
        15 => len == 24,
        _ => true,
    }
}

/// Prints a vendor and the data that it defines.
pub(super) fn print_vendor_data(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 4)?;
    let vendor = body.u32()?;
    print_vendor(p, vendor);
    if vendor == BIG_SWITCH {
        big_switch::print_message(p, body, len - 4)
    } else {
        print_data(p, body, len - 4)
    }
}

/// Prints the names of the bits that are set, and whether other bits are.
pub(super) fn print_bits(p: &mut Printer<'_>, value: u32, table: &[(u32, &str)], valid: u32) {
    if value == 0 {
        return;
    }
    if table.iter().any(|(bit, _)| value & bit != 0) {
        p.text(" (");
        p.flags(value, table, ", ");
        p.text(")");
    }
    if value & !valid != 0 {
        p.text(" (bogus)");
    }
}

/// Prints a vendor's number and name.
pub(super) fn print_vendor(p: &mut Printer<'_>, number: u32) {
    let name = match number {
        0x0000_2320 => "Nicira Networks",
        BIG_SWITCH => "Big Switch Networks",
        0x4f4e_4600 => "ONF Extensions",
        0x00a4_2305 => "Open Networking Lab",
        _ => "unknown",
    };
    write!(p, ", vendor 0x{number:08x} ({name})");
}

fn print_error(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    const KINDS: [(&str, &[&str]); 6] = [
        ("HELLO_FAILED", &["INCOMPATIBLE", "EPERM"]),
        (
            "BAD_REQUEST",
            &[
                "BAD_VERSION",
                "BAD_TYPE",
                "BAD_STAT",
                "BAD_VENDOR",
                "BAD_SUBTYPE",
                "EPERM",
                "BAD_LEN",
                "BUFFER_EMPTY",
                "BUFFER_UNKNOWN",
            ],
        ),
        (
            "BAD_ACTION",
            &[
                "BAD_TYPE",
                "BAD_LEN",
                "BAD_VENDOR",
                "BAD_VENDOR_TYPE",
                "BAD_OUT_PORT",
                "BAD_ARGUMENT",
                "EPERM",
                "TOO_MANY",
                "BAD_QUEUE",
            ],
        ),
        (
            "FLOW_MOD_FAILED",
            &["ALL_TABLES_FULL", "OVERLAP", "EPERM", "BAD_EMERG_TIMEOUT", "BAD_COMMAND", "UNSUPPORTED"],
        ),
        ("PORT_MOD_FAILED", &["BAD_PORT", "BAD_HW_ADDR"]),
        ("QUEUE_OP_FAILED", &["BAD_PORT", "BAD_QUEUE", "EPERM"]),
    ];
    exactly(len >= 4)?;
    let kind = body.u16()?;
    let known = KINDS.get(usize::from(kind));
    p.text("\n\t type ");
    p.name(known.map(|(name, _)| *name), format_args!("invalid (0x{kind:04x})"));
    let code = body.u16()?;
    p.text(", code ");
    let name = known.and_then(|(_, codes)| codes.get(usize::from(code))).copied();
    p.name(name, format_args!("invalid (0x{code:04x})"));
    print_data(p, body, len - 4)
}

fn print_features(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 24)?;
    write!(p, "\n\t dpid 0x{:016x}", body.u64()?);
    write!(p, ", n_buffers {}, n_tables {}", body.u32()?, body.u8()?);
    body.skip(3)?;
    let capabilities = body.u32()?;
    write!(p, "\n\t capabilities 0x{capabilities:08x}");
    print_bits(p, capabilities, &CAPABILITIES, 0xef);
    let actions = body.u32()?;
    write!(p, "\n\t actions 0x{actions:08x}");
    print_bits(p, actions, &ACTIONS, 0xfff);
    let mut left = len - 24;
    while left > 0 {
        exactly(left >= 48)?;
        print_physical_port(p, body)?;
        left -= 48;
    }
    Ok(())
}

/// Prints a port of the switch; what it can do only with `-vv`.
fn print_physical_port(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Print {
    p.text("\n\t  port_no ");
    print_port(p, body.u16()?);
    write!(p, ", hw_addr {}, name '", Mac(body.take(6)?));
    print_string(p, body, 16)?;
    p.text("'");
    if p.style.verbosity < 2 {
        body.skip(24)?;
        return Ok(());
    }
    let configuration = body.u32()?;
    write!(p, "\n\t   config 0x{configuration:08x}");
    print_bits(p, configuration, &CONFIGURATION, 0x7f);
    let state = body.u32()?;
    let spanning = ["STP_LISTEN", "STP_LEARN", "STP_FORWARD", "STP_BLOCK"];
    write!(p, "\n\t   state 0x{state:08x} ({}", spanning[(state >> 8 & 3) as usize]);
    p.text(if state & 1 != 0 { ", LINK_DOWN)" } else { ")" });
    p.text(if state & !0x301 != 0 { " (bogus)" } else { "" });
    for name in ["curr", "advertised", "supported", "peer"] {
        let features = body.u32()?;
        write!(p, "\n\t   {name} 0x{features:08x}");
        print_bits(p, features, &FEATURES, 0xfff);
    }
    Ok(())
}

/// Prints text up to a zero byte in a field of `len` bytes.
pub(super) fn print_string(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    let text = body.take(len)?;
    p.escaped(text.split(|byte| *byte == 0).next().unwrap_or_default());
    Ok(())
}

fn print_packet_in(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 10)?;
    p.text("\n\t buffer_id ");
    print_buffer(p, body.u32()?);
    write!(p, ", total_len {}, in_port ", body.u16()?);
    print_port(p, body.u16()?);
    let reason = body.u8()?;
    p.text(", reason ");
    let name = ["NO_MATCH", "ACTION"].get(usize::from(reason)).copied();
    p.name(name, format_args!("invalid (0x{reason:02x})"));
    body.skip(1)?;
    if len > 10 {
        write!(p, "\n\t data ({} octets)", len - 10);
    }
    Ok(())
}

fn print_buffer(p: &mut Printer<'_>, number: u32) {
    p.name((number == u32::MAX).then_some("NONE"), format_args!("0x{number:08x}"));
}

fn print_removal(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len == 80)?;
    print_match(p, body, "\n\t ")?;
    write!(p, "\n\t cookie 0x{:016x}", body.u64()?);
    let priority = body.u16()?;
    if priority != 0 {
        write!(p, ", priority {priority}");
    }
    let reason = body.u8()?;
    p.text(", reason ");
    let name = ["IDLE_TIMEOUT", "HARD_TIMEOUT", "DELETE"].get(usize::from(reason)).copied();
    p.name(name, format_args!("unknown (0x{reason:02x})"));
    body.skip(1)?;
    write!(p, ", duration_sec {}, duration_nsec {}", body.u32()?, body.u32()?);
    let idle = body.u16()?;
    if idle != 0 {
        write!(p, ", idle_timeout {idle}");
    }
    body.skip(2)?;
    write!(p, ", packet_count {}, byte_count {}", body.u64()?, body.u64()?);
    Ok(())
}

fn print_packet_out(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 8)?;
    write!(p, "\n\t buffer_id 0x{:08x}, in_port ", body.u32()?);
    print_port(p, body.u16()?);
    let actions = usize::from(body.u16()?);
    exactly(actions <= len - 8)?;
    print_actions(p, body, actions, "\n\t ")?;
    print_data(p, body, len - 8 - actions)
}

fn print_change(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    const FLAGS: [(u32, &str); 3] = [(1, "SEND_FLOW_REM"), (2, "CHECK_OVERLAP"), (4, "EMERG")];
    exactly(len >= 64)?;
    print_match(p, body, "\n\t ")?;
    write!(p, "\n\t cookie 0x{:016x}, command ", body.u64()?);
    let command = body.u16()?;
    let name =
        ["ADD", "MODIFY", "MODIFY_STRICT", "DELETE", "DELETE_STRICT"].get(usize::from(command)).copied();
    p.name(name, format_args!("invalid (0x{command:04x})"));
    for timeout in ["idle_timeout", "hard_timeout"] {
        let seconds = body.u16()?;
        if seconds != 0 {
            write!(p, ", {timeout} {seconds}");
        }
    }
    let priority = body.u16()?;
    if priority != 0 {
        write!(p, ", priority {priority}");
    }
    let (buffer, port) = (body.u32()?, body.u16()?);
    match command {
        0..=2 => {
            p.text(", buffer_id ");
            print_buffer(p, buffer);
        }
        3 | 4 => {
            p.text(", out_port ");
            print_port(p, port);
        }
        _ => {}
    }
    let flags = body.u16()?;
    write!(p, ", flags 0x{flags:04x}");
    print_bits(p, u32::from(flags), &FLAGS, 7);
    print_actions(p, body, len - 64, "\n\t ")
}

fn print_port_change(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len == 24)?;
    p.text("\n\t port_no ");
    print_port(p, body.u16()?);
    write!(p, ", hw_addr {}", Mac(body.take(6)?));
    for name in ["config", "mask"] {
        let bits = body.u32()?;
        write!(p, "\n\t {name} 0x{bits:08x}");
        print_bits(p, bits, &CONFIGURATION, 0x7f);
    }
    let features = body.u32()?;
    write!(p, "\n\t advertise 0x{features:08x}");
    print_bits(p, features, &FEATURES, 0xfff);
    Ok(())
}

fn print_queues(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 8)?;
    p.text("\n\t port ");
    print_port(p, body.u16()?);
    body.skip(6)?;
    let mut left = len - 8;
    while left > 0 {
        exactly(left >= 8)?;
        let (queue, queue_len) = (body.u32()?, usize::from(body.u16()?));
        write!(p, "\n\t  queue_id {queue}, len {queue_len}");
        exactly(queue_len >= 8 && queue_len <= left)?;
        body.skip(queue_len - 6)?;
        left -= queue_len;
    }
    Ok(())
}

/// Prints an address for a network.
pub(super) fn print_network(p: &mut Printer<'_>, name: &str, address: Ipv4, ignored: u32) {
    if ignored < 32 {
        write!(p, "{name} {address}/{}", 32 - ignored);
    }
}
