//! Packet capture at the XDP hook.

pub mod output;
pub mod packet;
