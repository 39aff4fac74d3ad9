//! A captured frame on its way from a source (ring or file) to the sinks.

pub mod block;
mod link_type;
mod units;

pub use block::{Block, ByteOrder, OwnedBlock, Record};
pub use link_type::LinkType;
pub use units::{Time, Units};

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
    /// What it was read from.
    pub record: Record<'a>,
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
    /// Something to add to what a file says of it.
    pub note: Option<String>,
    /// What the file says that it was read from.
    pub original: Original,
}

/// What the file says of an interface that it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Original {
    /// It was not read from a file.
    #[default]
    None,
    /// The header of a pcap file.
    Pcap([u8; 24]),
    /// The Interface Description Block of a pcapng file, and how time is counted.
    Pcapng(OwnedBlock, Units),
}

impl Interface {
    /// Bytes of the frame check sequence behind each frame, if the header of a pcap file tells it: the topmost 4 bits of the
    /// link type are its length in 16-bit words if bit 26 is set (draft-ietf-opsawg-pcap, section 4).
    pub fn fcs_len(&self) -> Option<u8> {
        let Original::Pcap(header) = &self.original else { return None };
        let order = ByteOrder::of_pcap(header)?;
        let field = order.u32(*header.last_chunk()?);
        (field & 1 << 26 != 0).then_some((field >> 28) as u8 * 2)
    }

    /// The part of a frame that programs show: some writers of pcap files store more bytes than the snap length of their file
    /// header, and libpcap drops these. Copies keep them.
    pub fn shown<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let limit = match self.original {
            Original::Pcap(_) if self.snap_len > 0 => self.snap_len as usize,
            _ => usize::MAX,
        };
        frame.get(..limit).unwrap_or(frame)
    }

    /// The time of one of its packets, also where a [`Timestamp`] cannot hold it.
    pub fn time(&self, packet: &Packet<'_>) -> Time {
        match (&self.original, packet.record.block().and_then(Block::units)) {
            (Original::Pcapng(_, units), Some(count)) => units.time(count),
            _ => packet.timestamp.into(),
        }
    }
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
