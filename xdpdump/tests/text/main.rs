//! Frames to text: against tcpdump, and with hostile bytes.

mod build;
mod capture;
mod frames;
mod golden;
mod properties;
