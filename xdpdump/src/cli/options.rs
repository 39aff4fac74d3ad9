//! The syntax of the options for clap, and the help texts.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{ArgAction, ArgGroup, Parser, ValueEnum, ValueHint};

use super::{
    course::CourseOptions,
    recorder::RecorderOptions,
    rotation::RotationOptions,
    units::{self, Compression},
};

/// The default of --reorder-window: more than the way of a packet through a network takes.
pub const REORDER_WINDOW: Duration = Duration::from_secs(1);

/// The longest --reorder-window.
const LONGEST_WINDOW: Duration = Duration::from_hours(1);

/// tcpdump's largest snapshot length, `MAXIMUM_SNAPLEN`.
pub const MAX_SNAP_LEN: u32 = 262_144;

const AS_IN_TCPDUMP: &str = "Accepted as in tcpdump";

/// The ways to call the tool; clap's own line would list the options that exclude each other.
const USAGE: &str = "\
xdpdump -i IF [OPTIONS] [FILTER] [-- CMD]
       xdpdump -r FILE [OPTIONS] [FILTER]
       xdpdump -D | -d [FILTER]
       xdpdump COMMAND";

/// Behind the options of `-h`.
pub const HINT: &str = "--help has all options, with details, examples, and what differs from tcpdump.";

/// Behind the options of `--help`.
pub const EXAMPLES: &str = "\
Examples:
  xdpdump -i eth4                           text on the terminal
  xdpdump -i eth4 -w out.pcapng             a capture file
  xdpdump -i eth4 -w - | wireshark -k -i -  live in Wireshark
  xdpdump -i eth4 tcp port 443              only what matches, decided in the kernel
  xdpdump -i eth4 -Q inout -w out.pcapng    what it receives and what it sends
  xdpdump -i any -c 10                      ten packets of any interface
  xdpdump -i eth4 --at exit verdict drop    what a firewall in XDP drops
  xdpdump -r out.pcapng -e                  read a file\n\n";

/// What somebody who knows tcpdump should know.
pub const DIFFERENCES: &str = "\
Differences from tcpdump:
  -S, -N, -H  choose where XDP runs; for tcpdump's -S use --absolute-tcp-sequence-numbers,
              its -N (no domain names) is always on, its -H (mesh headers) is not supported
  -x, -X, -A  print the whole frame with its link-level header, like tcpdump's -xx, -XX, -AA
  -n, -f      are always on: addresses and ports are printed as numbers
  -Q          defaults to \"in\"; \"out\" is what the network stack gives to the interface
  -i          can be given several times; with -i any, every interface has its own link type
  -r          can be given several times, and takes directories: packets come in the order of time
  -l          writes a file (-w) packet by packet too, as -U does
  -w          writes pcapng unless the name ends in .pcap
  -d          prints xdpdump's own form of a filter, -dd the eBPF that the kernel runs
  -s          defaults to 65535 bytes, which is also the limit with XDP
Options of tcpdump that are not supported are refused by name. Filters are in the language of
pcap-filter(7), and in addition: verdict pass|drop|tx|redirect|aborted, queue N, cpu N,
inner FILTER (for the frame in a VXLAN, GENEVE, GRE, GTP-U or IP tunnel).";

/// Capture every frame that an interface receives, at the XDP hook
///
/// A frame is captured before the network stack sees it, and before anything can drop it. A small eBPF program on the
/// interface hands it over; when xdpdump ends, however it ends, the program is gone. From there it goes to a pcapng or pcap
/// file, into Wireshark, or to the terminal as tcpdump's line of text.
#[derive(Debug, Parser)]
#[command(name = "xdpdump", version, disable_version_flag = true, max_term_width = 100)]
#[command(override_usage = USAGE)]
#[command(group = ArgGroup::new("source").args(["interface", "read", "list_interfaces", "dump_filter"]).required(true).multiple(true))]
#[command(group = ArgGroup::new("namespaced").args(["interface", "list_interfaces"]).multiple(true))]
#[command(group = ArgGroup::new("mode").args(["native", "skb", "offload"]))]
pub struct Options {
    /// Interface to capture on; several, or "any"
    ///
    /// By name, or by its number in the list that -D prints. It can be given several times: packets of all of them come
    /// in the order of time, each with the name of its interface. "any" is every interface that is up, also those that
    /// come up later.
    #[arg(short, long, value_name = "IF", value_hint = ValueHint::Other, help_heading = "Source")]
    pub interface: Vec<OsString>,

    /// Network namespace to look for interfaces in
    ///
    /// Its name for "ip netns", the path of its file, or the pid of a process in it, such as that of a container. Takes
    /// CAP_SYS_ADMIN, and CAP_SYS_PTRACE for a process of another user. Files are opened outside of it.
    #[arg(
        long,
        value_name = "NETNS",
        requires = "namespaced",
        conflicts_with = "read",
        help_heading = "Source"
    )]
    pub netns: Option<OsString>,

    /// Read packets from a file instead of an interface
    ///
    /// A pcap or pcapng file, also compressed with gzip, lz4 or zstd, whatever its name; "-" is standard input. Takes no
    /// privileges. It can be given several times, for files and pipes, also of captures that go on: packets of all of them
    /// come in the order of time, each with its interface. A directory stands for the capture files in it. NAME=FILE gives a
    /// name, which goes in front of names of interfaces that another input has too.
    #[arg(short, long, value_name = "FILE", help_heading = "Source")]
    pub read: Vec<PathBuf>,

    /// How long packets wait for those of other pipes
    ///
    /// With several -r: a pipe in which nothing comes holds the packets of the others up for this long, such as 250ms or
    /// 5s, and its own are written when they come, however late. The default is 1s; files wait as long as necessary.
    #[arg(long, value_name = "TIME", requires = "read", value_parser = window, hide_short_help = true, help_heading = "Source")]
    pub reorder_window: Option<Duration>,

    /// List interfaces, their drivers and XDP programs, and exit
    #[arg(short = 'D', long, help_heading = "Source")]
    pub list_interfaces: bool,

    /// List the link types of the interface and exit
    #[arg(short = 'L', long, conflicts_with_all = ["read", "list_interfaces"], help_heading = "Source")]
    pub list_data_link_types: bool,

    /// List whose clock can stamp frames, for -j, and exit
    #[arg(short = 'J', long, conflicts_with_all = ["read", "list_interfaces", "list_data_link_types"], help_heading = "Source")]
    pub list_time_stamp_types: bool,

    /// Capture in the driver (native XDP) or fail
    ///
    /// Without -N, -S and -H, xdpdump captures in the driver and, where the driver has no XDP, in the generic path, and
    /// says so.
    #[arg(short = 'N', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
    pub native: bool,

    /// Capture in the generic path (SKB mode)
    ///
    /// It works with every driver, and leaves the offloads of a veth's peer on, so that TCP stays faster.
    #[arg(short = 'S', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
    pub skb: bool,

    /// Capture on the NIC (hardware offload) or fail
    #[arg(short = 'H', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
    pub offload: bool,

    /// Point beside another program
    ///
    /// On an interface that runs an XDP program of somebody else: before that program (the default), after it, with its
    /// verdict, or both. Takes root, Linux 5.5 on x86-64 or 6.0 on arm64, and type information (BTF) in the program.
    #[arg(long, value_enum, value_name = "POINT", alias = "rx-capture", conflicts_with_all = ["read", "list_interfaces"], help_heading = "Capture")]
    pub at: Option<AtChoice>,

    /// Program to capture at, if several run
    ///
    /// An XDP program of the interface, by name or id, if libxdp's dispatcher runs several; -D lists them.
    #[arg(long, value_name = "NAME|ID", conflicts_with_all = ["read", "list_interfaces"], hide_short_help = true, help_heading = "Capture")]
    pub program: Option<String>,

    /// Bytes to capture of each frame
    ///
    /// 0 means the default, which is 65535 bytes (65468 through perf rings). A frame that is longer keeps its length on
    /// the wire.
    #[arg(short, long, value_name = "BYTES", default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SNAP_LEN)), help_heading = "Capture")]
    pub snapshot_length: u32,

    /// Read the filter from a file
    ///
    /// "-" is standard input. A # begins a comment, which ends with the line.
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with = "filter", help_heading = "Selection")]
    pub filter_file: Option<PathBuf>,

    /// Capture only headers and N more bytes
    ///
    /// The headers of each frame up to the transport header, in tunnels the inner one. What is left out is never
    /// copied; the length on the wire stays in the file.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SNAP_LEN)), help_heading = "Selection")]
    pub headers: Option<u32>,

    /// Capture one of every N frames
    ///
    /// Of those that the filter accepts, beginning with the first; each CPU counts separately.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true, help_heading = "Selection")]
    pub sample: Option<u32>,

    /// Print the compiled filter and exit
    ///
    /// -d prints xdpdump's own form of it, -dd the eBPF instructions that the kernel runs.
    #[arg(short = 'd', long, action = ArgAction::Count, conflicts_with_all = ["list_interfaces", "list_data_link_types", "write"], help_heading = "Selection")]
    pub dump_filter: u8,

    /// Stop after N packets
    #[arg(short, value_name = "N", long = "packets", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Capture")]
    pub count_limit: Option<u64>,

    /// When the capture ends, and what it says until then.
    #[command(flatten)]
    pub course: CourseOptions,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long, help_heading = "Capture")]
    pub no_promiscuous_mode: bool,

    /// Memory for the rings of all CPUs, in KiB
    ///
    /// The default is 16 MiB for each CPU, but at most 1/32 of the machine's memory.
    #[arg(short = 'B', long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..=1 << 40), help_heading = "Capture")]
    pub buffer_size: Option<u64>,

    /// Rings that bring frames to user space
    ///
    /// "ring" is memory that the XDP program writes and xdpdump maps (Linux 5.18), "perf" works with every kernel. With
    /// -v a line says which are used, and why.
    #[arg(
        long,
        value_enum,
        value_name = "WAY",
        default_value = "auto",
        hide_short_help = true,
        help_heading = "Capture"
    )]
    pub transport: TransportChoice,

    /// Show every frame at once instead of in batches
    ///
    /// At the cost of throughput. It is the default for text on a terminal; a pipe gets each packet within 100 ms
    /// anyway.
    #[arg(long, hide_short_help = true, help_heading = "Capture")]
    pub immediate_mode: bool,

    /// Write the packets to a file
    ///
    /// "-" is standard output. Without -w, packets are printed as text.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub write: Option<PathBuf>,

    /// File format
    ///
    /// By default pcap for names that end in .pcap, pcapng for all others and for "-".
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        requires = "write",
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub format: Option<FileFormat>,

    /// Compress the file with zstd
    ///
    /// As names that end in .zst ask for, too. The level is one that keeps up with packets, or it is given, from -7 (fast) to 19
    /// (small): --compress=9. -C, --max-bytes and --max-total count compressed bytes.
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "auto", value_parser = units::compression, requires = "write", hide_short_help = true, help_heading = "Output")]
    pub compress: Option<Compression>,

    /// Leave out packet id, direction and queue
    ///
    /// It makes a pcapng file smaller: a 60-byte frame takes 92 instead of 108 bytes.
    #[arg(
        long,
        requires = "write",
        conflicts_with = "full",
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub lean: bool,

    /// Write direction and queue of every packet
    ///
    /// Also if it was received, and from queue 0, which a pcapng file otherwise leaves out.
    #[arg(long, requires = "write", hide_short_help = true, help_heading = "Output")]
    pub full: bool,

    /// Let the group read a new file
    ///
    /// Otherwise only the owner can.
    #[arg(long, requires = "write", hide_short_help = true, help_heading = "Output")]
    pub group_readable: bool,

    /// Precision of time stamps
    ///
    /// By default, nanoseconds in a capture file, and microseconds in text. A copy of a file has the times of that file unless this
    /// is given.
    #[arg(long, value_enum, value_name = "PRECISION", hide_short_help = true, help_heading = "Output")]
    pub time_stamp_precision: Option<TimePrecision>,

    /// How the file is followed by others.
    #[command(flatten)]
    pub rotation: RotationOptions,

    /// What is kept in memory.
    #[command(flatten)]
    pub recorder: RecorderOptions,

    /// Print text in addition to writing a file
    ///
    /// With "-w -" the text goes to standard error.
    #[arg(long, requires = "write", help_heading = "Output")]
    pub print: bool,

    /// Print each packet as a line of JSON
    ///
    /// With time, interface, lengths, and the headers under Wireshark's names; docs/packet.schema.json describes every
    /// field. With -w, only together with --print.
    #[arg(
        long,
        conflicts_with_all = [
            "list_interfaces", "list_data_link_types", "list_time_stamp_types", "dump_filter", "count",
            "link_level_header", "quiet", "number", "time", "time_style", "nano", "micro", "hex", "hex_and_ascii", "ascii",
            "absolute_tcp_sequence_numbers", "dont_verify_checksums", "text_style", "color",
        ],
        help_heading = "Output"
    )]
    pub json: bool,

    /// Print only the number of packets at the end
    #[arg(long, help_heading = "Output")]
    pub count: bool,

    /// Write each packet as soon as it is read
    #[arg(short = 'U', long, help_heading = "Output")]
    pub packet_buffered: bool,

    /// Print each line as soon as it is complete
    ///
    /// With -w, each packet is written at once, too.
    #[arg(short = 'l', long, help_heading = "Output")]
    pub line_buffered: bool,

    /// Print the link-level header
    #[arg(short = 'e', long, help_heading = "Text")]
    pub link_level_header: bool,

    /// Print less about each packet
    ///
    /// And no line on a terminal about how a capture into a file goes.
    #[arg(short, long, help_heading = "Text")]
    pub quiet: bool,

    /// Print a number in front of each packet
    #[arg(short = '#', long, help_heading = "Text")]
    pub number: bool,

    /// Time stamps: -t none, -tt to -ttttt other styles
    ///
    /// -t prints none, -tt seconds since 1970, -ttt the time since the previous packet, -tttt the date as well, -ttttt
    /// the time since the first packet.
    #[arg(short = 't', action = ArgAction::Count, help_heading = "Text")]
    pub time: u8,

    /// Time stamps by name
    ///
    /// The same as -t's styles.
    #[arg(
        long,
        value_enum,
        value_name = "STYLE",
        conflicts_with = "time",
        hide_short_help = true,
        help_heading = "Text"
    )]
    pub time_style: Option<TimeStyleChoice>,

    /// Print time stamps in nanoseconds
    #[arg(long, conflicts_with = "time_stamp_precision", hide_short_help = true, help_heading = "Text")]
    pub nano: bool,

    /// Time stamps in microseconds, also in a file
    #[arg(long, conflicts_with_all = ["time_stamp_precision", "nano"], hide_short_help = true, help_heading = "Text")]
    pub micro: bool,

    /// Print each frame in hex
    ///
    /// It begins with the link-level header.
    #[arg(short = 'x', long, action = ArgAction::Count, help_heading = "Text")]
    pub hex: u8,

    /// Print each frame in hex and ASCII
    #[arg(short = 'X', long, action = ArgAction::Count, help_heading = "Text")]
    pub hex_and_ascii: u8,

    /// Print each frame in ASCII
    #[arg(short = 'A', long, action = ArgAction::Count, help_heading = "Text")]
    pub ascii: u8,

    /// Print absolute TCP sequence numbers
    ///
    /// tcpdump's -S. By default they are relative to the first of a conversation.
    #[arg(long, hide_short_help = true, help_heading = "Text")]
    pub absolute_tcp_sequence_numbers: bool,

    /// Do not verify checksums with -v
    ///
    /// Of IP, TCP and UDP.
    #[arg(short = 'K', long, hide_short_help = true, help_heading = "Text")]
    pub dont_verify_checksums: bool,

    /// Format of the text
    ///
    /// As tcpdump prints it, or as the original XDP demo does, with seconds since boot.
    #[arg(
        long,
        value_enum,
        value_name = "STYLE",
        default_value = "tcpdump",
        hide_short_help = true,
        help_heading = "Text"
    )]
    pub text_style: TextStyle,

    /// When addresses and resets have colours
    ///
    /// By default on a terminal, unless the environment variable NO_COLOR is set.
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_short_help = true,
        help_heading = "Text"
    )]
    pub color: ColorChoice,

    /// Print more, up to -vvv
    ///
    /// About the capture on standard error, and about each packet in text.
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,

    /// Print numbers instead of names; always on
    ///
    /// For addresses and ports.
    #[arg(short = 'n', long, visible_alias = "no-resolve", action = ArgAction::Count, hide_short_help = true, help_heading = AS_IN_TCPDUMP)]
    pub numeric: u8,

    /// Numbers for addresses of other networks; always on
    #[arg(short = 'f', hide_short_help = true, help_heading = AS_IN_TCPDUMP)]
    pub foreign_numeric: bool,

    /// No effect, as in tcpdump
    #[arg(short = 'a', hide = true)]
    pub no_effect: bool,

    /// Do not optimise the filter; no effect
    #[arg(short = 'O', long, hide_short_help = true, help_heading = AS_IN_TCPDUMP)]
    pub no_optimize: bool,

    /// Direction of the frames
    ///
    /// Those that the interface receives ("in", the default, at the XDP hook), those that it sends ("out", at the tc
    /// hook, as the network stack hands them over), or both.
    #[arg(
        short = 'Q',
        long,
        value_enum,
        value_name = "WAY",
        conflicts_with = "list_interfaces",
        help_heading = "Capture"
    )]
    pub direction: Option<DirectionChoice>,

    /// Capture only if the link type is this
    ///
    /// EN10MB or RAW; -L prints what the interface has.
    #[arg(short = 'y', long, value_name = "TYPE", hide_short_help = true, help_heading = AS_IN_TCPDUMP)]
    pub linktype: Option<String>,

    /// Clock for stamps
    ///
    /// That of the host; that of the adapter, converted to the host's; or that of the adapter as it is. -J lists those
    /// that an interface has.
    #[arg(short = 'j', long, value_enum, value_name = "TYPE", help_heading = "Capture")]
    pub time_stamp_type: Option<TimeStampChoice>,

    /// Record the adapter's hash of each frame
    ///
    /// The hash by which the adapter chose the queue of a received frame; in a pcapng file.
    #[arg(long, requires = "write", hide_short_help = true, help_heading = "Capture")]
    pub rx_hash: bool,

    /// User to run as once programs are attached
    ///
    /// By default the one who called sudo, if it was. Outputs are opened as that user and belong to it. "root" changes
    /// nothing.
    #[arg(short = 'Z', long, value_name = "USER", value_hint = ValueHint::Username, help_heading = "Output")]
    pub relinquish_privileges: Option<String>,

    /// Print the version and exit
    #[arg(long, action = ArgAction::Version)]
    pub version: Option<bool>,

    /// Capture only frames that this filter accepts
    ///
    /// In the language of pcap-filter(7), for example: tcp port 443 and host 10.0.0.2
    #[arg(value_name = "FILTER", help_heading = "Selection")]
    pub filter: Vec<String>,

    /// Capture while a command runs
    ///
    /// It begins when the capture does, as the user and in the network namespace of the capture, and its status is the
    /// capture's: xdpdump -i eth0 -w out.pcapng -- curl https://example.org
    #[arg(last = true, value_name = "CMD", hide_short_help = true, requires = "interface", conflicts_with_all = ["read", "list_interfaces", "list_data_link_types", "list_time_stamp_types", "dump_filter"], help_heading = "Capture")]
    pub command: Vec<OsString>,
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
    /// With interfaces, comments, losses, verdicts and statistics
    Pcapng,
    /// Classic, with times in nanoseconds unless --micro, or as in the pcap file that is read
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
    /// Mapped rings where the kernel has them, perf rings elsewhere
    Auto,
    /// Perf rings
    Perf,
    /// Mapped rings
    Ring,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TextStyle {
    /// tcpdump's line
    Tcpdump,
    /// The line of the original XDP demo
    Classic,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TimePrecision {
    /// Microseconds
    Micro,
    /// Nanoseconds
    Nano,
}

/// A time of up to [`LONGEST_WINDOW`].
fn window(text: &str) -> Result<Duration, String> {
    let window = units::time(text)?;
    if window > LONGEST_WINDOW { Err("it is longer than an hour".to_owned()) } else { Ok(window) }
}
