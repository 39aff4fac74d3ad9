//! The command line: tcpdump's letters, except the three that choose the XDP mode.

use std::{ffi::OsString, io::IsTerminal, path::PathBuf};

use clap::{ArgAction, ArgGroup, Parser, ValueEnum};

use crate::{
    config::{Capture, Config, Destination, File, Text},
    decode::Style,
    interface::XdpMode,
    output::{
        Format, Precision, is_standard_output,
        text::{HexDump, LineStyle, TextOptions, TimeStyle},
    },
    transport::Transport,
};

/// tcpdump's largest snapshot length, `MAXIMUM_SNAPLEN`.
const MAX_SNAP_LEN: u32 = 262_144;

/// Capture every frame an interface receives, at the XDP hook: before the network stack, before anything can drop it
#[derive(Debug, Parser)]
#[command(name = "xdpdump", version, disable_version_flag = true, max_term_width = 100)]
#[command(group = ArgGroup::new("source").args(["interface", "read", "list_interfaces"]).required(true))]
#[command(group = ArgGroup::new("mode").args(["native", "skb", "offload"]))]
pub struct Cli {
    /// Interface to capture from, by name or by its number in -D
    #[arg(short, long, value_name = "IF", help_heading = "Source")]
    interface: Option<OsString>,

    /// Read packets from a pcap or pcapng file instead; "-" is standard input
    #[arg(short, long, value_name = "FILE", help_heading = "Source")]
    read: Option<PathBuf>,

    /// List the interfaces, with driver and attached XDP programs, and exit
    #[arg(short = 'D', long, help_heading = "Source")]
    list_interfaces: bool,

    /// List the interface's link types and exit
    #[arg(short = 'L', long, conflicts_with_all = ["read", "list_interfaces"], help_heading = "Source")]
    list_data_link_types: bool,

    /// Capture in the driver (native XDP), or not at all
    #[arg(short = 'N', long, conflicts_with_all = ["read", "list_interfaces"], help_heading = "Capture")]
    native: bool,

    /// Capture in the network stack's generic path (SKB mode), which works with every driver
    #[arg(short = 'S', long, conflicts_with_all = ["read", "list_interfaces"], help_heading = "Capture")]
    skb: bool,

    /// Capture on the NIC itself (hardware offload), or not at all
    #[arg(short = 'H', long, conflicts_with_all = ["read", "list_interfaces"], help_heading = "Capture")]
    offload: bool,

    /// Bytes to capture of each frame; 0 means the default, the whole frame up to 65535 bytes (65468 through perf rings)
    #[arg(short, long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SNAP_LEN)), help_heading = "Capture")]
    snapshot_length: u32,

    /// Stop after so many packets
    #[arg(short, value_name = "N", long = "packets", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Capture")]
    count_limit: Option<u64>,

    /// Leave the interface's promiscuous mode alone
    #[arg(short = 'p', long, help_heading = "Capture")]
    no_promiscuous_mode: bool,

    /// Memory for the rings of all CPUs together, in KiB; by default 16 MiB for each CPU, at most 1/32 of the machine's memory
    #[arg(short = 'B', long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..=1 << 40), help_heading = "Capture")]
    buffer_size: Option<u64>,

    /// How frames get to user space: "ring" is memory that the XDP program writes in place (Linux 5.18), "perf" works everywhere
    #[arg(long, value_enum, value_name = "WAY", default_value = "auto", help_heading = "Capture")]
    transport: TransportChoice,

    /// Show every frame at once instead of in batches; costs throughput. On by default for text on a terminal
    #[arg(long, help_heading = "Capture")]
    immediate_mode: bool,

    /// Write the packets to a file; "-" is standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    write: Option<PathBuf>,

    /// File format; by default pcap for names that end in .pcap, pcapng for all others
    #[arg(long, value_enum, value_name = "FORMAT", requires = "write", help_heading = "Output")]
    format: Option<FileFormat>,

    /// Digits of the times in a classic pcap file, and in text
    #[arg(long, value_enum, value_name = "PRECISION", help_heading = "Output")]
    time_stamp_precision: Option<TimePrecision>,

    /// Print text as well as writing a file; with "-w -" the text goes to standard error
    #[arg(long, requires = "write", help_heading = "Output")]
    print: bool,

    /// Print only the number of packets, at the end
    #[arg(long, help_heading = "Output")]
    count: bool,

    /// Write each packet to the file as soon as it is read
    #[arg(short = 'U', long, help_heading = "Output")]
    packet_buffered: bool,

    /// Print each line as soon as it is complete
    #[arg(short = 'l', long, help_heading = "Output")]
    line_buffered: bool,

    /// Print the link-level header of each packet
    #[arg(short = 'e', long, help_heading = "Text")]
    link_level_header: bool,

    /// Print less about each packet
    #[arg(short, long, help_heading = "Text")]
    quiet: bool,

    /// Print no names for addresses and ports: accepted as in tcpdump, and always so
    #[arg(short = 'n', action = ArgAction::Count, help_heading = "Text")]
    numeric: u8,

    /// Number the packets
    #[arg(short = '#', long, help_heading = "Text")]
    number: bool,

    /// -t no time, -tt seconds since 1970, -ttt since the previous packet, -tttt with the date, -ttttt since the first packet
    #[arg(short = 't', action = ArgAction::Count, help_heading = "Text")]
    time: u8,

    /// Print times with nanoseconds
    #[arg(long, conflicts_with = "time_stamp_precision", help_heading = "Text")]
    nano: bool,

    /// Print each frame in hex, from the link-level header on
    #[arg(short = 'x', action = ArgAction::Count, help_heading = "Text")]
    hex: u8,

    /// Print each frame in hex and ASCII
    #[arg(short = 'X', action = ArgAction::Count, help_heading = "Text")]
    hex_and_ascii: u8,

    /// Print each frame in ASCII
    #[arg(short = 'A', action = ArgAction::Count, help_heading = "Text")]
    ascii: u8,

    /// Print TCP sequence numbers as they are, not relative to the conversation's first
    #[arg(long, help_heading = "Text")]
    absolute_tcp_sequence_numbers: bool,

    /// Whose lines to print: tcpdump's, or those of the original XDP demo with seconds since boot
    #[arg(long, value_enum, value_name = "STYLE", default_value = "tcpdump", help_heading = "Text")]
    text_style: TextStyle,

    /// Say more: about the capture on standard error, about packets in text (up to -vvv)
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    verbose: u8,

    /// Print version and exit
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FileFormat {
    Pcapng,
    Pcap,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TransportChoice {
    Auto,
    Perf,
    Ring,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TextStyle {
    Tcpdump,
    Classic,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimePrecision {
    Micro,
    Nano,
}

impl Cli {
    /// What the command line asks for.
    pub fn into_config(self) -> Config {
        if self.list_interfaces {
            return Config::ListInterfaces;
        }
        let destination = self.destination();
        match (self.interface, self.read) {
            (Some(interface), _) if self.list_data_link_types => Config::ListLinkTypes { interface },
            (Some(interface), _) => {
                let watched = destination.text.is_some() && std::io::stdout().is_terminal();
                let capture = Capture {
                    interface,
                    mode: match (self.native, self.skb, self.offload) {
                        (true, _, _) => Some(XdpMode::Native),
                        (_, true, _) => Some(XdpMode::Skb),
                        (_, _, true) => Some(XdpMode::Offload),
                        _ => None,
                    },
                    snap_len: if self.snapshot_length == 0 { MAX_SNAP_LEN } else { self.snapshot_length },
                    promiscuous: !self.no_promiscuous_mode,
                    buffer: self.buffer_size.map(|kib| kib << 10),
                    transport: match self.transport {
                        TransportChoice::Auto => None,
                        TransportChoice::Perf => Some(Transport::Perf),
                        TransportChoice::Ring => Some(Transport::Mapped),
                    },
                    immediate: self.immediate_mode || watched,
                };
                Config::Capture(capture, destination)
            }
            (None, Some(file)) => Config::Read { file, destination },
            // The group of sources is required.
            (None, None) => Config::ListInterfaces,
        }
    }

    fn destination(&self) -> Destination {
        let file = self.write.as_ref().map(|path| File {
            path: path.clone(),
            format: match self.format {
                Some(FileFormat::Pcapng) => Format::Pcapng,
                Some(FileFormat::Pcap) => Format::Pcap,
                None => Format::from_path(path),
            },
            precision: match self.time_stamp_precision {
                Some(TimePrecision::Micro) => Precision::Micro,
                Some(TimePrecision::Nano) | None => Precision::Nano,
            },
        });
        let text = (!self.count && (file.is_none() || self.print)).then(|| Text {
            to_stderr: file.as_ref().is_some_and(|file| is_standard_output(&file.path)),
            options: self.text_options(),
        });
        Destination {
            file,
            text,
            limit: self.count_limit,
            count: self.count,
            packet_buffered: self.packet_buffered || self.line_buffered,
            verbose: self.verbose > 0,
        }
    }

    fn text_options(&self) -> TextOptions {
        TextOptions {
            style: Style {
                verbosity: self.verbose,
                quiet: self.quiet,
                link_header: self.link_level_header,
                absolute_seq: self.absolute_tcp_sequence_numbers,
                ..Style::default()
            },
            time: match self.time {
                0 => TimeStyle::Default,
                1 => TimeStyle::None,
                2 => TimeStyle::Epoch,
                3 => TimeStyle::Delta,
                4 => TimeStyle::Date,
                _ => TimeStyle::SinceFirst,
            },
            nano: self.nano || matches!(self.time_stamp_precision, Some(TimePrecision::Nano)),
            number: self.number,
            hex: match (self.hex_and_ascii, self.hex, self.ascii) {
                (1.., _, _) => HexDump::HexAscii,
                (_, 1.., _) => HexDump::Hex,
                (_, _, 1..) => HexDump::Ascii,
                _ => HexDump::None,
            },
            line_style: match self.text_style {
                TextStyle::Tcpdump => LineStyle::Tcpdump,
                TextStyle::Classic => LineStyle::Classic,
            },
            packet_flush: self.line_buffered,
        }
    }
}
