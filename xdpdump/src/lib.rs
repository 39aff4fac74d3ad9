//! Packet capture at the XDP hook.

pub mod input;
pub mod output;
pub mod packet;
