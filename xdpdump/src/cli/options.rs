//! The syntax of the options for clap, and the help texts.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, ArgGroup, Parser, ValueEnum};

/// tcpdump's largest snapshot length, `MAXIMUM_SNAPLEN`.
pub const MAX_SNAP_LEN: u32 = 262_144;

const AS_IN_TCPDUMP: &str = "Accepted as in tcpdump";

/// Options that have a different meaning here than in tcpdump.
const DIFFERENCES: &str = "\
Differences from tcpdump:
  -S, -N, -H  choose where XDP runs; for tcpdump's -S use --absolute-tcp-sequence-numbers,
              its -N (no domain names) is always on, its -H (mesh headers) is not supported
  -x, -X, -A  print the whole frame with its link-level header, like tcpdump's -xx, -XX, -AA
  -n, -f      are always on: addresses and ports are printed as numbers
  -Q          defaults to \"in\"; \"out\" is what the network stack gives to the interface
  -i          can be given several times; with -i any, every interface has its own link type
  -l          writes a file (-w) packet by packet too, as -U does
  -w          writes pcapng unless the name ends in .pcap
  -d          prints xdpdump's own form of a filter, -dd the eBPF that the kernel runs
  -s          defaults to 65535 bytes, which is also the limit with XDP
Options of tcpdump that are not supported are refused by name. Filters are in the language of
pcap-filter(7), and in addition: verdict pass|drop|tx|redirect|aborted, queue N, cpu N,
inner FILTER (for the frame in a VXLAN, GENEVE, GRE, GTP-U or IP tunnel).

`xdpdump doctor [-i IF]` says what is wrong with this machine for captures, and what mends it;
`xdpdump extcap install` puts xdpdump into Wireshark's own list of interfaces;
`xdpdump repair FILE` cuts an unfinished packet off the end of a capture file.";

/// Capture every frame that an interface receives, at the XDP hook: before the network stack, and before anything can
/// drop it
#[derive(Debug, Parser)]
#[command(name = "xdpdump", version, disable_version_flag = true, max_term_width = 100, after_help = DIFFERENCES)]
#[command(group = ArgGroup::new("source").args(["interface", "read", "list_interfaces", "dump_filter"]).required(true).multiple(true))]
#[command(group = ArgGroup::new("namespaced").args(["interface", "list_interfaces"]).multiple(true))]
#[command(group = ArgGroup::new("mode").args(["native", "skb", "offload"]))]
pub struct Options {
    /// Interface to capture on, by name or by its number in the list that -D prints; can be given several times. "any" is
    /// every interface that is up
    #[arg(short, long, value_name = "IF", help_heading = "Source")]
    pub interface: Vec<OsString>,

    /// Look for interfaces in another network namespace: its name for "ip netns", the path of its file, or the pid of a
    /// process, such as that of a container
    #[arg(
        long,
        value_name = "NETNS",
        requires = "namespaced",
        conflicts_with = "read",
        help_heading = "Source"
    )]
    pub netns: Option<OsString>,

    /// Read packets from a pcap or pcapng file instead of an interface; "-" is standard input
    #[arg(short, long, value_name = "FILE", help_heading = "Source")]
    pub read: Option<PathBuf>,

    /// List the interfaces with their drivers and attached XDP programs, and exit
    #[arg(short = 'D', long, help_heading = "Source")]
    pub list_interfaces: bool,

    /// List the link types of the interface and exit
    #[arg(short = 'L', long, conflicts_with_all = ["read", "list_interfaces"], help_heading = "Source")]
    pub list_data_link_types: bool,

    /// List whose clock can stamp the frames of the interface, for -j, and exit
    #[arg(short = 'J', long, conflicts_with_all = ["read", "list_interfaces", "list_data_link_types"], help_heading = "Source")]
    pub list_time_stamp_types: bool,

    /// Capture in the driver (native XDP); fail if the driver does not support it
    #[arg(short = 'N', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
    pub native: bool,

    /// Capture in the generic path of the network stack (SKB mode), which works with every driver and leaves the offloads
    /// of a veth's peer on, so that TCP stays faster
    #[arg(short = 'S', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
    pub skb: bool,

    /// Capture on the NIC (hardware offload); fail if the NIC does not support it
    #[arg(short = 'H', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
    pub offload: bool,

    /// Where to capture on an interface that runs an XDP program of somebody else: before that program, after it (with its
    /// verdict), or both
    #[arg(long, value_enum, value_name = "POINT", visible_alias = "rx-capture", conflicts_with_all = ["read", "list_interfaces"], help_heading = "Capture")]
    pub at: Option<AtChoice>,

    /// XDP program to capture at, by name or id, if several run on the interface; -D lists them
    #[arg(long, value_name = "NAME|ID", conflicts_with_all = ["read", "list_interfaces"], help_heading = "Capture")]
    pub program: Option<String>,

    /// Snap length: bytes to capture of each frame; 0 means the default, which is 65535 bytes (65468 through perf
    /// rings)
    #[arg(short, long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SNAP_LEN)), help_heading = "Capture")]
    pub snapshot_length: u32,

    /// Read the filter from a file; "-" is standard input. A # begins a comment, which ends with the line
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with = "filter", help_heading = "Selection")]
    pub filter_file: Option<PathBuf>,

    /// Capture only the headers of each frame, up to the transport header (in tunnels the inner one), and N more bytes
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SNAP_LEN)), help_heading = "Selection")]
    pub headers: Option<u32>,

    /// Capture one of every N frames that the filter accepts; each CPU counts separately
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Selection")]
    pub sample: Option<u32>,

    /// Print the compiled filter and exit; -dd prints the eBPF instructions that the kernel runs
    #[arg(short = 'd', long, action = ArgAction::Count, conflicts_with_all = ["list_interfaces", "list_data_link_types", "write"], help_heading = "Selection")]
    pub dump_filter: u8,

    /// Stop after N packets
    #[arg(short, value_name = "N", long = "packets", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Capture")]
    pub count_limit: Option<u64>,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long, help_heading = "Capture")]
    pub no_promiscuous_mode: bool,

    /// Memory for the rings of all CPUs together, in KiB; the default is 16 MiB for each CPU, but at most 1/32 of the
    /// machine's memory
    #[arg(short = 'B', long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..=1 << 40), help_heading = "Capture")]
    pub buffer_size: Option<u64>,

    /// Rings that bring frames to user space: "ring" is memory that the XDP program writes and xdpdump maps (Linux
    /// 5.18), "perf" works with every kernel
    #[arg(long, value_enum, value_name = "WAY", default_value = "auto", help_heading = "Capture")]
    pub transport: TransportChoice,

    /// Show every frame at once instead of in batches, at the cost of throughput; the default for text on a terminal
    #[arg(long, help_heading = "Capture")]
    pub immediate_mode: bool,

    /// Write the packets to a file; "-" is standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub write: Option<PathBuf>,

    /// File format; by default pcap for names that end in .pcap, pcapng for all others
    #[arg(long, value_enum, value_name = "FORMAT", requires = "write", help_heading = "Output")]
    pub format: Option<FileFormat>,

    /// Write packets without packet id, direction and queue to a pcapng file, which makes it smaller
    #[arg(long, requires = "write", conflicts_with = "full", help_heading = "Output")]
    pub lean: bool,

    /// Write direction and queue of every packet to a pcapng file, also if it was received, and from queue 0
    #[arg(long, requires = "write", help_heading = "Output")]
    pub full: bool,

    /// Let the group read a file that is created, which otherwise only its owner can
    #[arg(long, requires = "write", help_heading = "Output")]
    pub group_readable: bool,

    /// Precision of the time stamps in a capture file and in text
    #[arg(long, value_enum, value_name = "PRECISION", help_heading = "Output")]
    pub time_stamp_precision: Option<TimePrecision>,

    /// Print text in addition to writing a file; with "-w -" the text goes to standard error
    #[arg(long, requires = "write", help_heading = "Output")]
    pub print: bool,

    /// Print only the number of packets at the end
    #[arg(long, help_heading = "Output")]
    pub count: bool,

    /// Write each packet to the file as soon as it is read
    #[arg(short = 'U', long, help_heading = "Output")]
    pub packet_buffered: bool,

    /// Print each line as soon as it is complete
    #[arg(short = 'l', long, help_heading = "Output")]
    pub line_buffered: bool,

    /// Print the link-level header of each packet
    #[arg(short = 'e', long, help_heading = "Text")]
    pub link_level_header: bool,

    /// Print less about each packet
    #[arg(short, long, help_heading = "Text")]
    pub quiet: bool,

    /// Print a number in front of each packet
    #[arg(short = '#', long, help_heading = "Text")]
    pub number: bool,

    /// Time stamps: -t none, -tt seconds since 1970, -ttt since the previous packet, -tttt with the date, -ttttt since
    /// the first packet
    #[arg(short = 't', action = ArgAction::Count, help_heading = "Text")]
    pub time: u8,

    /// Time stamps, like -t, by name
    #[arg(long, value_enum, value_name = "STYLE", conflicts_with = "time", help_heading = "Text")]
    pub time_style: Option<TimeStyleChoice>,

    /// Print time stamps in nanoseconds
    #[arg(long, conflicts_with = "time_stamp_precision", help_heading = "Text")]
    pub nano: bool,

    /// Print time stamps in microseconds, also in a capture file
    #[arg(long, conflicts_with_all = ["time_stamp_precision", "nano"], help_heading = "Text")]
    pub micro: bool,

    /// Print each frame in hex, beginning with the link-level header
    #[arg(short = 'x', long, action = ArgAction::Count, help_heading = "Text")]
    pub hex: u8,

    /// Print each frame in hex and ASCII
    #[arg(short = 'X', long, action = ArgAction::Count, help_heading = "Text")]
    pub hex_and_ascii: u8,

    /// Print each frame in ASCII
    #[arg(short = 'A', long, action = ArgAction::Count, help_heading = "Text")]
    pub ascii: u8,

    /// Print absolute TCP sequence numbers instead of relative ones
    #[arg(long, help_heading = "Text")]
    pub absolute_tcp_sequence_numbers: bool,

    /// Do not verify the checksums of IP, TCP and UDP with -v
    #[arg(short = 'K', long, help_heading = "Text")]
    pub dont_verify_checksums: bool,

    /// Format of the text: as tcpdump prints it, or as the original XDP demo does, with seconds since boot
    #[arg(long, value_enum, value_name = "STYLE", default_value = "tcpdump", help_heading = "Text")]
    pub text_style: TextStyle,

    /// Print more: about the capture on standard error, and about each packet in text (up to -vvv)
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,

    /// Print numbers instead of names for addresses and ports; always on
    #[arg(short = 'n', long, visible_alias = "no-resolve", action = ArgAction::Count, help_heading = AS_IN_TCPDUMP)]
    pub numeric: u8,

    /// Print numbers instead of names for addresses of other networks; always on
    #[arg(short = 'f', help_heading = AS_IN_TCPDUMP)]
    pub foreign_numeric: bool,

    /// No effect, as in tcpdump
    #[arg(short = 'a', hide = true)]
    pub no_effect: bool,

    /// Do not optimise the filter; no effect
    #[arg(short = 'O', long, help_heading = AS_IN_TCPDUMP)]
    pub no_optimize: bool,

    /// Direction of the frames to capture: those that the interface receives ("in", the
    /// default, through XDP), those that it sends ("out", through tc), or both
    #[arg(
        short = 'Q',
        long,
        value_enum,
        value_name = "WAY",
        conflicts_with = "list_interfaces",
        help_heading = "Capture"
    )]
    pub direction: Option<DirectionChoice>,

    /// Capture only if the interface has this link type, EN10MB or RAW; -L prints it
    #[arg(short = 'y', long, value_name = "TYPE", help_heading = AS_IN_TCPDUMP)]
    pub linktype: Option<String>,

    /// Whose clock stamps received frames: that of the host; that of the adapter, converted to the host's; or that of the
    /// adapter as it is. -J lists those that an interface has
    #[arg(short = 'j', long, value_enum, value_name = "TYPE", help_heading = "Capture")]
    pub time_stamp_type: Option<TimeStampChoice>,

    /// Record the hash by which the adapter chose the queue of each received frame, in a pcapng file
    #[arg(long, requires = "write", help_heading = "Capture")]
    pub rx_hash: bool,

    /// User to run as once programs are attached; by default the one who called sudo, if it was. Outputs are opened as that
    /// user. "root" changes nothing
    #[arg(short = 'Z', long, value_name = "USER", help_heading = "Output")]
    pub relinquish_privileges: Option<String>,

    /// Print the version and exit
    #[arg(long, action = ArgAction::Version)]
    pub version: Option<bool>,

    /// Capture only frames that this filter accepts, in the language of pcap-filter(7), for example: tcp port 443 and
    /// host 10.0.0.2
    #[arg(value_name = "FILTER", help_heading = "Selection")]
    pub filter: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TimeStyleChoice {
    /// Hour, minute, second
    Day,
    /// No time
    None,
    /// Seconds since 1970
    Epoch,
    /// Since the previous packet
    Delta,
    /// With the date
    Date,
    /// Since the first packet
    SinceFirst,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FileFormat {
    Pcapng,
    Pcap,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AtChoice {
    /// Before the program
    Entry,
    /// After the program
    Exit,
    /// Both
    #[value(alias = "entry,exit", alias = "exit,entry")]
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DirectionChoice {
    /// Received frames
    In,
    /// Sent frames
    Out,
    /// Both
    Inout,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TimeStampChoice {
    /// The host's
    Host,
    /// The adapter's, converted to the host's
    Adapter,
    /// The adapter's, as it is
    AdapterUnsynced,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TransportChoice {
    Auto,
    Perf,
    Ring,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TextStyle {
    Tcpdump,
    Classic,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TimePrecision {
    Micro,
    Nano,
}
