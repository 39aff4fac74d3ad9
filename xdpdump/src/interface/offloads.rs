//! What a capture changes on interfaces: offloads that the kernel or a driver switches while an XDP program is attached.
//!
//! * Native XDP on a veth interface switches segmentation offloads of its peer off (`veth_xdp_set` and `veth_fix_features`,
//!   drivers/net/veth.c, v6.18), before Linux 6.9 also GRO of the interface itself on.
//! * Drivers of NICs switch LRO or hardware GRO off.
//! * Generic XDP switches both off, also of the interfaces below, for good (`dev_disable_lro` and `dev_disable_gro_hw`,
//!   net/core/dev.c, v6.18).

use std::{ffi::OsString, fmt};

use super::{Link, Peer, XdpMode, message, message::Query, netlink};
use crate::{
    printable::printable,
    sys::ethtool::{Ethtool, Features},
};

/// The offloads of an interface, and of its peer or of the interface below, before a capture.
pub struct Offloads {
    ethtool: Ethtool,
    ends: Vec<End>,
    /// It is one end of a pair whose other end cannot be read from here.
    peer_is_elsewhere: bool,
    /// The driver switches hardware GRO off without showing it (`virtnet_clear_guest_offloads`, drivers/net/virtio_net.c,
    /// v6.18).
    hides: bool,
}

/// An interface whose offloads a capture may change.
struct End {
    index: u32,
    name: OsString,
    role: Role,
    before: Features,
}

/// What an interface has to do with the one that is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Captured,
    Peer,
    Below,
}

/// What changed when a program was attached, until this is dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Disturbance {
    mode: XdpMode,
    ends: Vec<Changed>,
    peer_is_elsewhere: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Changed {
    index: u32,
    name: String,
    role: Role,
    off: Vec<String>,
    on: Vec<String>,
    /// Features that the kernel does not switch on again when the program is detached.
    lasting: u128,
}

impl Offloads {
    /// Reads the offloads of `link`; `None` if the kernel does not tell.
    pub fn of(link: &Link) -> Option<Self> {
        let ethtool = Ethtool::open().ok()?;
        let read = |index, name: OsString, role| {
            Some(End { index, before: ethtool.features(&name).ok()?, name, role })
        };
        let is_pair = link.kind.as_deref() == Some("veth");
        let mut ends = vec![read(link.index, link.name.clone(), Role::Captured)?];
        let other = link.peer.filter(|peer| !peer.elsewhere && peer.index != 0);
        if let Some(Peer { index, .. }) = other
            && let Some(name) = name_of(index)
        {
            ends.extend(read(index, name, if is_pair { Role::Peer } else { Role::Below }));
        }
        let peer_is_elsewhere = is_pair && link.peer.is_some_and(|peer| peer.elsewhere);
        let hides = link.driver.as_ref().is_some_and(|driver| driver.name == "virtio_net");
        Some(Self { ethtool, ends, peer_is_elsewhere, hides })
    }

    /// Compares with the offloads now, after a program was attached in `mode`; `None` if none changed.
    pub fn changed(self, mode: XdpMode) -> Option<Disturbance> {
        let hides = self.hides && mode == XdpMode::Native;
        let mut ends = Vec::new();
        for End { index, name, role, before } in self.ends {
            let Ok(after) = self.ethtool.features(&name) else { continue };
            if after.active == before.active && !hides {
                continue;
            }
            let names = self.ethtool.feature_names(&name).unwrap_or_default();
            let names: Vec<_> = names.iter().map(|name| printable(message::text(name))).collect();
            let hidden = if hides { bits(&names, &["rx-gro-hw", "rx-lro"]) } else { 0 };
            let lasting = if mode == XdpMode::Skb { before.wanted & !after.wanted } else { 0 };
            let changed = Changed {
                index,
                name: printable(name),
                role,
                off: words(&names, before.active & (!after.active | hidden)),
                on: words(&names, after.active & !before.active),
                lasting,
            };
            if !changed.off.is_empty() || !changed.on.is_empty() {
                ends.push(changed);
            }
        }
        let peer_is_elsewhere = self.peer_is_elsewhere && mode == XdpMode::Native;
        (peer_is_elsewhere || !ends.is_empty()).then_some(Disturbance { mode, ends, peer_is_elsewhere })
    }
}

/// Switches on again what the kernel leaves off. The program should be detached before.
impl Disturbance {
    /// Whether something has to be changed back at the end, which takes CAP_NET_ADMIN.
    pub fn is_to_be_undone(&self) -> bool {
        self.ends.iter().any(|end| end.lasting != 0)
    }
}

impl Drop for Disturbance {
    fn drop(&mut self) {
        for Changed { index, lasting, .. } in self.ends.iter().filter(|end| end.lasting != 0) {
            // The interface may have been renamed or deleted since.
            if let (Ok(ethtool), Some(name)) = (Ethtool::open(), name_of(*index)) {
                let _ = ethtool.want_features(&name, *lasting);
            }
        }
    }
}

/// One line without the name of the captured interface.
impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for Changed { name, role, off, on, .. } in &self.ends {
            let whose = match role {
                Role::Captured => "this interface".to_owned(),
                Role::Peer => format!("its peer {name}"),
                Role::Below => format!("the interface {name} below"),
            };
            for (names, state) in [(off, "off"), (on, "on")] {
                if !names.is_empty() {
                    parts.push(format!("switches {} of {whose} {state}", names.join(", ")));
                }
            }
        }
        if self.peer_is_elsewhere {
            parts.push("may switch TSO of its peer, which is in another network namespace, off".to_owned());
        }
        write!(f, "{} mode {} until the capture ends", self.mode, parts.join(" and "))?;
        if self.ends.iter().any(|end| !end.off.is_empty()) {
            f.write_str(": TCP through it gets slower, in smaller segments")?;
        } else if self.peer_is_elsewhere {
            f.write_str(": TCP through it may get slower, in smaller segments")?;
        }
        let of_pair = self.peer_is_elsewhere || self.ends.iter().any(|end| end.role == Role::Peer);
        if of_pair && self.mode == XdpMode::Native { f.write_str("; -S disturbs less") } else { Ok(()) }
    }
}

fn name_of(index: u32) -> Option<OsString> {
    let link = netlink::Socket::open().and_then(|mut socket| socket.link(Query::Index(index)));
    link.ok().flatten().map(|link| link.name)
}

/// The bits of features with these names.
fn bits(names: &[String], wanted: &[&str]) -> u128 {
    let is_wanted = |name: &str| wanted.contains(&name);
    (0..).zip(names).filter(|(_, name)| is_wanted(name)).fold(0, |bits, (number, _)| bits | 1 << number)
}

/// The names of features, as ethtool(8) prints them, but for those with a well-known abbreviation.
fn words(names: &[String], features: u128) -> Vec<String> {
    let mut words = Vec::new();
    for (number, name) in (0..128).zip(names) {
        if features & 1 << number == 0 {
            continue;
        }
        let word = match name.as_str() {
            "rx-lro" => "LRO",
            "rx-gro" => "GRO",
            "rx-gro-hw" => "hardware GRO",
            // For IPv4, IPv6, and with other header fields.
            name if name.starts_with("tx-tcp") => "TSO",
            name => name,
        };
        if !words.iter().any(|other| other == word) {
            words.push(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(role: Role, off: &[&str], on: &[&str]) -> Changed {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Changed { index: 7, name: "eth7".to_owned(), role, off: words(off), on: words(on), lasting: 0 }
    }

    fn said(mode: XdpMode, ends: Vec<Changed>, peer_is_elsewhere: bool) -> String {
        Disturbance { mode, ends, peer_is_elsewhere }.to_string()
    }

    #[test]
    fn a_line_says_what_changes_where_and_what_it_costs() {
        assert_eq!(
            said(XdpMode::Native, vec![changed(Role::Peer, &["TSO", "tx-gso-list"], &[])], false),
            "native mode switches TSO, tx-gso-list of its peer eth7 off until the capture ends: TCP through it gets slower, in smaller segments; \
             -S disturbs less"
        );
        assert_eq!(
            said(XdpMode::Native, vec![changed(Role::Captured, &[], &["GRO"])], true),
            "native mode switches GRO of this interface on and may switch TSO of its peer, which is in another network \
             namespace, off until the capture ends: TCP through it may get slower, in smaller segments; -S disturbs less"
        );
        let ends = vec![changed(Role::Captured, &["LRO"], &[]), changed(Role::Below, &["LRO"], &[])];
        assert_eq!(
            said(XdpMode::Skb, ends, false),
            "generic (SKB) mode switches LRO of this interface off and switches LRO of the interface eth7 below off until \
             the capture ends: TCP through it gets slower, in smaller segments"
        );
        assert_eq!(
            said(XdpMode::Native, vec![changed(Role::Captured, &[], &["GRO"])], false),
            "native mode switches GRO of this interface on until the capture ends"
        );
    }

    #[test]
    fn names_are_those_of_ethtool_or_well_known() {
        let names =
            ["tx-tcp-segmentation", "rx-lro", "tx-tcp6-segmentation", "tx-udp-segmentation", "rx-gro-hw"]
                .map(str::to_owned);
        assert_eq!(words(&names, 0b01101), ["TSO", "tx-udp-segmentation"]);
        assert_eq!(words(&names, 0b10010), ["LRO", "hardware GRO"]);
        assert_eq!(words(&names, 1 << 100), [""; 0]);
        assert_eq!(bits(&names, &["rx-gro-hw", "rx-lro"]), 0b10010);
    }
}
