//! TCP (RFC 9293).

use crate::decode::checksum::expected;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::ip;
use crate::decode::printer::Printer;
use crate::decode::transport::conversation::{Endpoint, Numbers};
use crate::decode::transport::port;
use crate::decode::transport::tcp_options::{self, Options};

const HEADER: usize = 20;
const FIN: u16 = 0x01;
const SYN: u16 = 0x02;
const RST: u16 = 0x04;
const ACK: u16 = 0x10;
const URG: u16 = 0x20;
/// Flags and the letters that tcpdump prints for them, in its order.
const FLAGS: [(u16, &str); 8] =
    [(FIN, "F"), (SYN, "S"), (RST, "R"), (0x08, "P"), (ACK, "."), (URG, "U"), (0x40, "E"), (0x80, "W")];

/// Prints `src.port > dst.port: `, or only the ports if the addresses were already printed before other headers.
pub(in crate::decode) fn print_ports(p: &mut Printer<'_>, header: &ip::Header, src_port: u16, dst_port: u16) {
    if header.direct {
        write!(p, "{}.{src_port} > {}.{dst_port}: ", header.src, header.dst);
    } else {
        write!(p, "{src_port} > {dst_port}: ");
    }
}

/// Prints a TCP segment.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("tcp");
    if cursor.need(4).is_err() {
        write!(p, "{} > {}:", header.src, header.dst);
        return Err(cursor.truncated());
    }
    let (src_port, dst_port) = (cursor.u16()?, cursor.u16()?);
    print_ports(p, header, src_port, dst_port);
    cursor.need(HEADER - 4)?;
    let seq = cursor.u32()?;
    let ack = cursor.u32()?;
    let offset_flags = cursor.u16()?;
    let window = cursor.u16()?;
    let checksum = cursor.u16()?;
    let urgent = cursor.u16()?;
    let header_len = usize::from(offset_flags >> 12) * 4;
    let flags = offset_flags & 0xff;
    if header_len < HEADER {
        let data = layer.len.saturating_sub(header_len);
        write!(p, " tcp {data} [bad hdr length {header_len} - too short, < {HEADER}]");
        return Ok(());
    }
    // tcpdump subtracts before it checks, so it prints a huge number if the length field is wrong.
    let data = (layer.len as u32).wrapping_sub(header_len as u32);
    let too_long = header_len > layer.len;
    if p.style.quiet {
        write!(p, "tcp {data}");
        if too_long {
            write!(p, " [bad hdr length {header_len} - too long, > {}]", layer.len);
        }
        return Ok(());
    }
    p.text("Flags [");
    print_flags(p, flags);
    p.text("]");
    if too_long {
        write!(p, " [bad hdr length {header_len} - too long, > {}]", layer.len);
        return Ok(());
    }
    if p.verbose() && !header.fragment {
        print_checksum(p, header, layer, checksum);
    }
    let src = Endpoint { address: header.src, port: src_port };
    let dst = Endpoint { address: header.dst, port: dst_port };
    // A segment without ACK contains no number of the other direction.
    let relative = flags & ACK != 0 && !p.style.absolute_seq;
    let Numbers { seq: seq_base, ack: ack_base, sack: sack_base } = if relative {
        p.conversations.base(src, dst, seq, ack, flags & SYN != 0)
    } else {
        Numbers::default()
    };
    let seq = seq.wrapping_sub(seq_base);
    if data > 0 || flags & (SYN | FIN | RST) != 0 || p.style.verbosity > 1 {
        write!(p, ", seq {seq}");
        if data > 0 {
            write!(p, ":{}", seq.wrapping_add(data));
        }
    }
    if flags & ACK != 0 {
        write!(p, ", ack {}", ack.wrapping_sub(ack_base));
    }
    write!(p, ", win {window}");
    if flags & URG != 0 {
        write!(p, ", urg {urgent}");
    }
    if header_len > HEADER {
        let segment = tcp_options::Segment {
            syn: flags & SYN != 0,
            ack: flags & ACK != 0,
            whole: layer.bytes.len() >= layer.len,
            sack_base,
        };
        let options = tcp_options::print(p, &mut cursor, header_len - HEADER, &segment)?;
        if matches!(options, Options::Broken) {
            return Ok(());
        }
    }
    write!(p, ", length {data}");
    if data > 0 && flags & RST != 0 && p.verbose() {
        print_reset_reason(p, layer.skip(header_len));
        return Ok(());
    }
    if data > 0 {
        return port::print_tcp(p, header, [src_port, dst_port], layer.skip(header_len));
    }
    Ok(())
}

fn print_flags(p: &mut Printer<'_>, flags: u16) {
    if flags == 0 {
        p.text("none");
    }
    for (bit, letter) in FLAGS {
        if flags & bit != 0 {
            p.text(letter);
        }
    }
}

fn print_checksum(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>, field: u16) {
    if p.style.unverified {
        return;
    }
    let Some(sum) = header.sum(ip::TCP, layer.bytes, layer.len) else { return };
    if sum == 0 {
        write!(p, ", cksum 0x{field:04x} (correct)");
    } else {
        write!(p, ", cksum 0x{field:04x} (incorrect -> 0x{:04x})", expected(field, sum));
    }
}

/// Prints the data of a reset: some stacks send the reason as text (RFC 9293 §3.5.2 allows data in a reset).
fn print_reset_reason(p: &mut Printer<'_>, reason: Layer<'_>) {
    p.text(if reason.bytes.len() < reason.len { " [!RST " } else { " [RST " });
    p.escaped(reason.bytes);
    p.text("]");
}
