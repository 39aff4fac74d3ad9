//! The tools that are measured, and how each is given the same settings.

use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use super::destination::Destination;

/// A capture tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// xdpdump with `--transport ring`
    Ring,
    /// xdpdump with `--transport perf`
    Perf,
    /// tcpdump
    Tcpdump,
    /// Wireshark's dumpcap
    Dumpcap,
    /// netsniff-ng
    NetsniffNg,
    /// xdp-tools' xdpdump
    XdpTools,
}

/// The path of xdp-tools' xdpdump in distributions; it has the same name as ours.
const XDP_TOOLS: &str = "/usr/sbin/xdpdump";

/// The programs that the benchmark needs, with their Debian packages.
pub const PROGRAMS: [(&str, &str); 6] = [
    ("ip", "iproute2"),
    ("tcpdump", "tcpdump"),
    ("dumpcap", "wireshark-common"),
    ("netsniff-ng", "netsniff-ng"),
    (XDP_TOOLS, "xdp-tools"),
    ("cat", "coreutils"),
];

impl Tool {
    /// All tools, ours first.
    pub const ALL: [Self; 6] =
        [Self::Ring, Self::Perf, Self::Tcpdump, Self::Dumpcap, Self::NetsniffNg, Self::XdpTools];
    /// Our own tool, once for each kind of ring.
    pub const OURS: [Self; 2] = [Self::Ring, Self::Perf];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "xdpdump, ring",
            Self::Perf => "xdpdump, perf",
            Self::Tcpdump => "tcpdump",
            Self::Dumpcap => "dumpcap",
            Self::NetsniffNg => "netsniff-ng",
            Self::XdpTools => "xdp-tools' xdpdump",
        }
    }

    /// Whether it attaches an XDP program of its own.
    pub fn has_program(self) -> bool {
        !matches!(self, Self::Tcpdump | Self::Dumpcap | Self::NetsniffNg)
    }

    /// Whether the tool has capture filters, and says when it captures with one.
    pub fn has_filter(self) -> bool {
        !matches!(self, Self::NetsniffNg | Self::XdpTools)
    }

    /// Whether the tool can capture to this output, and says when it does.
    pub fn goes_to(self, destination: Destination) -> bool {
        match destination {
            Destination::Null | Destination::File => true,
            Destination::Pipe => self != Self::NetsniffNg,
            // The others leave it to a command behind a pipe.
            Destination::Zstd => matches!(self, Self::Ring | Self::Perf),
        }
    }

    /// The command that captures from `interface` into `output`, with `buffer` MiB of rings if the tool can be configured.
    ///
    /// Without text output none of them looks up names, and all capture whole frames by default. The rings of xdp-tools'
    /// xdpdump always have 1 MiB per CPU; its default format, pcapng, costs it no more than pcap.
    pub fn command(
        self,
        xdpdump: &Path,
        interface: &str,
        output: &Path,
        buffer: u32,
        filter: Option<&str>,
    ) -> Command {
        let kib = (buffer * 1024).to_string();
        let mut command = match self {
            Self::Ring | Self::Perf => {
                let mut command = Command::new(xdpdump);
                command.args(["--transport", if self == Self::Ring { "ring" } else { "perf" }, "-B", &kib]);
                command
            }
            Self::Tcpdump => {
                let mut command = Command::new("tcpdump");
                // Debian's tcpdump would otherwise change to another user, who may not be allowed to write the file.
                command.args(["-n", "-Z", "root", "-B", &kib]);
                command
            }
            Self::Dumpcap => {
                let mut command = Command::new("dumpcap");
                command.args(["-q", "-B", &buffer.to_string()]);
                command
            }
            Self::NetsniffNg => {
                let mut command = Command::new("sh");
                // Its messages go to standard output, and line by line only to a terminal.
                command.args(["-c", "exec stdbuf -oL netsniff-ng \"$@\" >&2", "sh"]);
                // Without tuning the machine's sockets and interrupts, which would change the other tools' results.
                command.args(["--silent", "--no-sock-mem", "--notouch-irq", "--ring-size"]);
                command.arg(format!("{buffer}MiB"));
                command.args(["--in", interface, "--out"]).arg(output);
                return command;
            }
            Self::XdpTools => {
                let mut command = Command::new(XDP_TOOLS);
                command.arg("--load-xdp-program");
                command
            }
        };
        command.args(["-i", interface, "-w"]).arg(output);
        if let Some(filter) = filter {
            command.args((self == Self::Dumpcap).then_some("-f")).arg(filter);
        }
        command
    }

    /// The words that it prints on standard error when it captures.
    pub fn ready_words(self) -> &'static str {
        match self {
            Self::Dumpcap => "File: ",
            Self::NetsniffNg => "Running!",
            _ => "listening on",
        }
    }

    /// The number of frames kept, from its messages `said`.
    pub fn kept(self, said: &str) -> Option<u64> {
        said.lines().find_map(|line| match self {
            Self::Dumpcap => line.rsplit_once("Packets captured: ")?.1.trim().parse().ok(),
            Self::NetsniffNg => line.trim().split_once("  packets passed filter")?.0.parse().ok(),
            _ => line.split_once(" packet")?.0.parse().ok().filter(|_| line.ends_with(" captured")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Tool;

    #[test]
    fn kept_frames_are_found_in_what_each_tool_says() {
        let tcpdump = "tcpdump: listening on v1\n9 packets captured\n10 packets received by filter\n";
        assert_eq!(Tool::Tcpdump.kept(tcpdump), Some(9));
        assert_eq!(
            Tool::Ring.kept("xdpdump: listening\n1 packet captured\n1 packet received by filter\n"),
            Some(1)
        );
        let dumpcap = "Capturing on 'v1'\nFile: b\n\rPackets captured: 7\nPackets received/dropped on interface 'v1': 7/0\n";
        assert_eq!(Tool::Dumpcap.kept(dumpcap), Some(7));
        let netsniff = "Running!\n\n\r          12  packets incoming (0 unread on exit)\n\r          11  packets passed filter\n";
        assert_eq!(Tool::NetsniffNg.kept(netsniff), Some(11));
        assert_eq!(Tool::XdpTools.kept("\n5 packets captured\n0 packets dropped by perf ring\n"), Some(5));
        assert_eq!(Tool::XdpTools.kept("Segmentation fault"), None);
    }
}
