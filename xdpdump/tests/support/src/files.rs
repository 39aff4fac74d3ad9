//! Reads capture files.

use std::{path::Path, process::Command};

use xdpdump::{
    input::{CaptureFile, Item},
    packet::{Interface, InterfaceStatistics, Meta},
};

/// The contents of a file.
#[derive(Debug, Default)]
pub struct Contents {
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// Its packets, in the order of the file.
    pub packets: Vec<Recorded>,
    /// Its Interface Statistics Blocks.
    pub statistics: Vec<InterfaceStatistics>,
}

/// A packet in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Index of its interface.
    pub interface: u32,
    /// Nanoseconds since the Unix epoch.
    pub time: i64,
    /// The captured bytes.
    pub frame: Vec<u8>,
    /// Length of the frame on the wire, in bytes.
    pub frame_len: u32,
    /// Metadata that only XDP provides.
    pub meta: Meta,
}

impl Contents {
    /// Only the frames, in the file's order.
    pub fn frames(&self) -> Vec<&[u8]> {
        self.packets.iter().map(|packet| &packet.frame[..]).collect()
    }
}

/// Reads a whole file.
///
/// # Panics
/// When it does not end with a whole record.
pub fn read(path: &Path) -> Contents {
    let mut file = CaptureFile::open(path).unwrap();
    let mut contents = Contents::default();
    while let Some(item) = file.next().unwrap() {
        match item {
            Item::Interface(interface) => contents.interfaces.push(interface.clone()),
            Item::Packet(packet) => contents.packets.push(Recorded {
                interface: packet.interface,
                time: packet.timestamp.0,
                frame: packet.frame.to_vec(),
                frame_len: packet.frame_len,
                meta: packet.meta,
            }),
            Item::Statistics(statistics, _) => contents.statistics.push(statistics),
            Item::Block(_) => {}
        }
    }
    contents
}

/// Reads a file with tshark and returns the length of each packet.
///
/// # Panics
/// When tshark complains about anything.
pub fn read_by_tshark(path: &Path) -> Vec<u32> {
    fields_by_tshark(path, &["frame.len"]).into_iter().map(|fields| fields[0].parse().unwrap()).collect()
}

/// Reads a file with tshark and returns fields of each packet.
///
/// # Panics
/// When tshark complains about anything.
pub fn fields_by_tshark(path: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields"])
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .arg("-r")
        .arg(path)
        .output()
        .unwrap_or_else(|error| panic!("cannot run tshark (package tshark): {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<_> =
        stderr.lines().filter(|line| !line.starts_with("Running as user \"root\"")).collect();
    assert!(output.status.success() && complaints.is_empty(), "{}: {complaints:#?}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}
