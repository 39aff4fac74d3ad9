//! The blocks that are written once per file or once per interface.

use xdpdump_ebpf::pcapng::{
    COMMENT,
    block::{BYTE_ORDER_MAGIC, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, SECTION_HEADER},
    interface::{
        DESCRIPTION, FILTER, FILTER_EXPRESSION, HARDWARE, MAC, NAME, OS, SPEED, TIME_OFFSET, TIME_RESOLUTION,
    },
    statistics,
};

use super::{
    copy,
    encode::{Encoder, fitting},
};
use crate::{
    output::Precision,
    packet::{
        BRIEF, Block, Detail, Interface, InterfaceStatistics, Original, Units,
        block::{INTERFACE_OPTIONS, SECTION_OPTIONS, interface::FCS_LEN, options, section, text},
    },
    sys::kernel,
};

/// The name of this program in files.
const PROGRAM: &str = concat!("xdpdump ", env!("CARGO_PKG_VERSION"));

/// A section's length that is not known.
const UNKNOWN_LENGTH: u64 = u64::MAX;

/// The section header, which names the program, and also the machine for what `is_captured` here.
pub fn section_header(encoder: &mut Encoder<'_>, is_captured: bool, detail: Detail) {
    section_with(encoder, |encoder| {
        if is_captured {
            encoder.text(section::HARDWARE, std::env::consts::ARCH);
            encoder.text(section::OS, &kernel::operating_system());
        }
        encoder.text(section::USER_APPLICATION, PROGRAM);
        if detail == Detail::Brief {
            encoder.text(COMMENT, BRIEF);
        }
    });
}

/// The header of a section of which a part is copied: it has another length, and says what became of it.
pub fn section_of_part(encoder: &mut Encoder<'_>, original: Block<'_>) {
    section_with(encoder, |encoder| {
        for (code, value) in options(original.options_at(SECTION_OPTIONS)) {
            copy::option(encoder, SECTION_HEADER, code, value);
        }
        encoder.text(COMMENT, &format!("{PROGRAM} copied a part of this section"));
    });
}

fn section_with(encoder: &mut Encoder<'_>, options: impl FnOnce(&mut Encoder<'_>)) {
    encoder.block(SECTION_HEADER, |encoder| {
        encoder.words([BYTE_ORDER_MAGIC]);
        encoder.halves([1, 0]);
        encoder.bytes(&UNKNOWN_LENGTH.to_ne_bytes());
        options(encoder);
        encoder.end_of_options();
    });
}

/// The description of an interface; returns how times of its packets are to be counted.
pub fn interface_description(
    encoder: &mut Encoder<'_>,
    interface: &Interface,
    precision: Precision,
) -> Units {
    let units = match (precision, &interface.original) {
        (Precision::AsRead, Original::Pcapng(_, units)) => *units,
        (Precision::Micro, _) => Units::MICRO,
        (Precision::Nano | Precision::AsRead, _) => Units::NANO,
    };
    match &interface.original {
        Original::Pcapng(block, _) => {
            copied_description(
                encoder,
                interface,
                block.borrow(),
                (precision != Precision::AsRead).then_some(units),
            );
        }
        Original::None | Original::Pcap(_) => new_description(encoder, interface, units),
    }
    units
}

fn new_description(encoder: &mut Encoder<'_>, interface: &Interface, units: Units) {
    encoder.block(INTERFACE_DESCRIPTION, |encoder| {
        encoder.halves([interface.link_type.0, 0]);
        encoder.words([interface.snap_len]);
        interface.name.iter().for_each(|name| encoder.text(NAME, name));
        interface.description.iter().for_each(|text| encoder.text(DESCRIPTION, text));
        interface.mac.iter().for_each(|mac| encoder.option(MAC, mac));
        interface.speed.iter().for_each(|speed| encoder.option_u64(SPEED, *speed));
        encoder.option(TIME_RESOLUTION, &[units.resolution]);
        interface.filter.iter().for_each(|filter| self::filter(encoder, filter));
        interface.os.iter().for_each(|os| encoder.text(OS, os));
        if let Some(length) = interface.fcs_len() {
            encoder.option(FCS_LEN, &[length]);
        }
        interface.hardware.iter().for_each(|text| encoder.text(HARDWARE, text));
        interface.note.iter().for_each(|note| encoder.text(COMMENT, note));
        encoder.end_of_options();
    });
}

/// `if_filter`: the octet that announces a pcap-filter expression, then the expression.
fn filter(encoder: &mut Encoder<'_>, filter: &str) {
    let mut value = vec![FILTER_EXPRESSION];
    value.extend_from_slice(fitting(filter).as_bytes());
    encoder.option(FILTER, &value);
}

/// The description that a file has of an interface, with another name, another filter and other units of time if these were
/// changed, and with the note if there is one.
fn copied_description(
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
        interface.filter.iter().filter(|_| is_filtered).for_each(|text| filter(encoder, text));
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
