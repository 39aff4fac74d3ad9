//! Layers that carry frames or packets of other networks.

pub(in crate::decode) mod geneve;
pub(in crate::decode) mod gre;
pub(in crate::decode) mod l2tp;
pub(in crate::decode) mod lisp;
pub(in crate::decode) mod mpls;
pub(in crate::decode) mod nsh;
pub(in crate::decode) mod vxlan;
