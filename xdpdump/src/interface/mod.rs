//! Network interfaces: their properties, and how to watch them.
//!
//! Everything refers to the network namespace of the calling thread.

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    os::unix::ffi::OsStrExt,
};

use crate::{
    packet::{self, LinkType},
    printable::printable,
    sys::{ethtool::Ethtool, kernel},
};

pub mod clsact;
pub mod features;
pub mod hardware;
pub mod list;
mod message;
mod metadata;
pub mod monitor;
pub mod namespace;
mod netdev;
mod netlink;
pub mod offloads;
pub mod promiscuous;
mod suggestion;
pub mod time_stamps;

pub use hardware::Driver;
use message::Query;
pub use metadata::{Metadata, VlanTags};
pub use monitor::{LinkChange, Monitor};
pub use namespace::Namespace;
pub use netdev::{Queue, XdpFeatures};
pub use offloads::{Disturbance, Offloads};
pub use promiscuous::Promiscuous;
pub use time_stamps::{Stamping, TimeStampType};

/// `ARPHRD_*` numbers libc does not have (`include/uapi/linux/if_arp.h`).
const ARPHRD_RAWIP: u16 = 519;
const ARPHRD_IP6GRE: u16 = 823;
/// Room for an alternative name and its NUL (`include/uapi/linux/if.h`).
const ALTIFNAMSIZ: usize = 128;

/// A network interface; the kernel calls it a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number in the namespace.
    pub index: u32,
    /// Its name, byte for byte: the kernel accepts all bytes but NUL, `/`, `:` and white space.
    pub name: OsString,
    /// Alternative names, which can be longer (`ip link property add altname`).
    pub alternative_names: Vec<OsString>,
    /// The administrator's description (`ip link set alias`).
    pub alias: Option<OsString>,
    /// Hardware address, if it is 6 bytes long and not all zero.
    pub mac: Option<[u8; 6]>,
    /// Largest payload of a frame, in bytes, without the link-level header.
    pub mtu: u32,
    /// Switched on (`IFF_UP`).
    pub up: bool,
    /// Switched on and able to carry frames (`IFF_RUNNING`, the operational state of RFC 2863).
    pub running: bool,
    /// Kind of virtual interface, such as `veth`; `None` for most hardware.
    pub kind: Option<String>,
    /// Hardware type (`ARPHRD_*`, `include/uapi/linux/if_arp.h`).
    pub hardware_type: u16,
    /// Its driver, if the driver describes itself.
    pub driver: Option<Driver>,
    /// XDP programs attached to it; more than one only in different modes.
    pub xdp: Vec<AttachedProgram>,
    /// The interface that its frames come from or go to, where that is another one.
    pub peer: Option<Peer>,
    /// Number of receive queues that it has room for; 0 if the kernel does not tell.
    pub receive_queues: u32,
    /// Number of requests for promiscuous mode that are held.
    pub promiscuity: u32,
}

/// The other end of a pair, the interface below a VLAN and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number; 0 for a tunnel that has none below.
    pub index: u32,
    /// It is in another network namespace, so that the number means nothing in this one.
    pub elsewhere: bool,
}

/// An XDP program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachedProgram {
    /// Where it runs.
    pub mode: XdpMode,
    /// Its number in the kernel, as in `bpftool prog show id N`.
    pub program_id: u32,
}

/// Where an XDP program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XdpMode {
    /// In the driver.
    Native,
    /// In the network stack, for every driver.
    Skb,
    /// On the network card.
    Offload,
}

impl fmt::Display for XdpMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Skb => "generic (SKB)",
            Self::Offload => "offload",
        })
    }
}

/// Why an interface could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No interface has that name, alternative name or number.
    #[error("no interface named {name:?}; {}-D in place of -i lists them", did_you_mean(nearest.as_deref()))]
    UnknownName {
        /// The name that was given.
        name: OsString,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// No interface has that number.
    #[error("no interface has the number {0}; -D in place of -i lists them")]
    UnknownIndex(u32),
    /// Its frames begin with a header that the tool does not know.
    #[error(
        "{name} carries neither Ethernet frames nor IP packets (hardware type {hardware_type}): it cannot be captured"
    )]
    UnsupportedLinkType {
        /// Name of the interface.
        name: String,
        /// Its `ARPHRD_*` number.
        hardware_type: u16,
    },
    /// The kernel did not answer.
    #[error("cannot ask the kernel for network interfaces")]
    Query(#[source] io::Error),
    /// The network namespace cannot be entered.
    #[error(transparent)]
    Namespace(#[from] namespace::Error),
    /// The kernel's announcements of changes cannot be received.
    #[error("cannot watch network interfaces")]
    Watch(#[source] io::Error),
}

impl Error {
    /// Whether the kernel had no memory for the answer, so that asking later may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Query(error) | Self::Watch(error) if netlink::is_passing(error))
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean {name:?}? "))
}

impl Link {
    /// The interface a user named: by name, alternative name, the number `-D` prints before it, or as ip(8) prints it,
    /// which puts the other end of a pair or the interface below behind an `@`: `eth0@if2`, `eth0.5@eth0`, `sit0@NONE`.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the most similar name, or [`Error::Query`].
    pub fn find(name_or_index: &OsStr) -> Result<Self, Error> {
        let unknown = match Self::by_name(name_or_index) {
            Err(error @ Error::UnknownName { .. }) => error,
            found => return found,
        };
        if let Some(index) = name_or_index.to_str().and_then(|text| text.parse().ok()) {
            return Self::by_index(index);
        }
        let bytes = name_or_index.as_bytes();
        let at = bytes.iter().rposition(|byte| *byte == b'@');
        let Some((name, [_, peer @ ..])) = at.and_then(|at| bytes.split_at_checked(at)) else {
            return Err(unknown);
        };
        match Self::by_name(OsStr::from_bytes(name)) {
            Ok(link) if link.has_peer(OsStr::from_bytes(peer))? => Ok(link),
            Ok(link) => {
                Err(Error::UnknownName { name: name_or_index.to_owned(), nearest: Some(link.display_name()) })
            }
            Err(_) => Err(unknown),
        }
    }

    /// Whether ip(8) prints this behind the interface's name and an `@`: the other interface's name, where it has one in this
    /// namespace, or its number. The number is taken in either case.
    fn has_peer(&self, text: &OsStr) -> Result<bool, Error> {
        let Some(Peer { index, elsewhere }) = self.peer else { return Ok(false) };
        if index == 0 {
            return Ok(text == "NONE");
        }
        if text == OsStr::new(&format!("if{index}")) {
            return Ok(true);
        }
        match Self::by_index(index) {
            _ if elsewhere => Ok(false),
            Err(Error::UnknownIndex(_)) => Ok(false),
            peer => Ok(peer?.name == text),
        }
    }

    /// The interface with this name or alternative name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the most similar name, or [`Error::Query`].
    pub fn by_name(name: &OsStr) -> Result<Self, Error> {
        let mut socket = netlink::Socket::open().map_err(Error::Query)?;
        if name.len() < ALTIFNAMSIZ
            && let Some(link) = socket.link(Query::Name(name)).map_err(Error::Query)?
        {
            return Ok(link.with_driver());
        }
        let links = socket.links().map_err(Error::Query)?;
        let names = links.iter().map(|link| link.name.as_os_str());
        let nearest = suggestion::nearest(name, names).map(printable);
        Err(Error::UnknownName { name: name.to_owned(), nearest })
    }

    /// The interface with this number.
    ///
    /// # Errors
    /// [`Error::UnknownIndex`] or [`Error::Query`].
    pub fn by_index(index: u32) -> Result<Self, Error> {
        let link = netlink::Socket::open().and_then(|mut socket| socket.link(Query::Index(index)));
        link.map_err(Error::Query)?.map(Self::with_driver).ok_or(Error::UnknownIndex(index))
    }

    /// All interfaces, ordered by number.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn all() -> Result<Vec<Self>, Error> {
        let mut links =
            netlink::Socket::open().and_then(|mut socket| socket.links()).map_err(Error::Query)?;
        links.sort_by_key(|link| link.index);
        if let Ok(ethtool) = Ethtool::open() {
            for link in &mut links {
                link.driver = hardware::driver(&ethtool, &link.name);
            }
        }
        Ok(links)
    }

    fn with_driver(mut self) -> Self {
        self.driver = Ethtool::open().ok().and_then(|ethtool| hardware::driver(&ethtool, &self.name));
        self
    }

    /// The name for messages and files: valid UTF-8 without control characters.
    pub fn display_name(&self) -> String {
        printable(&self.name)
    }

    /// Whether it is a loopback interface.
    pub fn is_loopback(&self) -> bool {
        self.hardware_type == libc::ARPHRD_LOOPBACK
    }

    /// The link type of its frames.
    ///
    /// # Errors
    /// [`Error::UnsupportedLinkType`].
    pub fn link_type(&self) -> Result<LinkType, Error> {
        match self.hardware_type {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Ok(LinkType::ETHERNET),
            // Tunnels: the frame that an XDP program sees begins with an IP header.
            libc::ARPHRD_NONE
            | libc::ARPHRD_TUNNEL
            | libc::ARPHRD_TUNNEL6
            | libc::ARPHRD_SIT
            | libc::ARPHRD_IPGRE
            | ARPHRD_RAWIP
            | ARPHRD_IP6GRE => Ok(LinkType::RAW),
            hardware_type => Err(Error::UnsupportedLinkType { name: self.display_name(), hardware_type }),
        }
    }

    /// Its description for a capture file. The capture fills in snap length and filter.
    ///
    /// # Errors
    /// [`Error::UnsupportedLinkType`].
    pub fn describe(&self) -> Result<packet::Interface, Error> {
        Ok(packet::Interface {
            link_type: self.link_type()?,
            name: Some(self.display_name()),
            description: self.alias.as_deref().map(printable),
            mac: self.mac,
            speed: Ethtool::open().ok().and_then(|ethtool| hardware::speed(&ethtool, &self.name)),
            hardware: self.driver.as_ref().map(Driver::to_string),
            os: Some(kernel::operating_system()),
            ..packet::Interface::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_has_nothing_below() {
        let with_peer = |peer| Link { peer, ..Link::default() };
        let tunnel = with_peer(Some(Peer { index: 0, elsewhere: false }));
        assert!(tunnel.has_peer(OsStr::new("NONE")).unwrap());
        assert!(!tunnel.has_peer(OsStr::new("if0")).unwrap());
        assert!(!with_peer(None).has_peer(OsStr::new("NONE")).unwrap());
    }

    #[test]
    fn interfaces_with_other_headers_are_refused() {
        let link = Link { name: "ppp0".into(), hardware_type: libc::ARPHRD_PPP, ..Link::default() };
        assert_eq!(
            link.describe().unwrap_err().to_string(),
            "ppp0 carries neither Ethernet frames nor IP packets (hardware type 512): it cannot be captured"
        );
    }
}
