//! How frames get from the kernel program to user space.

pub mod event;
pub mod perf;
