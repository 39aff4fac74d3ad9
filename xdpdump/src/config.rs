//! What a run should do: validated, and independent of the syntax of the command line.

use std::{ffi::OsString, num::NonZeroU32, path::PathBuf, time::Duration};

use crate::{
    interface::{TimeStampType, XdpMode},
    output::{FileOptions, Recorder, Rotation, json::JsonOptions, text::TextOptions},
    packet::LinkType,
    transport::RingKind,
};

/// One run of the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Config {
    /// Print the interfaces.
    ListInterfaces {
        /// The network namespace, by name, path or process; `None` for the one of this process.
        namespace: Option<OsString>,
    },
    /// Print the link types of an interface.
    ListLinkTypes {
        /// The network namespace, as above.
        namespace: Option<OsString>,
        /// The interface's name or number.
        interface: OsString,
    },
    /// Print whose clock can stamp the frames of an interface.
    ListTimeStampTypes {
        /// The network namespace, as above.
        namespace: Option<OsString>,
        /// The interface's name or number.
        interface: OsString,
    },
    /// Capture from an interface.
    Capture(Capture),
    /// Read capture files.
    Replay(Replay),
    /// Print a compiled filter.
    PrintFilter(PrintFilter),
    /// Cut an unfinished packet off a capture file.
    Repair {
        /// The file.
        file: PathBuf,
    },
    /// Make a capture write the packets that it keeps.
    Dump {
        /// Its process.
        process: i32,
    },
    /// Say what is wrong with the machine for captures.
    Doctor(Doctor),
    /// Answer a call of Wireshark's.
    Extcap(Extcap),
}

/// In front of an interface's name in Wireshark's list, so that it is none of those that Wireshark captures on by itself: the
/// kernel gives no interface a name with a colon (`dev_valid_name`, net/core/dev.c, v6.18).
pub const EXTCAP_PREFIX: &str = "xdp:";

/// What Wireshark asks of an extcap program. An interface is named as in its list, without the prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extcap {
    /// Print the interfaces and the toolbar.
    Interfaces,
    /// Print the link type of an interface.
    LinkTypes {
        /// The interface.
        interface: OsString,
    },
    /// Print the settings of a capture.
    Settings {
        /// The interface.
        interface: OsString,
        /// Only the values of this setting; `None` for everything.
        only: Option<String>,
    },
    /// Print what is wrong with a filter.
    CheckFilter {
        /// The interface.
        interface: OsString,
        /// The filter.
        filter: String,
    },
    /// Put a link to this program where Wireshark looks.
    Install {
        /// For all users instead of this one.
        system: bool,
    },
    /// Remove it.
    Uninstall {
        /// For all users instead of this one.
        system: bool,
    },
    /// Print where it is, and whether it can capture.
    Status,
    /// Capture.
    Capture {
        /// How to capture.
        capture: Box<Capture>,
        /// The pipes of the toolbar.
        pipes: ControlPipes,
    },
}

/// The named pipes of Wireshark's toolbar, if it shows one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPipes {
    /// What the user changes.
    pub from_wireshark: Option<PathBuf>,
    /// What to show.
    pub to_wireshark: Option<PathBuf>,
}

/// What to look at besides the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doctor {
    /// The network namespace of the interfaces, by name, path or process; `None` for the one of this process.
    pub namespace: Option<OsString>,
    /// The interfaces, each by its name or number; if none is named, all that are up.
    pub interfaces: Vec<OsString>,
    /// Whether to print JSON instead of lines.
    pub json: bool,
}

/// How to read capture files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Files and directories of files, with or without `NAME=` in front; `-` is standard input.
    pub inputs: Vec<PathBuf>,
    /// How long a packet of a stream waits for those of other streams.
    pub reorder_window: Duration,
    /// Which packets to select, and how much of each.
    pub selection: Selection,
    /// Where the packets go.
    pub destination: Destination,
    /// The user as whom outputs are opened.
    pub user: User,
}

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The network namespace of the interfaces, by name, path or process; `None` for the one of this process.
    pub namespace: Option<OsString>,
    /// The interfaces to capture from.
    pub interfaces: Interfaces,
    /// The direction of the frames to capture.
    pub direction: Directions,
    /// The XDP mode; `None` for the best mode that the driver supports.
    pub mode: Option<XdpMode>,
    /// Where to capture on an interface that runs an XDP program.
    pub at: At,
    /// Name or id of the XDP program to capture beside; `None` for the one that is attached to the interface.
    pub program: Option<String>,
    /// The snap length in bytes.
    pub snap_len: u32,
    /// What the adapter is asked about each received frame.
    pub adapter: Adapter,
    /// Which frames to select, and how much of each.
    pub selection: Selection,
    /// The link type that the interface must have; `None` for any.
    pub link_type: Option<LinkType>,
    /// Whether to put the interface into promiscuous mode, to receive frames for other stations too.
    pub promiscuous: bool,
    /// Total size of all rings in bytes; `None` for a default that depends on the machine.
    pub buffer: Option<u64>,
    /// The kind of rings; `None` for the fastest kind that works.
    pub rings: Option<RingKind>,
    /// Whether to show every frame at once, even if that costs throughput.
    pub immediate: bool,
    /// Where the packets go.
    pub destination: Destination,
    /// The user as whom to run after programs are attached.
    pub user: User,
    /// Which packets make a recorder write what it keeps.
    pub trigger: Option<String>,
    /// A command, with its arguments, that runs while is captured; without one, there are no words.
    pub command: Vec<OsString>,
}

/// As whom a run goes on before it opens its outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// As the user who called sudo(8), if it was called so; otherwise as the user who started it.
    #[default]
    Caller,
    /// As root, also if sudo was called.
    Root,
    /// As the user with this name or number.
    Named(String),
}

/// What the adapter is asked about each received frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    /// Whose clock stamps it.
    pub time: TimeStampType,
    /// The hash by which the adapter chose the queue.
    pub hash: bool,
}

impl Adapter {
    /// Whether it is asked anything.
    pub fn is_asked(self) -> bool {
        self != Self::default()
    }
}

/// The directions of frames through an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directions {
    /// Frames that the interface receives.
    In,
    /// Frames that it sends.
    Out,
    /// Both.
    InOut,
}

impl Directions {
    /// Whether received frames are included.
    pub fn has_in(self) -> bool {
        self != Self::Out
    }

    /// Whether sent frames are included.
    pub fn has_out(self) -> bool {
        self != Self::In
    }
}

/// Which frames to select, and how much of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only frames that this filter accepts.
    pub filter: Option<Filter>,
    /// Only one of so many accepted frames.
    pub one_in: Option<NonZeroU32>,
    /// Only the headers, and this number of bytes after them.
    pub headers: Option<u32>,
}

/// A filter in pcap-filter(7)'s language, not yet compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The text of the filter.
    Text(String),
    /// The file that contains the text; `-` is standard input.
    File(PathBuf),
}

/// A filter to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintFilter {
    /// Contains the filter; without one, the filter that accepts everything is printed.
    pub selection: Selection,
    /// The frames that the filter is for.
    pub frames: Frames,
    /// Whether to print eBPF instructions instead of the intermediate form.
    pub instructions: bool,
}

/// The frames whose link type a filter is compiled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Frames of this link type.
    Of(LinkType),
    /// Frames of an interface.
    OnInterface {
        /// The network namespace, as in [`Capture`].
        namespace: Option<OsString>,
        /// The interface's name or number.
        interface: OsString,
    },
    /// Frames in a capture file.
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

/// Where to capture on an interface that runs an XDP program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// Before the program.
    #[default]
    Entry,
    /// After the program.
    Exit,
    /// Before and after it.
    Both,
}

/// Where packets go, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The capture file to write.
    pub file: Option<File>,
    /// What to print: on standard output or, if the capture file goes there, on standard error.
    pub print: Option<Print>,
    /// Number of packets after which to stop.
    pub limit: Option<u64>,
    /// Time after which to stop.
    pub duration: Option<Duration>,
    /// Bytes in the file, or in all files together, after which to stop.
    pub max_bytes: Option<u64>,
    /// Whether to print the number of packets on standard output at the end.
    pub count: bool,
    /// Whether to write each packet as soon as it is read, instead of when a buffer is full.
    pub packet_buffered: bool,
    /// What to say now and then of how a capture goes.
    pub status: Option<Status>,
    /// Whether to show how a capture goes in a line on standard error, if that is a terminal.
    pub live: bool,
    /// Whether to say on standard error what was chosen.
    pub verbose: bool,
}

/// What to say now and then of how a capture goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How often to print a line on standard error; `None` for never.
    pub every: Option<Duration>,
    /// Whether the line is JSON.
    pub json: bool,
    /// A file to replace each time by one with metrics.
    pub file: Option<PathBuf>,
}

/// What is printed about each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// Lines of text for a person.
    Text(TextOptions),
    /// A line of JSON for other programs.
    Json(JsonOptions),
}

/// A capture file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The file's path; `-` is standard output.
    pub path: PathBuf,
    /// How it is written.
    pub options: FileOptions,
    /// When it is followed by another file; `None` if it is the only one.
    pub rotation: Option<Rotation>,
    /// What is kept in memory until it is asked for; `None` if packets are written as they come.
    pub recorder: Option<Recorder>,
}
