//! Routing protocols.

pub(in crate::decode) mod eigrp;
pub(in crate::decode) mod ospf;
pub(in crate::decode) mod pim;
pub(in crate::decode) mod vrrp;
