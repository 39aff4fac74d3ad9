//! Per-CPU perf rings: the transport that works on every kernel and with a program on a NIC.

mod memory;
mod pulse;
mod ring;
mod rings;
pub mod walk;

pub use memory::RingMemory;
pub use pulse::Pulse;
pub use ring::{Batch, Ring, data_size};
pub use rings::Rings;
