//! Capabilities of a program file (capabilities(7)).

use std::{io, path::Path};

use rustix::{
    fs::{StatVfsMountFlags, getxattr, statvfs},
    thread::CapabilitySet,
};

/// The extended attribute in which the kernel keeps them.
const ATTRIBUTE: &str = "security.capability";

/// The first word of `struct vfs_cap_data` (include/uapi/linux/capability.h, v6.18): revision and flags.
const REVISION: u32 = 0xff00_0000;
const REVISION_1: u32 = 0x0100_0000;
const REVISION_2: u32 = 0x0200_0000;
/// With the user that is root in the user namespace in which the capabilities count.
const REVISION_3: u32 = 0x0300_0000;
const EFFECTIVE: u32 = 1;

/// The capabilities that a process gets from its program file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileCapabilities {
    /// Those that the process may use.
    pub permitted: CapabilitySet,
    /// Whether they are effective from the start, which a program needs that does not raise them itself.
    pub effective: bool,
    /// Whether they count in one user namespace only.
    pub of_user_namespace: bool,
    /// Whether the file lies where the kernel ignores them: on a file system that is mounted with `nosuid`.
    pub is_ignored: bool,
}

impl FileCapabilities {
    /// The capabilities of a file; `None` if it has none.
    ///
    /// # Errors
    /// When they cannot be read, or the kernel wrote what this version does not know.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut value = [0; 64];
        let len = match getxattr(path, ATTRIBUTE, &mut value) {
            // ENOTSUP: this file system has no such attributes.
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => return Ok(None),
            len => len?,
        };
        let value = value.get(..len).unwrap_or_default();
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "an unknown form of capabilities");
        let capabilities = parse(value).ok_or_else(unknown)?;
        let is_ignored = statvfs(path).is_ok_and(|fs| fs.f_flag.contains(StatVfsMountFlags::NOSUID));
        Ok(Some(Self { is_ignored, ..capabilities }))
    }
}

/// Parses `struct vfs_cap_data` or `struct vfs_ns_cap_data`, which are little-endian.
fn parse(value: &[u8]) -> Option<FileCapabilities> {
    let (words, []) = value.as_chunks::<4>() else { return None };
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let (&first, sets) = words.split_first()?;
    // Permitted and inheritable ones, in turn.
    let (low, high) = match (first & REVISION, sets) {
        (REVISION_1, [low, _]) => (*low, 0),
        (REVISION_2, [low, _, high, _]) | (REVISION_3, [low, _, high, _, _]) => (*low, *high),
        _ => return None,
    };
    Some(FileCapabilities {
        permitted: CapabilitySet::from_bits_retain(u64::from(high) << 32 | u64::from(low)),
        effective: first & EFFECTIVE != 0,
        of_user_namespace: first & REVISION == REVISION_3,
        is_ignored: false,
    })
}

/// The names of capabilities, as `setcap` takes them; those that this version does not know by their number.
pub fn names(set: CapabilitySet) -> Vec<String> {
    let mut unknown = set.bits();
    let mut names = Vec::new();
    for (name, capability) in set.iter_names() {
        unknown &= !capability.bits();
        names.push(format!("cap_{}", name.to_ascii_lowercase()));
    }
    names.extend((0..64).filter(|bit| unknown >> bit & 1 != 0).map(|bit| format!("cap_{bit}")));
    names
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn all_revisions_are_read() {
        // What `setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw=ep` writes.
        let usual =
            parse(&bytes(&[REVISION_2 | EFFECTIVE, 1 << 12 | 1 << 13, 0, 1 << 6 | 1 << 7, 0])).unwrap();
        assert!(usual.effective && !usual.of_user_namespace);
        assert_eq!(names(usual.permitted), ["cap_net_admin", "cap_net_raw", "cap_perfmon", "cap_bpf"]);
        let of_namespace = parse(&bytes(&[REVISION_3, 1 << 13, 0, 0, 0, 1000])).unwrap();
        assert!(!of_namespace.effective && of_namespace.of_user_namespace);
        assert_eq!(names(of_namespace.permitted), ["cap_net_raw"]);
        let old = parse(&bytes(&[REVISION_1 | EFFECTIVE, 1, 0])).unwrap();
        assert_eq!(names(old.permitted), ["cap_chown"]);
    }

    #[test]
    fn what_is_not_known_is_no_guess() {
        for words in [
            &[][..],
            &[REVISION_2, 1, 0],
            &[REVISION_1, 1, 0, 0],
            &[REVISION_3, 1, 0, 0, 0],
            &[0x0400_0000, 1, 0, 0, 0],
        ] {
            assert_eq!(parse(&bytes(words)), None, "{words:x?}");
        }
        assert_eq!(parse(&bytes(&[REVISION_1, 1, 0])[..11]), None);
        assert_eq!(names(CapabilitySet::from_bits_retain(1 << 63 | 1)), ["cap_chown", "cap_63"]);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            first in prop_oneof![Just(REVISION_2), Just(REVISION_3), any::<u32>()],
            rest in vec(any::<u8>(), 0..40),
        ) {
            let value = [&first.to_le_bytes()[..], &rest].concat();
            if let Some(capabilities) = parse(&value) {
                prop_assert!(names(capabilities.permitted).len() <= 64);
            }
        }
    }
}
