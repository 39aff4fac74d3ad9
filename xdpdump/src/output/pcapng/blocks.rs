//! The blocks that are written once per file and interface.

use std::{borrow::Cow, time::Duration};

use pcap_file::{
    DataLink, Endianness,
    pcapng::{
        Block, PcapNgBlock as _,
        blocks::{
            interface_description::{
                InterfaceDescriptionBlock, InterfaceDescriptionOption as IfOption, InterfaceTsResolution,
            },
            interface_statistics::{InterfaceStatisticsBlock, InterfaceStatisticsOption as IsbOption},
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};

use crate::{
    packet::{Interface, InterfaceStatistics, Timestamp},
    sys::kernel,
};

/// Who writes, and on what machine.
pub fn section_header() -> SectionHeaderBlock<'static> {
    let options = vec![
        SectionHeaderOption::Hardware(std::env::consts::ARCH.into()),
        SectionHeaderOption::OS(kernel::operating_system().into()),
        SectionHeaderOption::UserApplication(concat!("xdpdump ", env!("CARGO_PKG_VERSION")).into()),
    ];
    SectionHeaderBlock { endianness: Endianness::native(), options, ..SectionHeaderBlock::default() }
}

/// What is known of an interface. Times of its packets are in nanoseconds.
pub fn interface_description(interface: &Interface) -> Block<'_> {
    let mut options = Vec::new();
    options.extend(interface.name.as_deref().map(|name| IfOption::IfName(fitting(name).into())));
    options
        .extend(interface.description.as_deref().map(|text| IfOption::IfDescription(fitting(text).into())));
    options.extend(interface.mac.as_ref().map(|mac| IfOption::IfMacAddr(Cow::Borrowed(mac))));
    options.extend(interface.speed.map(IfOption::IfSpeed));
    options.push(IfOption::IfTsResol(InterfaceTsResolution::NANO));
    options.extend(interface.filter.as_deref().map(|filter| IfOption::IfFilter(filter_value(filter).into())));
    options.extend(interface.os.as_deref().map(|os| IfOption::IfOs(fitting(os).into())));
    options.extend(interface.hardware.as_deref().map(|text| IfOption::IfHardware(fitting(text).into())));
    InterfaceDescriptionBlock {
        linktype: DataLink::from(u32::from(interface.link_type.0)),
        snaplen: interface.snap_len,
        options,
    }
    .into_block()
}

/// An octet 0, which says that a pcap-filter expression follows, and the expression.
fn filter_value(filter: &str) -> Vec<u8> {
    let mut value = vec![0];
    value.extend_from_slice(fitting(filter).as_bytes());
    value
}

/// As much of `text` as an option can hold: its length is 16 bits, and a filter needs one octet more.
fn fitting(text: &str) -> &str {
    let limit = usize::from(u16::MAX) - 1;
    &text[..text.floor_char_boundary(limit)]
}

/// The totals of an interface.
pub fn interface_statistics(statistics: &InterfaceStatistics) -> Block<'static> {
    let &InterfaceStatistics { interface, start, end, received, accepted, dropped, delivered } = statistics;
    InterfaceStatisticsBlock {
        interface_id: interface,
        timestamp: since_epoch(end),
        options: vec![
            IsbOption::IsbStartTime(since_epoch(start)),
            IsbOption::IsbEndTime(since_epoch(end)),
            IsbOption::IsbIfRecv(received),
            // Wireshark's "dropped packets" is this one; dumpcap too puts the kernel's losses here.
            IsbOption::IsbIfDrop(dropped),
            IsbOption::IsbFilterAccept(accepted),
            IsbOption::IsbOsDrop(dropped),
            IsbOption::IsbUsrDeliv(delivered),
        ],
    }
    .into_block()
}

fn since_epoch(time: Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(time.0).unwrap_or(0))
}
