//! Per-CPU perf rings: the transport every kernel and an offloading NIC has.

mod event_open;
mod ring;
pub mod walk;

pub use ring::{Batch, Ring, Wakeup, data_size};
