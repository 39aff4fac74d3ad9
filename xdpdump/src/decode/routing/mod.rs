//! Routing protocols.

pub(in crate::decode) mod bgp;
pub(in crate::decode) mod eigrp;
mod gmpls;
mod nsap;
mod numbers;
pub(in crate::decode) mod ospf;
pub(in crate::decode) mod pim;
pub(in crate::decode) mod vrrp;
