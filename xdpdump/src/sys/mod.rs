//! What is left of raw system calls and of memory shared with the kernel, where neither the standard library nor rustix nor
//! aya has a call for it.

pub mod affinity;
pub mod bpf;
pub mod inherited;
pub mod mapping;
pub mod perf_event;
pub mod shared_page;
pub mod signal;
