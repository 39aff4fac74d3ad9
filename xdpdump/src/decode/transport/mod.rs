//! Transport layers, and the dispatch on their ports.

pub(in crate::decode) mod conversation;
pub(in crate::decode) mod dccp;
pub(in crate::decode) mod mptcp;
pub(in crate::decode) mod pgm;
pub(in crate::decode) mod port;
pub(in crate::decode) mod sctp;
pub(in crate::decode) mod tcp;
pub(in crate::decode) mod tcp_options;
pub(in crate::decode) mod udp;
