//! A captured frame on its way from a source (ring or file) to the sinks.

use std::{borrow::Cow, fmt};

/// Nanoseconds since the Unix epoch, UTC.
///
/// `i64` reaches from 1677 to 2262; times outside this range are clamped when they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// One frame, borrowed from the ring or the file buffer it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Wall-clock time at which the frame arrived.
    pub timestamp: Timestamp,
    /// Nanoseconds since boot (`CLOCK_MONOTONIC`); `None` for packets read from a file.
    pub uptime: Option<u64>,
    /// Index of the [`Interface`] it was seen on, in the order the interfaces were announced.
    pub interface: u32,
    /// The captured bytes from the link-level header on.
    pub frame: &'a [u8],
    /// Bytes the frame had on the wire; at least `frame.len()` except in hostile files.
    pub frame_len: u32,
    /// Metadata, as far as the source knows it.
    pub meta: Meta,
}

/// Metadata of a frame, as far as its source knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Which way the frame went through the interface.
    pub direction: Direction,
    /// Receive queue of the interface.
    pub queue: Option<u32>,
    /// Number of the frame, unique within the capture; a frame has the same number at entry and exit of one XDP program.
    pub packet_id: Option<u64>,
    /// What an XDP program decided: `XDP_ABORTED` 0, `XDP_DROP` 1, `XDP_PASS` 2, `XDP_TX` 3,
    /// `XDP_REDIRECT` 4 (`enum xdp_action`, include/uapi/linux/bpf.h).
    pub verdict: Option<u64>,
    /// Frames lost since the previous packet of the same source.
    pub lost: u64,
    /// The hash of the packet's flow by which the adapter chose the queue.
    pub hash: Option<u32>,
    /// The adapter was asked for the time and did not know it, so the time is the host's.
    pub has_host_time: bool,
}

/// How much of the metadata of a packet is written to a pcapng file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Losses, verdicts, hashes and missing time stamps.
    Lean,
    /// Also the packet id, and what is not as usual: the direction of a packet that was sent, a queue other than 0.
    #[default]
    Brief,
    /// All.
    Full,
}

impl Detail {
    /// What is written of `meta`.
    #[must_use]
    pub fn of(self, meta: Meta) -> Meta {
        match self {
            Self::Full => meta,
            // Without a packet id, nobody could tell the usual from what is not known.
            Self::Brief if meta.packet_id.is_none() => meta,
            Self::Brief => Meta {
                direction: if meta.direction == Direction::Inbound {
                    Direction::Unknown
                } else {
                    meta.direction
                },
                queue: meta.queue.filter(|queue| *queue != 0),
                ..meta
            },
            Self::Lean => Meta { direction: Direction::Unknown, queue: None, packet_id: None, ..meta },
        }
    }

    /// What was meant, in a file of this program, by what is written: the inverse of [`Detail::Brief`].
    #[must_use]
    pub fn usual(meta: Meta) -> Meta {
        let is_known = meta.packet_id.is_some();
        let direction = match meta.direction {
            Direction::Unknown if is_known => Direction::Inbound,
            direction => direction,
        };
        let queue = meta.queue.or((is_known && direction == Direction::Inbound).then_some(0));
        Meta { direction, queue, ..meta }
    }
}

/// The comment in the section header of a file with [`Detail::Brief`].
pub const BRIEF: &str =
    "Packets with an id and without a direction were received; those without a queue, from queue 0.";

/// The comment in a file on a packet with [`Meta::has_host_time`].
pub const HOST_TIME: &str = "time stamp of the host: the adapter did not know it";

/// The verdict `XDP_PASS`.
pub const PASS: u32 = 2;

/// The names of verdicts, by number (`enum xdp_action`, include/uapi/linux/bpf.h).
pub const VERDICTS: [&str; 5] = ["aborted", "drop", "pass", "tx", "redirect"];

/// The direction of a frame through an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The source does not say.
    #[default]
    Unknown,
    /// Received.
    Inbound,
    /// Sent.
    Outbound,
}

/// The link-level header type of an interface's frames; the numbers are pcap's LINKTYPE values
/// (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// An Ethernet header without preamble and frame check sequence.
    pub const ETHERNET: Self = Self(1);
    /// An IPv4 or IPv6 header.
    pub const RAW: Self = Self(101);

    /// The name that `-L` and `-y` use: `EN10MB`, `RAW`; `LINKTYPE n` for types the tool does not decode.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::ETHERNET => "EN10MB".into(),
            Self::RAW => "RAW".into(),
            Self(number) => format!("LINKTYPE {number}").into(),
        }
    }

    /// A description for the user; `None` for types the tool does not decode.
    pub fn description(self) -> Option<&'static str> {
        match self {
            Self::ETHERNET => Some("Ethernet"),
            Self::RAW => Some("Raw IP"),
            Self(_) => None,
        }
    }
}

/// In tcpdump's form: `EN10MB (Ethernet)`.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.description() {
            Some(description) => write!(f, "{} ({description})", self.name()),
            None => f.write_str(&self.name()),
        }
    }
}

/// What is appended to the name of an interface whose frames are captured at the exit of an XDP program.
pub const EXIT: &str = " (exit)";

/// The interface that frames come from, as far as the source knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interface {
    /// Link type of its frames.
    pub link_type: LinkType,
    /// Most bytes captured of a frame; 0 means no limit.
    pub snap_len: u32,
    /// Name, such as `eth0`.
    pub name: Option<String>,
    /// Description for the user.
    pub description: Option<String>,
    /// Hardware address.
    pub mac: Option<[u8; 6]>,
    /// Bits per second.
    pub speed: Option<u64>,
    /// Driver and bus of the hardware.
    pub hardware: Option<String>,
    /// Operating system of the capturing machine.
    pub os: Option<String>,
    /// Capture filter in force, a pcap-filter expression.
    pub filter: Option<String>,
}

/// Totals of an interface at the end of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatistics {
    /// Index of the interface.
    pub interface: u32,
    /// When the capture began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Frames the capture program saw.
    pub received: u64,
    /// Frames that passed the capture filter.
    pub accepted: u64,
    /// Frames that passed the filter and were lost before user space could read them.
    pub dropped: u64,
    /// Frames delivered to the output.
    pub delivered: u64,
}
