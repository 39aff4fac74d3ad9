//! Protocol independent multicast (RFC 7761).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    const NAMES: [&str; 11] = [
        "Hello",
        "Register",
        "Register Stop",
        "Join / Prune",
        "Bootstrap",
        "Assert",
        "Graft",
        "Graft Acknowledgement",
        "Candidate RP Advertisement",
        "Prune Refresh",
        "DF Election",
    ];
    let first = layer.cursor("pim").u8()?;
    let (version, kind) = (first >> 4, usize::from(first & 15));
    write!(p, "PIMv{version}");
    if version == 2 {
        match NAMES.get(kind) {
            Some(name) => write!(p, ", {name}"),
            None => write!(p, ", unknown"),
        }
    }
    write!(p, ", length {}", layer.len);
    Ok(())
}
