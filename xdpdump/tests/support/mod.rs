//! What integration tests share.
#![allow(dead_code, reason = "every test target uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

pub mod bpf;
pub mod capture;
pub mod cgroup;
pub mod cpu;
pub mod disk;
pub mod files;
pub mod generator;
pub mod kernel;
pub mod large_capture;
pub mod load;
pub mod netdevsim;
pub mod netns;
pub mod objects;
pub mod processes;
pub mod tun;
pub mod vm;
pub mod wait;
pub mod wire;
pub mod xdp;
