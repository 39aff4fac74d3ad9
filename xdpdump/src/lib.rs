//! Packet capture at the XDP hook.

pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod cpus;
pub mod decode;
pub mod filter;
pub mod input;
pub mod interface;
pub mod order;
pub mod output;
pub mod packet;
pub mod probe;
pub mod replay;
pub mod transport;
