//! Multipath TCP's option (RFC 8684, RFC 6824).

use super::Printer;
use super::cursor::Cursor;
use super::tcp_options::Segment;

/// Prints the option after its length, from the subtype on. Gives false when its length cannot be.
pub(super) fn print(p: &mut Printer<'_>, option: &[u8], segment: &Segment) -> bool {
    let _ = (segment.syn, segment.ack, Cursor::new("tcp", option));
    let Some(first) = option.first() else { return false };
    write!(p, " {}", name(first >> 4));
    true
}

fn name(subtype: u8) -> &'static str {
    match subtype {
        0 => "capable",
        1 => "join",
        2 => "dss",
        3 => "add-addr",
        4 => "rem-addr",
        5 => "prio",
        6 => "fail",
        7 => "fast-close",
        8 => "reset",
        _ => "unknown",
    }
}
