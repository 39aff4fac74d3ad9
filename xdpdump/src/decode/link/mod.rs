//! Link layers, and what runs directly on them.

pub(in crate::decode) mod ethernet;
pub(in crate::decode) mod ethertype;
pub(in crate::decode) mod llc;
pub(in crate::decode) mod lldp;
pub(in crate::decode) mod stp;
