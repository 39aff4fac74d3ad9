//! Programs that can be run.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

/// Whether execvp(3) finds a program of this name, or at this path.
pub fn is_there(name: &OsStr) -> bool {
    let is_program = |path: &Path| access(path, Access::EXEC_OK).is_ok() && path.is_file();
    if name.is_empty() {
        return false;
    }
    if name.as_encoded_bytes().contains(&b'/') {
        return is_program(Path::new(name));
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).map(|folder| folder.join(name)).any(|path: PathBuf| is_program(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_they_are_looked_for() {
        for name in ["sh", "/bin/sh"] {
            assert!(is_there(OsStr::new(name)), "{name}");
        }
        for name in ["", "no-such-program", "/bin", "/etc/passwd", "/no/such"] {
            assert!(!is_there(OsStr::new(name)), "{name}");
        }
    }
}
