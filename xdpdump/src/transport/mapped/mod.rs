//! Per-CPU memory that the kernel program writes in place and user space maps: a frame gets into a pcapng file without
//! another copy, and with no system call but write(2).

pub mod block;
mod memory;
mod protocol;
mod ring;
mod rings;
mod stamping;

pub use memory::Lengths;
pub use rings::{MAX_RING_LEN, Rings};
