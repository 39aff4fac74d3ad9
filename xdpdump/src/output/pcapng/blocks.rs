//! Blocks that are copied with changes, and totals: they are written once per file or once per interface.

use xdpdump_ebpf::pcapng::{
    COMMENT,
    block::{BYTE_ORDER_MAGIC, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, SECTION_HEADER},
    interface::{FILTER, FILTER_EXPRESSION, NAME, TIME_OFFSET, TIME_RESOLUTION},
    statistics,
};

use super::{
    copy,
    encode::{Encoder, fitting},
};
use crate::{
    output::Precision,
    packet::{
        Block, Interface, InterfaceStatistics, Original, Units,
        block::{INTERFACE_OPTIONS, SECTION_OPTIONS, options, text},
    },
};

/// The name of this program in files.
pub const PROGRAM: &str = concat!("xdpdump ", env!("CARGO_PKG_VERSION"));

/// A section's length that is not known.
const UNKNOWN_LENGTH: u64 = u64::MAX;

/// The header of a section of which a part is copied: it has another length, and says what became of it.
pub fn section_of_part(encoder: &mut Encoder<'_>, original: Block<'_>) {
    encoder.block(SECTION_HEADER, |encoder| {
        encoder.words([BYTE_ORDER_MAGIC]);
        encoder.halves([1, 0]);
        encoder.bytes(&UNKNOWN_LENGTH.to_ne_bytes());
        for (code, value) in options(original.options_at(SECTION_OPTIONS)) {
            copy::option(encoder, SECTION_HEADER, code, value);
        }
        encoder.text(COMMENT, &format!("{PROGRAM} copied a part of this section"));
        encoder.end_of_options();
    });
}

/// How times of an interface's packets are to be counted.
pub fn units(interface: &Interface, precision: Precision) -> Units {
    match (precision, &interface.original) {
        (Precision::AsRead, Original::Pcapng(_, units)) => *units,
        (Precision::Micro, _) => Units::MICRO,
        (Precision::Nano | Precision::AsRead, _) => Units::NANO,
    }
}

/// `if_filter`: the octet that announces a pcap-filter expression, then the expression.
pub fn filter_value(filter: &str) -> Vec<u8> {
    let mut value = vec![FILTER_EXPRESSION];
    value.extend_from_slice(fitting(filter).as_bytes());
    value
}

/// The description that a file has of an interface, with another name, another filter and other units of time if these were
/// changed, and with the note if there is one.
pub fn copied_description(
    encoder: &mut Encoder<'_>,
    interface: &Interface,
    original: Block<'_>,
    units: Option<Units>,
) {
    let options = || options(original.options_at(INTERFACE_OPTIONS));
    let last = |wanted| options().filter(|(code, _)| *code == wanted).last().map(|(_, value)| value.rest);
    let is_renamed = last(NAME).map(text) != interface.name;
    let read = last(FILTER).and_then(|filter| filter.strip_prefix(&[FILTER_EXPRESSION])).map(text);
    let is_filtered = read != interface.filter;
    let is_changed = is_renamed || is_filtered || units.is_some() || interface.note.is_some();
    if !is_changed && original.order == encoder.order {
        return encoder.bytes(original.bytes);
    }
    let is_replaced = |code| match code {
        NAME => is_renamed,
        FILTER => is_filtered,
        TIME_RESOLUTION | TIME_OFFSET => units.is_some(),
        _ => false,
    };
    encoder.block(INTERFACE_DESCRIPTION, |encoder| {
        encoder.halves([interface.link_type.0, 0]);
        encoder.words([interface.snap_len]);
        for (code, value) in options().filter(|(code, _)| !is_replaced(*code)) {
            copy::option(encoder, INTERFACE_DESCRIPTION, code, value);
        }
        interface.name.iter().filter(|_| is_renamed).for_each(|name| encoder.text(NAME, name));
        interface
            .filter
            .iter()
            .filter(|_| is_filtered)
            .for_each(|text| encoder.option(FILTER, &filter_value(text)));
        if let Some(units) = units {
            encoder.option(TIME_RESOLUTION, &[units.resolution]);
        }
        interface.note.iter().for_each(|note| encoder.text(COMMENT, note));
        encoder.end_of_options();
    });
}

/// The totals of the interface with this number in its section, which counts time in these units.
pub fn interface_statistics(
    encoder: &mut Encoder<'_>,
    interface: u32,
    units: Units,
    totals: &InterfaceStatistics,
) {
    let &InterfaceStatistics { start, end, received, accepted, dropped, delivered, .. } = totals;
    let [start, end] = [start, end].map(|time| units.of(time).unwrap_or(0));
    encoder.block(INTERFACE_STATISTICS, |encoder| {
        encoder.words([interface, (end >> 32) as u32, end as u32]);
        encoder.option_time(statistics::START_TIME, start);
        encoder.option_time(statistics::END_TIME, end);
        encoder.option_u64(statistics::RECEIVED, received);
        // Wireshark shows this option as "dropped packets"; dumpcap too stores the kernel's losses in it.
        encoder.option_u64(IF_DROP, dropped);
        encoder.option_u64(statistics::FILTER_ACCEPT, accepted);
        encoder.option_u64(statistics::OS_DROP, dropped);
        encoder.option_u64(statistics::DELIVERED, delivered);
        encoder.end_of_options();
    });
}

/// `isb_ifdrop`, 8 bytes: packets that the interface lost.
const IF_DROP: u16 = 5;
