//! Network layers: IP, its control messages, and address resolution.

pub(in crate::decode) mod arp;
pub(in crate::decode) mod group_records;
pub(in crate::decode) mod icmp;
pub(in crate::decode) mod icmp_extension;
pub(in crate::decode) mod icmpv6;
pub(in crate::decode) mod igmp;
pub(in crate::decode) mod ip;
pub(in crate::decode) mod ipv4;
pub(in crate::decode) mod ipv6;
pub(in crate::decode) mod ipv6_options;
pub(in crate::decode) mod mld;
pub(in crate::decode) mod mobility;
pub(in crate::decode) mod ndp;
pub(in crate::decode) mod node_information;
pub(in crate::decode) mod renumbering;
pub(in crate::decode) mod rpl;
