//! IEEE 802.2 LLC and SNAP.

use super::Printer;
use super::cursor::{Layer, Printed};
use super::ethernet::Addresses;

/// Prints what an 802.3 frame carries.
pub(super) fn print(p: &mut Printer<'_>, _addresses: Addresses<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("llc");
    cursor.need(3)?;
    write!(p, "LLC, length {}", layer.len);
    Ok(())
}
