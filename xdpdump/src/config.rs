//! What a run is to do, validated: no trace of the command line's syntax.

use std::{ffi::OsString, num::NonZeroU32, path::PathBuf};

use crate::{
    interface::XdpMode,
    output::{Format, Precision, text::TextOptions},
    packet::LinkType,
    transport::RingKind,
};

/// One run of the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Config {
    /// Print the interfaces.
    ListInterfaces,
    /// Print the link types of an interface.
    ListLinkTypes {
        /// Its name or number.
        interface: OsString,
    },
    /// Capture from an interface.
    Capture(Capture),
    /// Read a capture file.
    Replay(Replay),
    /// Print what a filter is compiled to.
    PrintFilter(PrintFilter),
    /// Cut an unfinished packet off a capture file.
    Repair {
        /// The file.
        file: PathBuf,
    },
}

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The file; `-` is standard input.
    pub file: PathBuf,
    /// Which packets are wanted, and how much of each.
    pub selection: Selection,
    /// Where they go.
    pub destination: Destination,
}

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The interfaces to capture from.
    pub interfaces: Interfaces,
    /// The mode asked for; `None` takes the best the driver has.
    pub mode: Option<XdpMode>,
    /// Most bytes to capture of a frame.
    pub snap_len: u32,
    /// Which frames are wanted, and how much of each.
    pub selection: Selection,
    /// The link type that its frames must have; `None` takes any.
    pub link_type: Option<LinkType>,
    /// Whether to receive frames for others too.
    pub promiscuous: bool,
    /// Bytes of all rings together; `None` goes by the machine.
    pub buffer: Option<u64>,
    /// The kind of rings asked for; `None` takes the fastest there is.
    pub rings: Option<RingKind>,
    /// Whether every frame is to be shown at once, whatever it costs.
    pub immediate: bool,
    /// Where the packets go.
    pub destination: Destination,
}

/// Which frames are wanted, and how much of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those that this filter accepts.
    pub filter: Option<Filter>,
    /// One of so many of those.
    pub one_in: Option<NonZeroU32>,
    /// What is up to the end of the headers, and so many bytes more.
    pub headers: Option<u32>,
}

/// A filter in pcap-filter(7)'s language, not yet compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Its text.
    Text(String),
    /// The file that holds it; `-` is standard input.
    File(PathBuf),
}

/// A filter to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintFilter {
    /// The filter; without one, the filter that accepts everything.
    pub selection: Selection,
    /// The frames it is for.
    pub frames: Frames,
    /// As the instructions that the kernel runs, not in the intermediate form.
    pub instructions: bool,
}

/// What says the link type of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Those of this link type.
    Of(LinkType),
    /// Those of an interface, by its name or number.
    OnInterface(OsString),
    /// Those in a capture file.
    InFile(PathBuf),
}

/// The interfaces of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// These, each by its name or number.
    Named(Vec<OsString>),
    /// Every interface that is up, at any time.
    Any,
}

/// Where packets go and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The capture file to write.
    pub file: Option<File>,
    /// The text to print, on standard output or, when the capture file has that, on standard error.
    pub text: Option<TextOptions>,
    /// Stop after so many packets.
    pub limit: Option<u64>,
    /// Print the number of packets at the end, on standard output.
    pub count: bool,
    /// Write packets as soon as they are read, not when a buffer is full.
    pub packet_buffered: bool,
    /// Say on standard error what goes on.
    pub verbose: bool,
}

/// A capture file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `-` is standard output.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Digits of its times.
    pub precision: Precision,
}
