//! The event both sides of xdpdump share.
#![no_std]
