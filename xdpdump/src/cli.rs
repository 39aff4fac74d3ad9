//! The command line: tcpdump's letters, except the three that choose the XDP mode.

use std::{ffi::OsString, io::IsTerminal, path::PathBuf};

use clap::{ArgAction, ArgGroup, Parser, ValueEnum};

use crate::{
    config::{Capture, Config, Destination, File},
    interface::XdpMode,
    output::{Format, Precision},
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
    #[arg(short = 'L', long, requires = "interface", help_heading = "Source")]
    list_data_link_types: bool,

    /// Capture in the driver (native XDP), or not at all
    #[arg(short = 'N', long, requires = "interface", help_heading = "Capture")]
    native: bool,

    /// Capture in the network stack's generic path (SKB mode), which works with every driver
    #[arg(short = 'S', long, requires = "interface", help_heading = "Capture")]
    skb: bool,

    /// Capture on the NIC itself (hardware offload), or not at all
    #[arg(short = 'H', long, requires = "interface", help_heading = "Capture")]
    offload: bool,

    /// Bytes to capture of each frame; 0 means the default, the whole frame up to 65468 bytes
    #[arg(short, long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_SNAP_LEN)), help_heading = "Capture")]
    snapshot_length: u32,

    /// Stop after so many packets
    #[arg(short, value_name = "N", long = "packets", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Capture")]
    count_limit: Option<u64>,

    /// Leave the interface's promiscuous mode alone
    #[arg(short = 'p', long, help_heading = "Capture")]
    no_promiscuous_mode: bool,

    /// Memory for the rings of all CPUs together, in KiB; by default 8 MiB for each CPU, at most 1/32 of the machine's memory
    #[arg(short = 'B', long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..=1 << 40), help_heading = "Capture")]
    buffer_size: Option<u64>,

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
        Destination {
            file,
            text: None,
            limit: self.count_limit,
            count: self.count,
            packet_buffered: self.packet_buffered || self.line_buffered,
            verbose: self.verbose > 0,
        }
    }
}
