//! Tells the library which kernel object to embed: the committed one for the target's byte order.

use std::env;
use std::path::PathBuf;

/// Environment variable with the path of an object to embed instead, which `cargo xtask check-ebpf` sets. The library reads the path from the variable of the same name.
const OBJECT: &str = "XDPDUMP_EBPF_OBJECT";

fn main() {
    println!("cargo::rerun-if-env-changed={OBJECT}");
    let object = env::var_os(OBJECT).map_or_else(committed, PathBuf::from);
    println!("cargo::rerun-if-changed={}", object.display());
    println!("cargo::rustc-env={OBJECT}={}", object.display());
}

fn committed() -> PathBuf {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("ebpf");
    let big_endian = env::var_os("CARGO_CFG_TARGET_ENDIAN").is_some_and(|endian| endian == "big");
    folder.join(if big_endian { "xdpdump.bpfeb.o" } else { "xdpdump.bpfel.o" })
}
