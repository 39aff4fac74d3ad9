//! Routing protocols.

pub(in crate::decode) mod babel;
pub(in crate::decode) mod bfd;
pub(in crate::decode) mod bgp;
mod clnp;
mod duration;
pub(in crate::decode) mod dvmrp;
pub(in crate::decode) mod eigrp;
mod esis;
mod gmpls;
pub(in crate::decode) mod hsrp;
pub(in crate::decode) mod igrp;
mod isis;
pub(in crate::decode) mod ldp;
pub(in crate::decode) mod lmp;
pub(in crate::decode) mod lsp_ping;
mod nsap;
mod numbers;
pub(in crate::decode) mod osi;
pub(in crate::decode) mod ospf;
pub(in crate::decode) mod pim;
pub(in crate::decode) mod pim_v1;
pub(in crate::decode) mod rip;
pub(in crate::decode) mod ripng;
pub(in crate::decode) mod rsvp;
pub(in crate::decode) mod vrrp;
