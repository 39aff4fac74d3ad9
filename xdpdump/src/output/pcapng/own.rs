//! What this program says of itself and of the interfaces of a capture: the pcap-file crate encodes that.
//!
//! [`encode`](super::encode) encodes packets, because there are millions of them, and what is copied, because that has to stay as it
//! is.

use std::{borrow::Cow, io};

use pcap_file::{
    DataLink, Endianness,
    pcapng::{
        Block, PcapNgBlock as _, PcapNgWriter,
        blocks::{
            interface_description::{
                InterfaceDescriptionBlock, InterfaceDescriptionOption as IfOption, InterfaceTsResolution,
            },
            opt_common::CommonOption,
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};

use super::blocks::{PROGRAM, filter_value};
use crate::{
    output::pcapng::encode::fitting,
    packet::{BRIEF, ByteOrder, Detail, Interface, Units},
    sys::kernel,
};

/// The header of a section in the byte order of this machine: it names the program, and also the machine for what `is_captured`
/// here.
///
/// # Errors
/// When pcap-file refuses a value.
pub fn section_header(is_captured: bool, detail: Detail) -> io::Result<Vec<u8>> {
    let mut options = Vec::new();
    if is_captured {
        options.push(SectionHeaderOption::Hardware(std::env::consts::ARCH.into()));
        options.push(SectionHeaderOption::OS(kernel::operating_system().into()));
    }
    options.push(SectionHeaderOption::UserApplication(PROGRAM.into()));
    if detail == Detail::Brief {
        options.push(SectionHeaderOption::Common(CommonOption::Comment(BRIEF.into())));
    }
    let header = SectionHeaderBlock { options, ..empty(ByteOrder::NATIVE) };
    let writer = PcapNgWriter::with_section_header(Vec::new(), header).map_err(io::Error::other)?;
    Ok(writer.into_inner())
}

/// The description of an interface whose packets have times in these units.
///
/// # Errors
/// When pcap-file refuses a value.
pub fn interface_description(order: ByteOrder, interface: &Interface, units: Units) -> io::Result<Vec<u8>> {
    let resolution = InterfaceTsResolution::new(units.resolution & 0x80 != 0, units.resolution & 0x7f);
    let mut options = Vec::new();
    options.extend(interface.name.as_deref().map(|name| IfOption::IfName(fitting(name).into())));
    options
        .extend(interface.description.as_deref().map(|text| IfOption::IfDescription(fitting(text).into())));
    options.extend(interface.mac.as_ref().map(|mac| IfOption::IfMacAddr(Cow::Borrowed(mac))));
    options.extend(interface.speed.map(IfOption::IfSpeed));
    options.push(IfOption::IfTsResol(resolution.map_err(io::Error::other)?));
    options.extend(interface.filter.as_deref().map(|filter| IfOption::IfFilter(filter_value(filter).into())));
    options.extend(interface.os.as_deref().map(|os| IfOption::IfOs(fitting(os).into())));
    options.extend(interface.fcs_len().map(IfOption::IfFcsLen));
    options.extend(interface.hardware.as_deref().map(|text| IfOption::IfHardware(fitting(text).into())));
    let note = |note| IfOption::Common(CommonOption::Comment(fitting(note).into()));
    options.extend(interface.note.as_deref().map(note));
    let linktype = DataLink::from(u32::from(interface.link_type.0));
    encoded(order, &InterfaceDescriptionBlock { linktype, snaplen: interface.snap_len, options }.into_block())
}

/// A block of a section in this byte order.
fn encoded(order: ByteOrder, block: &Block<'_>) -> io::Result<Vec<u8>> {
    let mut writer = PcapNgWriter::with_section_header(Vec::new(), empty(order)).map_err(io::Error::other)?;
    let header = writer.get_ref().len();
    writer.write_block(block).map_err(io::Error::other)?;
    Ok(writer.into_inner().split_off(header))
}

/// The header of a section about which nothing is said.
fn empty(order: ByteOrder) -> SectionHeaderBlock<'static> {
    let endianness = match order {
        ByteOrder::Big => Endianness::Big,
        ByteOrder::Little => Endianness::Little,
    };
    SectionHeaderBlock { endianness, ..SectionHeaderBlock::default() }
}
