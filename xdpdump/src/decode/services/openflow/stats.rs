//! Statistics of OpenFlow 1.0 (OpenFlow Switch Specification 1.0.0 §5.3.5).

use crate::decode::cursor::Cursor;
use crate::decode::printer::Printer;
use crate::decode::services::openflow::flow::{WILDCARDS, print_actions, print_match, print_port};
use crate::decode::services::openflow::v10::{
    Print, exactly, print_bits, print_data, print_string, print_vendor,
};

const VENDOR: u16 = 0xffff;

fn print_kind(
    p: &mut Printer<'_>,
    body: &mut Cursor<'_>,
    len: usize,
) -> Result<(u16, u16), super::v10::Stop> {
    const NAMES: [&str; 6] = ["DESC", "FLOW", "AGGREGATE", "TABLE", "PORT", "QUEUE"];
    exactly(len >= 4)?;
    let (kind, flags) = (body.u16()?, body.u16()?);
    p.text("\n\t type ");
    let name = if kind == VENDOR { Some("VENDOR") } else { NAMES.get(usize::from(kind)).copied() };
    p.name(name, format_args!("invalid (0x{kind:04x})"));
    write!(p, ", flags 0x{flags:04x}");
    Ok((kind, flags))
}

fn print_table(p: &mut Printer<'_>, table: u8) {
    let name = match table {
        0xfe => Some("EMERG"),
        0xff => Some("ALL"),
        _ => None,
    };
    p.name(name, format_args!("{table}"));
}

/// Prints what is asked for.
pub(super) fn print_request(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    let (kind, flags) = print_kind(p, body, len)?;
    p.text(if flags == 0 { "" } else { " (bogus)" });
    let len = len - 4;
    match kind {
        0 | 3 => exactly(len == 0),
        1 | 2 => {
            exactly(len == 44)?;
            print_match(p, body, "\n\t ")?;
            p.text("\n\t table_id ");
            print_table(p, body.u8()?);
            body.skip(1)?;
            p.text(", out_port ");
            print_port(p, body.u16()?);
            Ok(())
        }
        4 => {
            exactly(len == 8)?;
            p.text("\n\t port_no ");
            print_port(p, body.u16()?);
            Ok(())
        }
        5 => {
            exactly(len == 8)?;
            p.text("\n\t port_no ");
            print_port(p, body.u16()?);
            body.skip(2)?;
            let queue = body.u32()?;
            p.text(", queue_id ");
            p.name((queue == u32::MAX).then_some("ALL"), format_args!("{queue}"));
            Ok(())
        }
        VENDOR => print_other(p, body, len),
        _ => print_data(p, body, len),
    }
}

fn print_other(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    exactly(len >= 4)?;
    print_vendor(p, body.u32()?);
    print_data(p, body, len - 4)
}

/// Prints what was counted.
pub(super) fn print_reply(p: &mut Printer<'_>, body: &mut Cursor<'_>, len: usize) -> Print {
    let (kind, flags) = print_kind(p, body, len)?;
    print_bits(p, u32::from(flags), &[(1, "MORE")], 1);
    let mut left = len - 4;
    match kind {
        0 => {
            exactly(left == 1056)?;
            let fields =
                [("mfr_desc", 256), ("hw_desc", 256), ("sw_desc", 256), ("serial_num", 32), ("dp_desc", 256)];
            for (name, width) in fields {
                write!(p, "\n\t  {name} '");
                print_string(p, body, width)?;
                p.text("'");
            }
            Ok(())
        }
        1 => {
            while left > 0 {
                left -= print_flow(p, body, left)?;
            }
            Ok(())
        }
        2 => {
            exactly(left == 24)?;
            write!(p, "\n\t packet_count {}, byte_count {}", body.u64()?, body.u64()?);
            write!(p, ", flow_count {}", body.u32()?);
            Ok(())
        }
        3..=5 => {
            let size = [64, 104, 32][usize::from(kind) - 3];
            while left > 0 {
                exactly(left >= size)?;
                match kind {
                    3 => print_table_counts(p, body)?,
                    4 => print_port_counts(p, body)?,
                    _ => print_queue_counts(p, body)?,
                }
                left -= size;
            }
            Ok(())
        }
        VENDOR => print_other(p, body, left),
        _ => print_data(p, body, left),
    }
}

fn print_flow(p: &mut Printer<'_>, body: &mut Cursor<'_>, left: usize) -> Result<usize, super::v10::Stop> {
    exactly(left >= 88)?;
    let len = usize::from(body.u16()?);
    write!(p, "\n\t length {len}");
    exactly(len >= 88 && len <= left)?;
    write!(p, ", table_id ");
    print_table(p, body.u8()?);
    body.skip(1)?;
    print_match(p, body, "\n\t  ")?;
    write!(p, "\n\t  duration_sec {}, duration_nsec {}", body.u32()?, body.u32()?);
    write!(p, ", priority {}, idle_timeout {}", body.u16()?, body.u16()?);
    write!(p, ", hard_timeout {}", body.u16()?);
    body.skip(6)?;
    write!(p, ", cookie 0x{:016x}", body.u64()?);
    write!(p, ", packet_count {}, byte_count {}", body.u64()?, body.u64()?);
    print_actions(p, body, len - 88, "\n\t  ")?;
    Ok(len)
}

fn print_table_counts(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Print {
    p.text("\n\t table_id ");
    print_table(p, body.u8()?);
    body.skip(3)?;
    p.text(", name '");
    print_string(p, body, 32)?;
    p.text("'");
    let open = body.u32()?;
    write!(p, "\n\t  wildcards 0x{open:08x}");
    print_bits(p, open, &WILDCARDS, 0x003f_ffff);
    write!(p, "\n\t  max_entries {}, active_count {}", body.u32()?, body.u32()?);
    write!(p, ", lookup_count {}, matched_count {}", body.u64()?, body.u64()?);
    Ok(())
}

fn print_port_counts(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Print {
    const NAMES: [&str; 12] = [
        ", rx_packets",
        ", tx_packets",
        ", rx_bytes",
        ", tx_bytes",
        ", rx_dropped",
        ", tx_dropped",
        ", rx_errors",
        ", tx_errors",
        ", rx_frame_err",
        ", rx_over_err",
        ", rx_crc_err",
        ", collisions",
    ];
    p.text("\n\t  port_no ");
    print_port(p, body.u16()?);
    body.skip(6)?;
    if p.style.verbosity < 2 {
        body.skip(96)?;
        return Ok(());
    }
    for name in NAMES {
        write!(p, "{name} {}", body.u64()?);
    }
    Ok(())
}

fn print_queue_counts(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Print {
    p.text("\n\t  port_no ");
    print_port(p, body.u16()?);
    body.skip(2)?;
    write!(p, ", queue_id {}", body.u32()?);
    write!(p, ", tx_bytes {}, tx_packets {}", body.u64()?, body.u64()?);
    write!(p, ", tx_errors {}", body.u64()?);
    Ok(())
}
