//! Puts a link to the program into the folder where Wireshark looks for extcap programs, and says what it may do there.

use std::{
    env, fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{self, Command},
};

use rustix::{
    fs::{Access, access},
    process::geteuid,
    thread::CapabilitySet,
};

use crate::{
    printable::{printable, shell_word},
    privilege::{FileCapabilities, NEEDED, missing},
};

/// The name of the link, which is the name of the program that Wireshark starts.
const NAME: &str = "xdpdump";

/// Where the system's folder can be, if no Wireshark says so.
const SYSTEM_FOLDERS: [&str; 4] = [
    "/usr/lib/wireshark/extcap",
    "/usr/lib64/wireshark/extcap",
    "/usr/local/lib/wireshark/extcap",
    "/usr/libexec/wireshark/extcap",
];

/// Why the link could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no folder for it.
    #[error("no {0} folder for extcap programs is known: {1}")]
    NoFolder(&'static str, &'static str),
    /// Root would make folders that belong to root in somebody's home.
    #[error(
        "HOME is {home}, a folder of another user (number {1}): run this without sudo, or with --system for all users",
        home = printable(.0)
    )]
    HomeOfAnother(PathBuf, u32),
    /// There is no home.
    #[error("HOME is {}, which is no folder: set it to yours, or use --system", printable(.0))]
    NoHome(PathBuf),
    /// The program does not know where it is.
    #[error("cannot find the file of this program, which the link is to lead to")]
    NoProgram(#[source] io::Error),
    /// Something else has the name.
    #[error("{} is there already and is no link to an xdpdump: remove it or rename it", printable(.0))]
    Taken(PathBuf),
    /// The link could not be made.
    #[error("cannot put a link into {}{}", printable(.0), as_root(.1))]
    Link(PathBuf, #[source] io::Error),
    /// The link could not be removed.
    #[error("cannot remove {}{}", printable(.0), as_root(.1))]
    Remove(PathBuf, #[source] io::Error),
}

/// What to do about a folder that only root may write in.
fn as_root(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied { " without root's rights (try sudo)" } else { "" }
}

/// The folders in which Wireshark looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Folders {
    /// Of the user; several if it is not known which version is installed.
    personal: Vec<PathBuf>,
    /// Of all users.
    system: Vec<PathBuf>,
    /// Whether a Wireshark said so.
    is_told: bool,
}

impl Folders {
    fn find() -> Self {
        let told = Command::new("tshark").args(["-G", "folders"]).output().ok();
        let told = told.filter(|output| output.status.success());
        let told = told.map(|output| Self::parse(&String::from_utf8_lossy(&output.stdout)));
        told.filter(|folders| *folders != Self::default()).unwrap_or_else(Self::usual)
    }

    /// Reads what `tshark -G folders` prints. Until version 4.0 it does not name the user's folder, which is below the one with
    /// the user's settings.
    fn parse(text: &str) -> Self {
        let mut folders = Self { is_told: true, ..Self::default() };
        let mut settings = None;
        for (name, path) in text.lines().filter_map(|line| line.split_once(':')) {
            let path = PathBuf::from(path.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                _ if !path.is_absolute() => {}
                "personal extcap path" => folders.personal.push(path),
                "extcap path" | "global extcap path" => folders.system.push(path),
                "personal configuration" => settings = Some(path),
                _ => {}
            }
        }
        if folders.personal.is_empty() && !folders.system.is_empty() {
            folders.personal.extend(settings.map(|settings| settings.join("extcap")));
        }
        if folders.system.is_empty() && folders.personal.is_empty() { Self::default() } else { folders }
    }

    /// The folders of the versions there are.
    fn usual() -> Self {
        let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let personal = |home: PathBuf| {
            // From version 4.2 on, and before.
            [home.join(".local/lib/wireshark/extcap"), home.join(".config/wireshark/extcap")].to_vec()
        };
        let of_debian = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let of_debian = of_debian.map(|entry| entry.path().join("wireshark/extcap"));
        let system = of_debian.chain(SYSTEM_FOLDERS.map(PathBuf::from)).filter(|folder| folder.is_dir());
        Self { personal: home.map(personal).unwrap_or_default(), system: system.collect(), is_told: false }
    }

    fn of(self, system: bool) -> Result<Vec<PathBuf>, Error> {
        let folders = if system { self.system } else { self.personal };
        match (folders.is_empty(), system) {
            (false, _) => Ok(folders),
            (true, true) => Err(Error::NoFolder("system", "install Wireshark first")),
            (true, false) => Err(Error::NoFolder("personal", "set HOME, or use --system")),
        }
    }
}

/// What is at the place of the link.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A link to this program.
    This,
    /// A link to another xdpdump, or to one that is gone.
    Another(PathBuf),
    /// Something that is not ours.
    Foreign,
}

impl Found {
    fn at(link: &Path, program: &Path) -> Self {
        match fs::read_link(link) {
            Ok(target) if fs::canonicalize(link).is_ok_and(|there| there == program) || target == program => {
                Self::This
            }
            Ok(target) if target.file_name().is_some_and(|name| name == NAME) => Self::Another(target),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Nothing,
            // Also a file, which is EINVAL.
            Ok(_) | Err(_) => Self::Foreign,
        }
    }
}

/// The file of this program.
fn program() -> Result<PathBuf, Error> {
    env::current_exe().and_then(fs::canonicalize).map_err(Error::NoProgram)
}

/// Makes the link; returns what to print.
///
/// # Errors
/// When there is no place for it, or it cannot be made.
pub fn install(system: bool) -> Result<String, Error> {
    let program = program()?;
    if !system {
        check_home()?;
    }
    let folders = Folders::find();
    let is_told = folders.is_told;
    let mut lines = Vec::new();
    for folder in folders.of(system)? {
        lines.push(put(&folder, &program)?);
    }
    if !is_told {
        lines.push(
            "No tshark says where Wireshark looks, so these are the usual folders; after installing Wireshark \
             `xdpdump extcap status` says whether it finds them."
                .to_owned(),
        );
    }
    if !system && geteuid().is_root() && env::var_os("SUDO_USER").is_some() {
        lines.push(
            "This is root's folder: without sudo it is yours, and with --system it is that of all users."
                .to_owned(),
        );
    }
    lines.extend(rights(&program));
    lines.push(
        "Wireshark lists the interfaces as \"XDP on …\" after Capture > Refresh Interfaces (F5).".to_owned(),
    );
    Ok(text(&lines))
}

/// Refuses a home in which this user should make no folders.
fn check_home() -> Result<(), Error> {
    let Some(home) = env::var_os("HOME").map(PathBuf::from) else { return Ok(()) };
    match home.metadata() {
        Ok(folder) if folder.is_dir() && folder.uid() == geteuid().as_raw() => Ok(()),
        Ok(folder) if folder.is_dir() => Err(Error::HomeOfAnother(home, folder.uid())),
        _ => Err(Error::NoHome(home)),
    }
}

/// Makes the link in one folder, or finds that it is there.
fn put(folder: &Path, program: &Path) -> Result<String, Error> {
    let link = folder.join(NAME);
    let (shown, leads) = (printable(&link), printable(program));
    let error = |source| Error::Link(folder.to_owned(), source);
    match Found::at(&link, program) {
        Found::This => return Ok(format!("{shown} leads to {leads} already.")),
        Found::Foreign => return Err(Error::Taken(link)),
        Found::Nothing | Found::Another(_) => {}
    }
    fs::create_dir_all(folder).map_err(error)?;
    // In one step, so that there is always a whole link.
    let new = folder.join(format!(".{NAME}-{}", process::id()));
    let made = symlink(program, &new).and_then(|()| fs::rename(&new, &link));
    made.inspect_err(|_| drop(fs::remove_file(&new))).map_err(error)?;
    Ok(format!("{shown} leads to {leads} now."))
}

/// Removes links to an xdpdump; returns what to print.
///
/// # Errors
/// When one cannot be removed.
pub fn uninstall(system: bool) -> Result<String, Error> {
    let program = program()?;
    let mut lines = Vec::new();
    for folder in Folders::find().of(system)? {
        let link = folder.join(NAME);
        let shown = printable(&link);
        lines.push(match Found::at(&link, &program) {
            Found::Nothing => format!("{shown} is not there."),
            Found::Foreign => return Err(Error::Taken(link)),
            Found::This | Found::Another(_) => {
                fs::remove_file(&link).map_err(|source| Error::Remove(link, source))?;
                format!("{shown} is removed.")
            }
        });
    }
    Ok(text(&lines))
}

/// Where the program is installed, and whether it can capture there.
#[derive(Clone, Debug)]
pub struct Status {
    /// What to print.
    pub text: String,
    /// Whether Wireshark finds this program, and it may capture.
    pub is_usable: bool,
}

/// Looks where the program is installed.
///
/// # Errors
/// When it does not know where its file is.
pub fn status() -> Result<Status, Error> {
    let program = program()?;
    let folders = Folders::find();
    let mut lines = Vec::new();
    let mut is_there = false;
    let personal = folders.personal.iter().map(|folder| (folder, "personal"));
    for (folder, whose) in personal.chain(folders.system.iter().map(|folder| (folder, "system"))) {
        let link = folder.join(NAME);
        let found = match Found::at(&link, &program) {
            Found::Nothing => "not there".to_owned(),
            Found::This => {
                is_there = true;
                "leads to this program".to_owned()
            }
            Found::Another(target) if link.exists() => {
                format!("leads to another program, {}", printable(target))
            }
            Found::Another(target) => format!("leads to {}, which does not exist", printable(target)),
            Found::Foreign => "is no link to an xdpdump".to_owned(),
        };
        lines.push(format!("{whose}: {}: {found}", printable(&link)));
    }
    if !is_there {
        lines.push("Wireshark does not list this program: `xdpdump extcap install` changes that.".to_owned());
    }
    let obstacles = rights(&program);
    let is_usable = is_there && obstacles.is_empty();
    if obstacles.is_empty() {
        lines.push(if geteuid().is_root() && !may_capture(&program) {
            "It can capture for root, who runs this; it has no file capabilities for other users.".to_owned()
        } else {
            "It can capture: it has the capabilities.".to_owned()
        });
    }
    lines.extend(obstacles);
    Ok(Status { text: text(&lines), is_usable })
}

/// Whether Wireshark lists this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It does, because of this link.
    Here(PathBuf),
    /// This link leads elsewhere: to another version, or to one that is gone.
    Elsewhere(PathBuf, PathBuf),
    /// It does not.
    Nowhere,
    /// There is no Wireshark that could.
    NoWireshark,
}

/// Looks in Wireshark's usual folders, without asking Wireshark where they are, which takes longer.
///
/// # Errors
/// When the program does not know where its file is.
pub fn listing() -> Result<Listing, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_in_path = |name: &str| env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if !["wireshark", "tshark", "dumpcap"].into_iter().any(is_in_path) {
        return Ok(Listing::NoWireshark);
    }
    let program = program()?;
    let folders = Folders::usual();
    let mut listing = Listing::Nowhere;
    for folder in folders.personal.iter().chain(&folders.system) {
        let link = folder.join(NAME);
        match Found::at(&link, &program) {
            Found::This => return Ok(Listing::Here(link)),
            Found::Another(target) => listing = Listing::Elsewhere(link, target),
            Found::Nothing | Found::Foreign => {}
        }
    }
    Ok(listing)
}

/// Whether the program's file gives the capabilities that a capture needs, promiscuous mode included.
fn may_capture(program: &Path) -> bool {
    matches!(FileCapabilities::of(program), Ok(Some(file)) if lacks(&file).is_empty() && file.effective && !file.is_ignored)
}

/// The capabilities that a file lacks for captures in promiscuous mode.
fn lacks(file: &FileCapabilities) -> Vec<&'static str> {
    let mut lacks = missing(file.permitted);
    lacks.extend((!file.permitted.contains(CapabilitySet::NET_RAW)).then_some("cap_net_raw"));
    lacks
}

/// What keeps the program from capturing when Wireshark starts it, and what to do. For root, nothing does.
fn rights(program: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    if !geteuid().is_root() {
        lines.extend(capabilities(program, FileCapabilities::of(program).ok().flatten()));
    }
    lines.extend(execution(program));
    lines.extend(dumpcap());
    lines
}

/// What capabilities the file lacks. Wireshark's own rights do not count: it starts extcap programs without them.
fn capabilities(program: &Path, found: Option<FileCapabilities>) -> Option<String> {
    let names: Vec<_> = NEEDED.iter().map(|(_, name)| *name).chain(["cap_net_raw"]).collect();
    let setcap = format!("  sudo setcap {}=ep {}", names.join(","), shell_word(program));
    let shown = printable(program);
    match found {
        Some(file) if file.is_ignored => Some(format!(
            "It cannot capture: {shown} has capabilities, but lies on a file system mounted with nosuid, where they do \
             not count. Install it elsewhere."
        )),
        Some(file) if lacks(&file).is_empty() && file.effective => None,
        Some(file) if lacks(&file).is_empty() => Some(format!(
            "It cannot capture yet: the capabilities of {shown} are not effective from the start. This gives it what it \
             needs:\n{setcap}"
        )),
        Some(file) => Some(format!(
            "It cannot capture yet: {shown} lacks {}. This gives it what it needs:\n{setcap}",
            lacks(&file).join(", ")
        )),
        None => Some(format!(
            "It cannot capture yet: {shown} has no capabilities, and only root can capture without. This gives it what it \
             needs:\n{setcap}"
        )),
    }
}

/// A program of which only a group may make use.
fn execution(program: &Path) -> Option<String> {
    let metadata = fs::metadata(program).ok()?;
    let is_for_a_group = metadata.permissions().mode() & 0o011 == 0o010;
    let group = group_name(metadata.gid()).unwrap_or_else(|| metadata.gid().to_string());
    let shown = printable(program);
    (is_for_a_group && !geteuid().is_root() && access(program, Access::EXEC_OK).is_err()).then(|| {
        format!(
            "Only the group {group} may run {shown}: `sudo usermod -aG {} USER`, then log in again.",
            shell_word(&group)
        )
    })
}

/// Whether the user may not run dumpcap, through which Wireshark reads every capture.
fn dumpcap() -> Option<String> {
    let path = env::var_os("PATH")?;
    let dumpcap = env::split_paths(&path).map(|folder| folder.join("dumpcap")).find(|file| file.is_file())?;
    if access(&dumpcap, Access::EXEC_OK).is_ok() {
        return None;
    }
    let group = group_name(fs::metadata(&dumpcap).ok()?.gid())?;
    Some(format!(
        "You may not run {}, through which Wireshark reads every capture: `sudo usermod -aG {} \"$USER\"`, then log in again.",
        printable(&dumpcap),
        shell_word(&group)
    ))
}

/// The name of a group (group(5)).
fn group_name(id: u32) -> Option<String> {
    let groups = fs::read("/etc/group").ok()?;
    String::from_utf8_lossy(&groups).lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| printable(name))
    })
}

fn text(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_both_versions_are_understood() {
        let old = "Temp:                \t/tmp\nPersonal configuration:\t/home/a/.config/wireshark\n\
                   Extcap path:         \t/usr/lib/x86_64-linux-gnu/wireshark/extcap\n";
        let system = vec![PathBuf::from("/usr/lib/x86_64-linux-gnu/wireshark/extcap")];
        assert_eq!(
            Folders::parse(old),
            Folders {
                personal: vec!["/home/a/.config/wireshark/extcap".into()],
                system: system.clone(),
                is_told: true
            }
        );
        let new = "Personal configuration:\t/home/a/.config/wireshark\n\
                   Personal Extcap path:\t/home/a/.local/lib/wireshark/extcap\n\
                   Global Extcap path: \t/usr/lib/x86_64-linux-gnu/wireshark/extcap\n";
        assert_eq!(
            Folders::parse(new),
            Folders { personal: vec!["/home/a/.local/lib/wireshark/extcap".into()], system, is_told: true }
        );
        assert_eq!(Folders::parse("Extcap path: relative\nnonsense"), Folders::default());
    }

    #[test]
    fn only_links_to_an_xdpdump_are_ours() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let program = root.join("xdpdump");
        fs::write(&program, "").unwrap();
        let place = root.join("place");
        let link = place.join(NAME);
        assert_eq!(Found::at(&link, &program), Found::Nothing);
        assert!(put(&place, &program).unwrap().ends_with(" now."));
        assert!(put(&place, &program).unwrap().ends_with(" already."));
        assert_eq!(Found::at(&link, &program), Found::This);
        // Another version, or one that is gone, is replaced.
        fs::remove_file(&link).unwrap();
        symlink("/nowhere/xdpdump", &link).unwrap();
        assert_eq!(Found::at(&link, &program), Found::Another("/nowhere/xdpdump".into()));
        put(&place, &program).unwrap();
        assert_eq!(fs::canonicalize(&link).unwrap(), program);
        for make in [|link: &Path| fs::write(link, ""), |link: &Path| symlink("/bin/true", link)] {
            fs::remove_file(&link).unwrap();
            make(&link).unwrap();
            assert!(matches!(put(&place, &program), Err(Error::Taken(_))));
            assert!(fs::symlink_metadata(&link).is_ok());
        }
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1, "no other file is left");
    }

    #[test]
    fn what_the_file_lacks_is_named_with_the_command() {
        let file = FileCapabilities {
            permitted: CapabilitySet::NET_ADMIN
                | CapabilitySet::BPF
                | CapabilitySet::PERFMON
                | CapabilitySet::NET_RAW,
            effective: true,
            of_user_namespace: false,
            is_ignored: false,
        };
        let program = Path::new("/opt/my tools/xdpdump");
        assert_eq!(capabilities(program, Some(file)), None);
        let setcap =
            "\n  sudo setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw=ep '/opt/my tools/xdpdump'";
        let without_raw = FileCapabilities { permitted: file.permitted - CapabilitySet::NET_RAW, ..file };
        for (found, words) in [
            (None, "has no capabilities"),
            (Some(without_raw), "lacks cap_net_raw."),
            (Some(FileCapabilities { effective: false, ..file }), "not effective"),
        ] {
            let line = capabilities(program, found).unwrap();
            assert!(line.contains(words) && line.ends_with(setcap), "{line}");
        }
        let ignored = capabilities(program, Some(FileCapabilities { is_ignored: true, ..file })).unwrap();
        assert!(ignored.contains("nosuid") && !ignored.contains("setcap"), "{ignored}");
    }
}
