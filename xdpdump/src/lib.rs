//! Packet capture at the XDP hook.

pub mod interface;
pub mod output;
pub mod packet;
