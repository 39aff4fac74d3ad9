//! `xdpdump/ebpf/MANIFEST`: from which sources and with which tools the committed objects were built.
//!
//! A text file with one `key = value` per line. Hashes are SHA-256 in hex.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};

/// Hash of everything from which the objects are compiled.
pub const SOURCES: &str = "sources";
/// Version line of the compiler.
pub const RUSTC: &str = "rustc";
/// Version of the linker.
pub const BPF_LINKER: &str = "bpf-linker";

/// The keys and values of a MANIFEST; an object's key is its file name.
#[derive(Debug, Default, PartialEq)]
pub struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Reads the MANIFEST in `folder`.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = folder.join("MANIFEST");
        let text = fs::read_to_string(&file).map_err(|error| {
            anyhow!("cannot read {}: {error}; run `cargo xtask build-ebpf`", file.display())
        })?;
        Ok(Self::parse(&text))
    }

    /// Writes the MANIFEST into `folder`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let file = folder.join("MANIFEST");
        fs::write(&file, self.to_string()).with_context(|| format!("cannot write {}", file.display()))
    }

    fn parse(text: &str) -> Self {
        let entries = text.lines().filter_map(|line| line.split_once('='));
        Self(entries.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect())
    }

    /// The value of `key`; empty if there is none.
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Sets `key`.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_owned(), value.into());
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, value)| writeln!(f, "{key} = {value}"))
    }
}

/// SHA-256 of `bytes` in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Hash of everything from which the objects are compiled: the crate, its dependencies' versions and the release profile.
pub fn hash_sources(root: &Path) -> Result<String> {
    let read = |file: &Path| {
        fs::read_to_string(root.join(file))
            .with_context(|| format!("cannot read {}", root.join(file).display()))
    };
    let mut files = vec![PathBuf::from("xdpdump-ebpf/Cargo.toml")];
    list_files(root, Path::new("xdpdump-ebpf/src"), &mut files)?;
    files.sort();

    let mut all = String::new();
    for file in &files {
        let text = read(file)?;
        let _ = write!(all, "{} {}\n{text}", file.display(), text.len());
    }
    all.push_str(&build_settings(&read(Path::new("Cargo.toml"))?));
    all.push_str(&locked_crates(&read(Path::new("Cargo.lock"))?));
    Ok(sha256(all.as_bytes()))
}

fn list_files(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list_files(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The lines of the workspace's Cargo.toml that affect the object.
fn build_settings(cargo_toml: &str) -> String {
    let profile = cargo_toml
        .lines()
        .skip_while(|line| *line != "[profile.release]")
        .take_while(|line| !line.is_empty());
    let dependency = cargo_toml.lines().filter(|line| line.starts_with("aya-ebpf"));
    dependency.chain(profile).flat_map(|line| [line, "\n"]).collect()
}

/// The entries of Cargo.lock for the crates of aya-ebpf.
fn locked_crates(cargo_lock: &str) -> String {
    let entries = cargo_lock.replace("\r\n", "\n");
    entries.split("\n\n").filter(|entry| entry.contains("name = \"aya-ebpf")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut manifest = Manifest::default();
        manifest.set(RUSTC, "rustc 1.96.0 (ac68faa20 2026-05-25)");
        manifest.set("xdpdump.bpfel.o", "00ff");
        let folder = tempfile::tempdir().unwrap();
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);
        assert_eq!(manifest.get("xdpdump.bpfeb.o"), "");
    }

    #[test]
    fn sha256_of_nothing() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn hash_follows_sources_versions_and_profile_only() {
        let tree = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = tree.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let hash = || hash_sources(tree.path()).unwrap();
        let lock = "[[package]]\nname = \"aya-ebpf\"\nversion = \"0.2.1\"\n\n[[package]]\nname = \"libc\"\nversion = \"1\"\n";
        let settings = "aya-ebpf = \"=0.2.1\"\nlibc = \"1\"\n\n[profile.release]\nlto = true\n\n[profile.bench]\ndebug = true\n";
        put("xdpdump-ebpf/Cargo.toml", "[package]");
        put("xdpdump-ebpf/src/capture/mod.rs", "fn a() {}");
        put("Cargo.lock", lock);
        put("Cargo.toml", settings);
        let before = hash();

        put("xdpdump/src/lib.rs", "");
        put("Cargo.lock", &lock.replace("\"1\"", "\"2\""));
        put("Cargo.toml", &settings.replace("debug = true", "debug = false").replace("\"1\"", "\"2\""));
        assert_eq!(hash(), before);

        for (name, text) in [
            ("xdpdump-ebpf/Cargo.toml", "[package]\n".to_owned()),
            ("xdpdump-ebpf/src/capture/mod.rs", "fn b() {}".to_owned()),
            ("Cargo.lock", lock.replace("0.2.1", "0.2.2")),
            ("Cargo.toml", settings.replace("lto = true", "lto = false")),
        ] {
            let original = fs::read_to_string(tree.path().join(name)).unwrap();
            put(name, &text);
            assert_ne!(hash(), before, "{name}");
            put(name, &original);
        }
        assert_eq!(hash(), before);
    }
}
