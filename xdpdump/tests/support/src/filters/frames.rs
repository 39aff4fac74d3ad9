//! Frames to filter: from the fixtures, built here, and damaged copies of both.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{classic, made, random::Random};
use xdpdump::packet::LinkType;

/// The captured bytes of a frame, and its length on the wire.
#[derive(Clone)]
pub struct Bytes {
    /// The captured bytes.
    pub bytes: Vec<u8>,
    /// Length of the frame on the wire, in bytes.
    pub len: u32,
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} bytes: {:02x?}",
            self.bytes.len(),
            self.len,
            &self.bytes[..self.bytes.len().min(120)]
        )
    }
}

/// Frames of one link type, and the same frames as a capture file.
pub struct Capture {
    /// The link type of all frames.
    pub link_type: LinkType,
    /// The frames.
    pub frames: Vec<Bytes>,
    /// A classic pcap file with them; the time stamp of each is its number.
    pub file: Vec<u8>,
}

impl Capture {
    /// A capture of these frames.
    pub fn new(link_type: LinkType, frames: Vec<Bytes>) -> Self {
        let file = classic::file(link_type, &frames);
        Self { link_type, frames, file }
    }
}

/// All captures of the project.
pub fn all() -> Vec<Capture> {
    let fixtures = fixtures();
    let mut captures: Vec<Capture> = ["protocols.pcap", "raw.pcap", "classic.pcap"]
        .iter()
        .filter_map(|name| of_file(&fixtures.join(name)))
        .collect();
    let made: Vec<Bytes> =
        made::frames().into_iter().map(|bytes| Bytes { len: bytes.len() as u32, bytes }).collect();
    captures.push(Capture::new(LinkType::ETHERNET, made));
    merged(&captures).iter().map(with_pieces).collect()
}

/// The Ethernet frames that are built here, each behind the headers of other link types.
pub fn relinked() -> Vec<Capture> {
    let captures: Vec<Capture> = RELINKED
        .into_iter()
        .map(|link_type| {
            let relinked = made::frames().into_iter().filter_map(|frame| relink(&frame, link_type));
            let frames = relinked.map(|bytes| Bytes { len: bytes.len() as u32, bytes }).collect();
            Capture::new(link_type, frames)
        })
        .collect();
    captures.iter().map(with_pieces).collect()
}

/// Link types besides Ethernet and raw IP that filters support.
const RELINKED: [LinkType; 5] =
    [LinkType::LINUX_SLL, LinkType::LINUX_SLL2, LinkType::NULL, LinkType::LOOP, LinkType::PPP];

/// An Ethernet frame with another link-level header; `None` if that cannot say what follows.
pub fn relink(frame: &[u8], link_type: LinkType) -> Option<Vec<u8>> {
    let (addresses, rest) = frame.split_at_checked(12)?;
    let (&ether_type, payload) = rest.split_first_chunk()?;
    // Received, sent and other packets in turn; frames with an LLC header have the number for that.
    let packet_type = frame.len() as u8 % 5;
    let protocol = if u16::from_be_bytes(ether_type) > 1500 { ether_type } else { [0, 4] };
    let is_ipv6 = ether_type == [0x86, 0xdd];
    let is_ip = is_ipv6 || ether_type == [8, 0];
    let header = match link_type {
        LinkType::LINUX_SLL => {
            [&[0, packet_type, 0, 1, 0, 6], &addresses[6..], &[0, 0], &protocol[..]].concat()
        }
        // libpcap does not know other frames than these in this header.
        LinkType::LINUX_SLL2 if protocol != [0, 4] && protocol != [0x81, 0x37] => {
            [&protocol[..], &[0, 0, 0, 0, 0, 2, 0, 1, packet_type, 6], &addresses[6..], &[0, 0]].concat()
        }
        LinkType::NULL if is_ip => vec![if is_ipv6 { 30 } else { 2 }, 0, 0, 0],
        LinkType::LOOP if is_ip => vec![0, 0, 0, if is_ipv6 { 30 } else { 2 }],
        LinkType::PPP if is_ip => vec![0xff, 3, 0, if is_ipv6 { 0x57 } else { 0x21 }],
        _ => return None,
    };
    Some([&header, payload].concat())
}

/// The frames of a file, if filters support its link type.
pub fn of_file(path: &Path) -> Option<Capture> {
    // tcpdump converts all kinds of capture files to classic pcap.
    let output = Command::new("tcpdump").arg("-r").arg(path).args(["-w", "-"]).output().unwrap();
    let link_type = classic::link_type(&output.stdout)?;
    if ![LinkType::ETHERNET, LinkType::RAW].contains(&link_type) {
        return None;
    }
    let frames = classic::records(&output.stdout).into_iter().map(|record| record.frame).collect();
    Some(Capture::new(link_type, frames))
}

/// The folder of the project's own captures.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures")
}

/// The captures in the folder that the environment variable `XDPDUMP_FILTER_CORPUS` names, else the project's own; merged to
/// one for each link type that filters support.
pub fn corpus() -> Vec<Capture> {
    let folder = env::var_os("XDPDUMP_FILTER_CORPUS").map_or_else(fixtures, PathBuf::from);
    let captures: Vec<Capture> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .filter_map(|path| of_file(&path))
        .collect();
    merged(&captures)
}

/// One capture for each link type.
pub fn merged(captures: &[Capture]) -> Vec<Capture> {
    [LinkType::ETHERNET, LinkType::RAW]
        .into_iter()
        .filter_map(|link_type| {
            let of_type = captures.iter().filter(|capture| capture.link_type == link_type);
            let frames: Vec<Bytes> = of_type.flat_map(|capture| capture.frames.iter().cloned()).collect();
            (!frames.is_empty()).then(|| Capture::new(link_type, frames))
        })
        .collect()
}

/// Adds for each frame one copy that is cut, and one copy with a byte changed.
fn with_pieces(capture: &Capture) -> Capture {
    let mut random = Random::new(7);
    let mut frames = capture.frames.clone();
    for frame in &capture.frames {
        for most in [frame.bytes.len().min(60), frame.bytes.len()] {
            let mut cut = frame.clone();
            cut.bytes.truncate(random.below(most.max(1)));
            frames.push(cut);
        }
        let mut changed = frame.clone();
        if !changed.bytes.is_empty() {
            let at = random.below(changed.bytes.len().min(80));
            changed.bytes[at] = random.number() as u8;
            frames.push(changed);
        }
    }
    Capture::new(capture.link_type, frames)
}
