//! `cargo xtask check-ebpf`: checks that the committed objects match their sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use crate::build_ebpf::{self, Endian};
use crate::manifest::{self, Manifest};
use crate::toolchain::Toolchain;
use crate::{test, workspace};

/// Compares hashes, then rebuilds. With the recorded versions of the tools the bytes must be the same; with other versions
/// the tests must pass on the rebuilt object.
pub fn run() -> Result<()> {
    let committed = workspace::ebpf_dir();
    let manifest = Manifest::read(&committed)?;
    compare_hashes(&manifest, &manifest::hash_sources(workspace::root())?, &committed)?;

    let toolchain = Toolchain::find_or_install()?;
    let rebuilt = workspace::root().join("target/check-ebpf");
    build_ebpf::build(&toolchain, &Endian::ALL, &rebuilt)?;

    let recorded = [manifest.get(manifest::RUSTC), manifest.get(manifest::BPF_LINKER)];
    if recorded == [&toolchain.rustc_version, &toolchain.linker_version] {
        compare_bytes(&committed, &rebuilt)?;
        println!("check-ebpf: rebuilt with the recorded versions; the committed objects have the same bytes");
        return Ok(());
    }
    println!(
        "check-ebpf: this machine has {} and bpf-linker {}, the objects were built with {} and bpf-linker {}; \
         their bytes cannot be compared, so the tests run on the rebuilt object",
        toolchain.rustc_version, toolchain.linker_version, recorded[0], recorded[1]
    );
    test::run_with_object(&rebuilt.join(Endian::HOST.object()))?;
    println!("check-ebpf: rebuilt with other versions; the tests pass on the rebuilt object");
    Ok(())
}

fn compare_hashes(manifest: &Manifest, sources: &str, folder: &Path) -> Result<()> {
    if manifest.get(manifest::SOURCES) != sources {
        bail!(
            "the kernel program's sources changed since its objects were built: run `cargo xtask build-ebpf`"
        );
    }
    for endian in Endian::ALL {
        let name = endian.object();
        let bytes = fs::read(folder.join(name))
            .map_err(|error| anyhow!("cannot read {name}: {error}; run `cargo xtask build-ebpf`"))?;
        if manifest.get(name) != manifest::sha256(&bytes) {
            bail!("{name} is not the object MANIFEST records: run `cargo xtask build-ebpf`");
        }
    }
    Ok(())
}

fn compare_bytes(committed: &Path, rebuilt: &Path) -> Result<()> {
    for name in Endian::ALL.map(Endian::object) {
        let read = |folder: &Path| fs::read(folder.join(name)).with_context(|| format!("cannot read {name}"));
        if read(committed)? != read(rebuilt)? {
            bail!(
                "{name} differs from what its sources give with the recorded versions (see {}): \
                 run `cargo xtask build-ebpf`",
                rebuilt.join(name).display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::default();
        manifest.set(manifest::SOURCES, "now");
        for name in Endian::ALL.map(Endian::object) {
            fs::write(folder.path().join(name), name).unwrap();
            manifest.set(name, manifest::sha256(name.as_bytes()));
        }
        (folder, manifest)
    }

    #[test]
    fn agreeing_hashes_pass() {
        let (folder, manifest) = committed();
        compare_hashes(&manifest, "now", folder.path()).unwrap();
    }

    #[test]
    fn changed_sources_ask_for_a_build() {
        let (folder, manifest) = committed();
        let error = compare_hashes(&manifest, "later", folder.path()).unwrap_err().to_string();
        assert!(error.contains("sources changed") && error.contains("build-ebpf"), "{error}");
    }

    #[test]
    fn a_changed_object_is_named() {
        let (folder, manifest) = committed();
        fs::write(folder.path().join("xdpdump.bpfeb.o"), "else").unwrap();
        let error = compare_hashes(&manifest, "now", folder.path()).unwrap_err().to_string();
        assert!(error.contains("xdpdump.bpfeb.o"), "{error}");
    }

    #[test]
    fn a_missing_object_is_named() {
        let (folder, manifest) = committed();
        fs::remove_file(folder.path().join("xdpdump.bpfel.o")).unwrap();
        let error = compare_hashes(&manifest, "now", folder.path()).unwrap_err().to_string();
        assert!(error.contains("xdpdump.bpfel.o"), "{error}");
    }

    #[test]
    fn different_bytes_are_named() {
        let (committed, _) = committed();
        let rebuilt = tempfile::tempdir().unwrap();
        for name in Endian::ALL.map(Endian::object) {
            fs::write(rebuilt.path().join(name), name).unwrap();
        }
        compare_bytes(committed.path(), rebuilt.path()).unwrap();
        fs::write(rebuilt.path().join("xdpdump.bpfel.o"), "else").unwrap();
        let error = compare_bytes(committed.path(), rebuilt.path()).unwrap_err().to_string();
        assert!(error.contains("xdpdump.bpfel.o"), "{error}");
    }
}
