//! The `xdpdump` command.

fn main() {}
