//! Shared by the tests of xdpdump, its benches, `cargo xtask bench` and the fuzz targets: network namespaces, frames to send,
//! running the tool as a user does, and reading its files.
#![expect(clippy::unwrap_used, reason = "a failed set-up is a failed test")]
#![expect(clippy::new_without_default, reason = "creates objects in the kernel, so it is no default value")]
#![expect(
    clippy::missing_panics_doc,
    reason = "a failed check is a failed test too; sections name only panics that are not obvious"
)]

pub mod bpf;
pub mod breakpoint;
pub mod bytes;
pub mod capture;
pub mod cgroup;
pub mod cpu;
pub mod disk;
pub mod display;
#[cfg(feature = "capture-files")]
pub mod events;
pub mod extcap;
#[cfg(feature = "capture-files")]
pub mod files;
#[cfg(feature = "capture-files")]
pub mod filters;
#[cfg(feature = "capture-files")]
pub mod fleet;
pub mod generator;
pub mod kernel;
#[cfg(feature = "capture-files")]
pub mod large_capture;
pub mod load;
pub mod netdevsim;
pub mod netns;
pub mod objects;
pub mod observed;
pub mod order;
pub mod processes;
#[cfg(feature = "capture-files")]
pub mod rings;
pub mod scene;
pub mod skip;
pub mod terminal;
pub mod tun;
pub mod vm;
pub mod wait;
pub mod wire;
pub mod xdp;
