//! System calls and `unsafe` that no crate has a safe form of.

pub mod inherited;
pub mod shared_page;
