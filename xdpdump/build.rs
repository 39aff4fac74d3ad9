//! Says which eBPF object to embed: the committed one, or the one `XDPDUMP_EBPF_OBJECT` names.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=XDPDUMP_EBPF_OBJECT");
    let object = env::var_os("XDPDUMP_EBPF_OBJECT").map(PathBuf::from).unwrap_or_else(|| {
        let endian = env::var("CARGO_CFG_TARGET_ENDIAN").unwrap_or_default();
        let name = if endian == "big" { "xdpdump.bpfeb.o" } else { "xdpdump.bpfel.o" };
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("ebpf").join(name)
    });
    println!("cargo::rerun-if-changed={}", object.display());
    println!("cargo::rustc-env=XDPDUMP_EBPF_OBJECT={}", object.display());
}
