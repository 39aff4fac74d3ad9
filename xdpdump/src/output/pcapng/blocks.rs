//! The blocks that are written once per file or once per interface.

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
            opt_common::CommonOption,
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};

use xdpdump_ebpf::pcapng::interface::FILTER_EXPRESSION;

use crate::{
    output::Precision,
    packet::{BRIEF, Detail, Interface, InterfaceStatistics, Timestamp},
    sys::kernel,
};

/// The section header, which names the program and the machine.
pub fn section_header(detail: Detail) -> SectionHeaderBlock<'static> {
    let mut options = vec![
        SectionHeaderOption::Hardware(std::env::consts::ARCH.into()),
        SectionHeaderOption::OS(kernel::operating_system().into()),
        SectionHeaderOption::UserApplication(concat!("xdpdump ", env!("CARGO_PKG_VERSION")).into()),
    ];
    if detail == Detail::Brief {
        options.push(SectionHeaderOption::Common(CommonOption::Comment(BRIEF.into())));
    }
    SectionHeaderBlock { endianness: Endianness::native(), options, ..SectionHeaderBlock::default() }
}

pub fn interface_description(interface: &Interface, precision: Precision) -> Block<'_> {
    let mut options = Vec::new();
    options.extend(interface.name.as_deref().map(|name| IfOption::IfName(fitting(name).into())));
    options
        .extend(interface.description.as_deref().map(|text| IfOption::IfDescription(fitting(text).into())));
    options.extend(interface.mac.as_ref().map(|mac| IfOption::IfMacAddr(Cow::Borrowed(mac))));
    options.extend(interface.speed.map(IfOption::IfSpeed));
    options.push(IfOption::IfTsResol(match precision {
        Precision::Micro => InterfaceTsResolution::MICRO,
        Precision::Nano => InterfaceTsResolution::NANO,
    }));
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

/// Value of `if_filter`: the octet that announces a pcap-filter expression, then the expression.
fn filter_value(filter: &str) -> Vec<u8> {
    let mut value = vec![FILTER_EXPRESSION];
    value.extend_from_slice(fitting(filter).as_bytes());
    value
}

/// The longest beginning of `text` that fits into an option: an option's length has 16 bits, and a filter needs one octet
/// more.
fn fitting(text: &str) -> &str {
    let limit = usize::from(u16::MAX) - 1;
    &text[..text.floor_char_boundary(limit)]
}

/// The totals of an interface. pcap-file converts their times to the interface's unit.
pub fn interface_statistics(statistics: &InterfaceStatistics) -> Block<'static> {
    let &InterfaceStatistics { interface, start, end, received, accepted, dropped, delivered } = statistics;
    InterfaceStatisticsBlock {
        interface_id: interface,
        timestamp: since_epoch(end),
        options: vec![
            IsbOption::IsbStartTime(since_epoch(start)),
            IsbOption::IsbEndTime(since_epoch(end)),
            IsbOption::IsbIfRecv(received),
            // Wireshark shows this option as "dropped packets"; dumpcap too stores the kernel's losses in it.
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
