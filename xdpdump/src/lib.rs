//! Packet capture at the XDP hook.

pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod cpus;
pub mod decode;
pub mod doctor;
pub mod extcap;
pub mod filter;
pub mod input;
pub mod interface;
pub mod order;
pub mod output;
pub mod packet;
pub mod print_filter;
pub mod printable;
pub mod privilege;
pub mod probe;
pub mod repair;
pub mod replay;
pub mod report;
pub mod run_as;
pub mod selection;
pub mod signals;
pub mod sinks;
mod sys;
pub mod transport;
