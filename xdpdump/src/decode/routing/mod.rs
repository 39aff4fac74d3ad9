//! Routing protocols.

pub(in crate::decode) mod bfd;
pub(in crate::decode) mod bgp;
mod clnp;
pub(in crate::decode) mod eigrp;
mod esis;
mod gmpls;
pub(in crate::decode) mod hsrp;
mod isis;
mod nsap;
mod numbers;
pub(in crate::decode) mod osi;
pub(in crate::decode) mod ospf;
pub(in crate::decode) mod pim;
pub(in crate::decode) mod rip;
pub(in crate::decode) mod ripng;
pub(in crate::decode) mod vrrp;
