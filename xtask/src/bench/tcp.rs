//! TCP through a veth pair while one end is captured: what a capture costs those who use the interface.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::destination::Destination;
use super::link::{READER_CPU, SENDER_CPU, pin_to};
use super::plan::{Plan, READY_AFTER};
use super::reader::Reader;
use super::tool::Tool;
use xdpdump_testing::netns::NetNs;

/// The captured interface, at the receiver's end.
const INTERFACE: &str = "tcp1";
/// Addresses of both ends (RFC 5737).
const ADDRESSES: [&str; 2] = ["192.0.2.1", "192.0.2.2"];
/// How long one connection sends.
const SENDS_FOR: Duration = Duration::from_secs(3);
/// Longest time that the other end may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of one read or write.
const CHUNK: usize = 256 << 10;

/// How the interface is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Not,
    /// By tcpdump, only what arrives.
    Tcpdump,
    /// By tcpdump, with what the interface sends.
    TcpdumpBoth,
    /// By our tool in generic mode.
    Generic,
    /// By our tool in generic mode, through perf rings.
    GenericPerf,
    /// By our tool in generic mode, with what the interface sends.
    GenericBoth,
    /// By our tool in native mode.
    Native,
    /// By our tool in native mode, with what the interface sends.
    NativeBoth,
}

impl Way {
    /// All ways, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Not,
        Self::Tcpdump,
        Self::TcpdumpBoth,
        Self::Generic,
        Self::GenericPerf,
        Self::GenericBoth,
        Self::Native,
        Self::NativeBoth,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Not => "none",
            Self::Tcpdump => "tcpdump",
            Self::TcpdumpBoth => "tcpdump -Q inout",
            Self::Generic => "xdpdump -S",
            Self::GenericPerf => "xdpdump -S --transport perf",
            Self::GenericBoth => "xdpdump -S -Q inout",
            Self::Native => "xdpdump -N",
            Self::NativeBoth => "xdpdump -N -Q inout",
        }
    }

    /// Whether what the interface sends is captured too.
    fn has_sent(self) -> bool {
        matches!(self, Self::TcpdumpBoth | Self::GenericBoth | Self::NativeBoth)
    }

    /// The tool and its options.
    fn tool(self) -> Option<(Tool, &'static [&'static str])> {
        match self {
            Self::Not => None,
            Self::Tcpdump => Some((Tool::Tcpdump, &["-Q", "in"])),
            Self::TcpdumpBoth => Some((Tool::Tcpdump, &["-Q", "inout"])),
            Self::Generic => Some((Tool::Ring, &["-S"])),
            Self::GenericPerf => Some((Tool::Perf, &["-S"])),
            Self::GenericBoth => Some((Tool::Ring, &["-S", "-Q", "inout"])),
            Self::Native => Some((Tool::Ring, &["-N"])),
            Self::NativeBoth => Some((Tool::Ring, &["-N", "-Q", "inout"])),
        }
    }
}

/// What was measured in one round.
#[derive(Clone, Copy, Debug)]
pub struct TcpRun {
    /// From 0.
    pub round: u32,
    /// How the interface was captured.
    pub way: Way,
    /// Payload that arrived, in bits per second.
    pub rate: f64,
    /// Bytes of payload.
    pub bytes: u64,
    /// Frames that the interface received; with segmentation offload, one can have 64 KiB.
    pub frames: u64,
    /// The same, and those that it sent, if the tool captures them too.
    pub offered: u64,
    /// How many of them the tool kept, and its CPU time.
    pub captured: Option<(u64, Duration)>,
}

impl TcpRun {
    /// Bytes of payload of a frame; `None` if none arrived.
    pub fn frame_len(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.bytes as f64 / self.frames as f64)
    }
}

/// Two namespaces joined by a veth pair with addresses, on which segmentation offload is on, as after `ip link add`.
pub struct TcpLink {
    sender: NetNs,
    receiver: NetNs,
}

impl TcpLink {
    /// Creates the namespaces.
    pub fn new() -> Self {
        let (sender, receiver) = NetNs::quiet_pair("tcp0", INTERFACE);
        for (netns, name, address) in [(&sender, "tcp0", ADDRESSES[0]), (&receiver, INTERFACE, ADDRESSES[1])]
        {
            netns.ip(["address", "add", &format!("{address}/24"), "dev", name]);
        }
        Self { sender, receiver }
    }

    /// Number of frames that the captured interface has received, and that it has sent.
    fn passed(&self) -> Result<[u64; 2]> {
        let count = |which| {
            let path = format!("/sys/class/net/{INTERFACE}/statistics/{which}_packets");
            anyhow::Ok(self.receiver.execute("cat", &[&path]).trim().parse()?)
        };
        Ok([count("rx")?, count("tx")?])
    }

    /// Sends over one connection for a while; returns the bytes that arrived, and how many bits per second that is. Sender and receiver have a CPU each; the
    /// tool shares the receiver's.
    fn transfer(&self, time: Duration) -> Result<(u64, f64)> {
        let listener = self.receiver.run(|| TcpListener::bind((ADDRESSES[1], 0)))?;
        let address = listener.local_addr()?;
        let mut outgoing = self.sender.run(|| TcpStream::connect_timeout(&address, PATIENCE))?;
        let (mut incoming, _) = listener.accept()?;
        incoming.set_read_timeout(Some(PATIENCE))?;
        let send = move || {
            pin_to(SENDER_CPU);
            let (chunk, begin) = (vec![0; CHUNK], Instant::now());
            while begin.elapsed() < time {
                outgoing.write_all(&chunk)?;
            }
            io::Result::Ok(())
        };
        let receive = move || {
            pin_to(READER_CPU);
            let (mut chunk, begin, mut bytes) = (vec![0; CHUNK], Instant::now(), 0);
            loop {
                match incoming.read(&mut chunk)? {
                    0 => return io::Result::Ok((bytes, bytes as f64 * 8.0 / begin.elapsed().as_secs_f64())),
                    more => bytes += more as u64,
                }
            }
        };
        let (sender, receiver) = (thread::spawn(send), thread::spawn(receive));
        let panicked = |_| anyhow!("a thread of the TCP connection panicked");
        sender.join().map_err(panicked)?.context("cannot send over TCP")?;
        receiver.join().map_err(panicked)?.context("cannot receive over TCP")
    }
}

impl Plan<'_> {
    /// Measures every way to capture, each on an interface that nothing else captures.
    pub(super) fn tcp(&self, link: &TcpLink, round: u32, results: &mut Vec<TcpRun>) -> Result<()> {
        let time = if self.args.quick { SENDS_FOR / 10 } else { SENDS_FOR };
        for way in Way::ALL {
            let tool = way.tool();
            if tool.is_some_and(|(tool, _)| !self.tools.contains(&tool)) {
                continue;
            }
            let reader = tool.map(|(tool, options)| {
                let output = Destination::Null.path(&self.folder);
                let mut command = tool.command(self.xdpdump, INTERFACE, &output, self.args.buffer, None);
                command.args(options);
                Reader::start(tool, command, Destination::Null, &link.receiver)
            });
            let reader = reader.transpose()?;
            thread::sleep(READY_AFTER);
            let before = link.passed()?;
            let (bytes, rate) = link.transfer(time)?;
            let [frames, sent] = link.passed()?;
            let (frames, sent) = (frames - before[0], sent - before[1]);
            let offered = if way.has_sent() { frames + sent } else { frames };
            let captured = match reader {
                Some(reader) => {
                    reader.settle()?;
                    let ended = reader.stop()?;
                    Some((ended.kept, ended.cpu))
                }
                None => None,
            };
            results.push(TcpRun { round, way, rate, bytes, frames, offered, captured });
        }
        Ok(())
    }
}
