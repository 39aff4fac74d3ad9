//! What runs on transport layers for hosts and applications.

pub(in crate::decode) mod bootp;
pub(in crate::decode) mod dns;
pub(in crate::decode) mod dns_name;
pub(in crate::decode) mod dns_type;
pub(in crate::decode) mod edns;
pub(in crate::decode) mod lines;
