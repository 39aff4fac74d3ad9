//! Frames as text: compared with tcpdump, and with hostile bytes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod build;
mod capture;
mod edns;
mod frames;
mod golden;
mod hostile_strings;
mod links;
mod messages;
mod properties;
mod routing;
mod services;
mod source_routes;
mod transports;
mod tunnels;
mod verdicts;
mod wire;
