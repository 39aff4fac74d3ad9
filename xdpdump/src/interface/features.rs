//! The offloads and other features of an interface, by the names that ethtool(8) prints.

use std::{ffi::OsStr, io};

use super::{Link, Peer, message, message::Query, netlink};
use crate::{
    printable::{printable, shell_word},
    sys::ethtool::Ethtool,
};

/// The features by which a driver takes VLAN tags off received frames.
pub(super) const TAKES_TAGS_OFF: [&str; 2] = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"];
/// The features by which a driver puts tags into frames that it sends. Until then they are not among the bytes, and the other
/// end of a veth pair receives such frames as they are.
const PUTS_TAGS_IN: [&str; 2] = ["tx-vlan-hw-insert", "tx-vlan-stag-hw-insert"];

/// The features of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    names: Vec<String>,
    active: u128,
    changeable: u128,
}

impl Features {
    /// Asks the kernel.
    ///
    /// # Errors
    /// ENODEV when there is no such interface.
    pub fn of(interface: &OsStr) -> io::Result<Self> {
        let ethtool = Ethtool::open()?;
        let features = ethtool.features(interface)?;
        let names = ethtool.feature_names(interface)?;
        let names = names.iter().map(|name| printable(message::text(name))).collect();
        Ok(Self { names, active: features.active, changeable: features.changeable })
    }

    /// Whether the feature is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.active & self.bit(name) != 0
    }

    /// Whether the feature can be switched.
    pub fn can_change(&self, name: &str) -> bool {
        self.changeable & self.bit(name) != 0
    }

    fn bit(&self, wanted: &str) -> u128 {
        let number = self.names.iter().take(128).position(|name| name == wanted);
        number.map_or(0, |number| 1 << number)
    }

    /// The command that switches off those of the features that are on; `None` if none of them can be switched.
    fn switching_off(&self, interface: &OsStr, wanted: &[&str]) -> Option<String> {
        let switched = wanted.iter().filter(|name| self.is_on(name) && self.can_change(name));
        let words: Vec<_> = switched.map(|name| format!("{} off", short(name))).collect();
        (!words.is_empty()).then(|| format!("ethtool -K {} {}", shell_word(interface), words.join(" ")))
    }
}

/// A feature of several names in ethtool(8) by the shortest of them.
fn short(name: &str) -> &str {
    match name {
        "rx-vlan-hw-parse" => "rxvlan",
        "tx-vlan-hw-insert" => "txvlan",
        "rx-lro" => "lro",
        name => name,
    }
}

/// Features that keep VLAN tags apart from the bytes of received frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagsApart {
    /// The command that leaves tags in the frames, if there is one.
    pub command: Option<String>,
}

impl Link {
    /// What keeps VLAN tags apart from the bytes of received frames, as far as can be seen from here; `None` if nothing does.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn tags_apart(&self) -> io::Result<Option<TagsApart>> {
        let (name, wanted) = match self.veth_peer() {
            // A veth interface takes nothing off.
            Some(peer) => (peer.name, PUTS_TAGS_IN),
            None => (self.name.clone(), TAKES_TAGS_OFF),
        };
        let features = Features::of(&name)?;
        let is_apart = wanted.iter().any(|name| features.is_on(name));
        // The features of a peer that is elsewhere are usually the same as those of this end, but have to be changed there.
        let is_elsewhere = self.is_veth() && name == self.name;
        let command = (!is_elsewhere).then(|| features.switching_off(&name, &wanted)).flatten();
        Ok(is_apart.then_some(TagsApart { command }))
    }

    /// Whether this interface can join frames that it receives, by which feature (`rx-lro` or `rx-gro-hw`), and the command that
    /// switches it off, if it can be switched.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn joins_frames(&self) -> io::Result<Vec<(&'static str, Option<String>)>> {
        let features = Features::of(&self.name)?;
        let joining = ["rx-lro", "rx-gro-hw"].into_iter().filter(|name| features.is_on(name));
        Ok(joining.map(|name| (name, features.switching_off(&self.name, &[name]))).collect())
    }

    /// Whether it is one end of a veth pair.
    pub fn is_veth(&self) -> bool {
        self.kind.as_deref() == Some("veth")
    }

    /// The other end of a veth pair, if it is in this network namespace.
    pub fn veth_peer(&self) -> Option<Self> {
        let Peer { index, .. } = self.peer.filter(|peer| self.is_veth() && !peer.elsewhere)?;
        let link = netlink::Socket::open().and_then(|mut socket| socket.link(Query::Index(index)));
        link.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_what_is_on_and_can_be_switched() {
        let names = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse", "rx-lro", "rx-gro-hw"];
        let features =
            |active, changeable| Features { names: names.map(str::to_owned).to_vec(), active, changeable };
        let command = |active, changeable, wanted: &[&str]| {
            features(active, changeable).switching_off(OsStr::new("eth0"), wanted)
        };
        assert_eq!(
            command(0b1111, 0b1111, &TAKES_TAGS_OFF).as_deref(),
            Some("ethtool -K eth0 rxvlan off rx-vlan-stag-hw-parse off")
        );
        assert_eq!(command(0b0010, 0b0001, &TAKES_TAGS_OFF), None, "fixed");
        assert_eq!(command(0b0100, 0b0100, &["rx-lro"]).as_deref(), Some("ethtool -K eth0 lro off"));
        assert!(!features(u128::MAX, 0).is_on("rx-udp-gro-forwarding"), "not known to this kernel");
        let odd = features(1, 1).switching_off(OsStr::new("a;b"), &TAKES_TAGS_OFF);
        assert_eq!(odd.as_deref(), Some("ethtool -K 'a;b' rxvlan off"));
    }
}
