//! The options, and what they ask for.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, ArgGroup, CommandFactory, Parser, ValueEnum, error::ErrorKind};

use super::{Error, tcpdump};
use crate::{
    config::{Capture, Config, Destination, File, Replay},
    decode::Style,
    interface::XdpMode,
    output::{
        Format, Precision,
        text::{HexDump, LineStyle, TextOptions, TimeStyle},
    },
    transport::RingKind,
};

/// tcpdump's largest snapshot length, `MAXIMUM_SNAPLEN`.
const MAX_SNAP_LEN: u32 = 262_144;

/// Where an option of the same letter does something else.
const DIFFERENCES: &str = "\
What is not as in tcpdump:
  -S, -N, -H  choose where XDP runs; tcpdump's -S is --absolute-tcp-sequence-numbers, its -N and -H are not here
  -x, -X, -A  print the whole frame, link-level header included, as tcpdump's -xx, -XX and -AA do
  -n          is always on: addresses and ports are numbers
  -w          writes pcapng unless the name ends in .pcap
  -s          has 65535 bytes as its default and, with XDP, as its limit
Options of tcpdump that are not here are named when they are used.

`xdpdump repair FILE` cuts an unfinished packet off the end of a capture file.";

/// Capture every frame an interface receives, at the XDP hook: before the network stack, before anything can drop it
#[derive(Debug, Parser)]
#[command(name = "xdpdump", version, disable_version_flag = true, max_term_width = 100, after_help = DIFFERENCES)]
#[command(group = ArgGroup::new("source").args(["interface", "read", "list_interfaces"]).required(true).multiple(true))]
#[command(group = ArgGroup::new("mode").args(["native", "skb", "offload"]))]
pub struct Options {
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
    #[arg(short = 'S', long, conflicts_with = "list_interfaces", help_heading = "Capture")]
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

    /// Digits of the times in a capture file, and in text
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
    #[arg(short = 'n', long, action = ArgAction::Count, help_heading = "Text")]
    numeric: u8,

    /// Number the packets
    #[arg(short = '#', long, help_heading = "Text")]
    number: bool,

    /// -t no time, -tt seconds since 1970, -ttt since the previous packet, -tttt with the date, -ttttt since the first packet
    #[arg(short = 't', action = ArgAction::Count, help_heading = "Text")]
    time: u8,

    /// The same by name
    #[arg(long, value_enum, value_name = "STYLE", conflicts_with = "time", help_heading = "Text")]
    time_style: Option<TimeStyleChoice>,

    /// Print times with nanoseconds
    #[arg(long, conflicts_with = "time_stamp_precision", help_heading = "Text")]
    nano: bool,

    /// Print each frame in hex, from the link-level header on
    #[arg(short = 'x', long, action = ArgAction::Count, help_heading = "Text")]
    hex: u8,

    /// Print each frame in hex and ASCII
    #[arg(short = 'X', long, action = ArgAction::Count, help_heading = "Text")]
    hex_and_ascii: u8,

    /// Print each frame in ASCII
    #[arg(short = 'A', long, action = ArgAction::Count, help_heading = "Text")]
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

    /// The words of a capture filter, as tcpdump takes them.
    #[arg(value_name = "FILTER", hide = true, trailing_var_arg = true)]
    filter: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimeStyleChoice {
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

impl Options {
    /// What the options ask for.
    pub fn into_config(self) -> Result<Config, Error> {
        if !self.filter.is_empty() {
            return Err(Error::Usage(tcpdump::filter(&self.filter)));
        }
        if self.interface.as_deref().is_some_and(|interface| interface == "any") {
            return Err(Error::Usage(
                "tcpdump's -i any, all interfaces at once, is not supported yet: name one interface; xdpdump -D lists them"
                    .to_owned(),
            ));
        }
        self.check_source()?;
        if self.list_interfaces {
            return Ok(Config::ListInterfaces);
        }
        let destination = self.destination();
        let Some(interface) = self.interface else {
            if self.skb {
                return Err(Error::Usage(
                    "-S is the SKB mode of a capture; what tcpdump's -S prints of a file, --absolute-tcp-sequence-numbers \
                     does here"
                        .to_owned(),
                ));
            }
            // The group of sources is required, so one of the two is there.
            let file = self.read.unwrap_or_default();
            return Ok(Config::Replay(Replay { file, destination }));
        };
        if self.list_data_link_types {
            return Ok(Config::ListLinkTypes { interface });
        }
        Ok(Config::Capture(Capture {
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
            rings: match self.transport {
                TransportChoice::Auto => None,
                TransportChoice::Perf => Some(RingKind::Perf),
                TransportChoice::Ring => Some(RingKind::Mapped),
            },
            immediate: self.immediate_mode,
            destination,
        }))
    }

    /// Packets come from one place.
    fn check_source(&self) -> Result<(), Error> {
        let sources = [
            (self.interface.is_some(), "--interface"),
            (self.read.is_some(), "--read"),
            (self.list_interfaces, "--list-interfaces"),
        ];
        let given: Vec<_> = sources.iter().filter(|(given, _)| *given).map(|(_, name)| *name).collect();
        match given[..] {
            [first, second, ..] => {
                let message = format!("the argument '{first}' cannot be used with '{second}'");
                Err(Error::Clap(Self::command().error(ErrorKind::ArgumentConflict, message)))
            }
            _ => Ok(()),
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
        let text = (!self.count && (file.is_none() || self.print)).then(|| self.text_options());
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
            time: match (self.time_style, self.time) {
                (Some(TimeStyleChoice::Day), _) | (None, 0) => TimeStyle::Default,
                (Some(TimeStyleChoice::None), _) | (None, 1) => TimeStyle::None,
                (Some(TimeStyleChoice::Epoch), _) | (None, 2) => TimeStyle::Epoch,
                (Some(TimeStyleChoice::Delta), _) | (None, 3) => TimeStyle::Delta,
                (Some(TimeStyleChoice::Date), _) | (None, 4) => TimeStyle::Date,
                (Some(TimeStyleChoice::SinceFirst) | None, _) => TimeStyle::SinceFirst,
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
