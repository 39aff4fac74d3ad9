//! Packet capture at the XDP hook.

pub mod decode;
pub mod output;
pub mod packet;
