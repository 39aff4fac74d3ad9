//! Opens a file by its name for writing, and creates it if it does not exist.

use std::{
    fs::{self, File, Metadata, Permissions},
    io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

/// As many symbolic links as the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Mode bits of a folder in which everybody may create files, and delete only his own (chmod(2)).
const STICKY_FOR_ALL: u32 = 0o1002;

/// Who may read a file that is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// Its owner.
    #[default]
    Owner,
    /// Its owner and its group.
    Group,
}

/// Opens a file, or creates it for these readers. An existing file keeps its permissions and its content.
///
/// A link that another user put into a folder in which everybody may create files, such as `/tmp`, is not followed, and a file of
/// his there is not opened: he could choose which file is overwritten, and read what is captured. Linux does the same if
/// `fs.protected_symlinks` and `fs.protected_regular` are set (Documentation/admin-guide/sysctl/fs.rst, v6.18).
///
/// # Errors
/// The error of the system call, or a sentence that says whose file it is.
pub fn open(path: &Path, readers: Readers) -> io::Result<File> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match open_one(&path, readers) {
            // O_NOFOLLOW met a link.
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => path = followed(&path)?,
            result => return result,
        }
    }
    Err(io::Error::from_raw_os_error(libc::ELOOP))
}

/// Follows the links of a name, as far as that may be done, to the last of them or to what is there. What is there may be opened if
/// nobody planted it, see [`open`]; it need not exist.
///
/// # Errors
/// As [`open`].
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = followed(&path)?,
            Ok(metadata) if metadata.is_file() => return check(&path, &metadata, "a file of").map(|()| path),
            Ok(metadata) if metadata.file_type().is_fifo() => {
                return check(&path, &metadata, "a named pipe of").map(|()| path);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ELOOP))
}

/// Opens or creates a file whose last name is no link.
fn open_one(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).custom_flags(libc::O_NOFOLLOW);
    // O_EXCL does not follow a link either, but says that something is there.
    match options.clone().create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Ok(file) => {
            if readers == Readers::Group {
                file.set_permissions(Permissions::from_mode(0o640))?;
            }
            return Ok(file);
        }
        Err(error) => return Err(error),
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        check(path, &metadata, "a file of")?;
    }
    Ok(file)
}

/// The path that a link points to, if it may be followed.
fn followed(link: &Path) -> io::Result<PathBuf> {
    check(link, &fs::symlink_metadata(link)?, "a link that was made by")?;
    Ok(folder(link).join(fs::read_link(link)?))
}

/// Refuses what another user put into a folder in which everybody may create files.
fn check(path: &Path, metadata: &Metadata, what: &str) -> io::Result<()> {
    let folder = folder(path).metadata()?;
    let owner = metadata.uid();
    let is_his = owner != geteuid().as_raw() && owner != folder.uid();
    if folder.mode() & STICKY_FOR_ALL == STICKY_FOR_ALL && is_his {
        return Err(io::Error::other(format!(
            "it is {what} another user (number {owner}) in a folder where everybody may create files: choose another name"
        )));
    }
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
