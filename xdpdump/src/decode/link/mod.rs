//! Link layers, and what runs directly on them.

pub(in crate::decode) mod cooked;
pub(in crate::decode) mod ethernet;
pub(in crate::decode) mod ethertype;
pub(in crate::decode) mod llc;
pub(in crate::decode) mod lldp;
pub(in crate::decode) mod nflog;
pub(in crate::decode) mod null;
pub(in crate::decode) mod ppp;
pub(in crate::decode) mod radiotap;
pub(in crate::decode) mod stp;
pub(in crate::decode) mod usb;
pub(in crate::decode) mod wlan;
mod wlan_management;
