//! `xdpdump extcap install`, `status` and `uninstall`, up to packets that an ordinary user captures with what they say. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;
use xdpdump_testing::{
    capture::xdpdump,
    files,
    netns::{NetNs, Traces},
    processes::Running,
    wait,
    wire::{self, Wire},
};

/// An ordinary user, who is in no group that matters.
const USER: u32 = 65534;

/// A copy of the tool, and a home for a user.
struct Place(TempDir);

impl Place {
    fn new(user: u32) -> Self {
        // Not in /tmp, where file capabilities may not count.
        let place = Self(tempfile::tempdir_in("/var/tmp").unwrap());
        fs::set_permissions(place.0.path(), PermissionsExt::from_mode(0o755)).unwrap();
        fs::create_dir(place.home()).unwrap();
        chown(place.home(), Some(user), Some(user)).unwrap();
        fs::create_dir(place.0.path().join("bin")).unwrap();
        // A copy by this process could still be open in a child of another test, and could not be executed then.
        assert!(Command::new("cp").arg(xdpdump()).arg(place.tool()).status().unwrap().success());
        place
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn tool(&self) -> PathBuf {
        self.0.path().join("bin/xdpdump")
    }

    /// A command of this user in this home; in a namespace, if there is one.
    fn command(&self, netns: Option<&NetNs>, user: u32, program: impl AsRef<Path>) -> Command {
        let mut command = match netns {
            Some(netns) => netns.command("setpriv"),
            None => Command::new("setpriv"),
        };
        // Debian lets a group run dumpcap, if it is asked to.
        let dumpcap = fs::metadata("/usr/bin/dumpcap").map_or(user, |metadata| metadata.gid());
        command.args([format!("--reuid={user}"), format!("--regid={user}"), format!("--groups={dumpcap}")]);
        command
            .arg("--inh-caps=-all")
            .arg(program.as_ref())
            .current_dir("/")
            .env("HOME", self.home())
            .env("TMPDIR", self.home());
        for variable in ["XDG_CONFIG_HOME", "WIRESHARK_CONFIG_DIR", "SUDO_USER"] {
            command.env_remove(variable);
        }
        command
    }

    fn extcap(&self, user: u32, arguments: &[&str]) -> Output {
        self.command(None, user, self.tool()).arg("extcap").args(arguments).output().unwrap()
    }

    /// The links in the home.
    fn links(&self) -> Vec<PathBuf> {
        let folders = [".config/wireshark/extcap", ".local/lib/wireshark/extcap"];
        let links = folders.iter().map(|folder| self.home().join(folder).join("xdpdump"));
        links.filter(|link| fs::symlink_metadata(link).is_ok()).collect()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn an_ordinary_user_gets_to_packets_with_what_is_printed() {
    let place = Place::new(USER);
    let output = place.extcap(USER, &["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("`xdpdump extcap install` changes that."), "{output:?}");

    let output = place.extcap(USER, &["install"]);
    assert!(output.status.success(), "{output:?}");
    let printed = text(&output.stdout);
    assert!(printed.contains(&format!("xdpdump leads to {} now.", place.tool().display())), "{printed}");
    let setcap = printed.lines().find_map(|line| line.trim().strip_prefix("sudo setcap ")).unwrap();
    assert_eq!(place.extcap(USER, &["status"]).status.code(), Some(1), "it cannot capture yet");

    let done = Command::new("sh").args(["-c", &format!("setcap {setcap}")]).status().unwrap();
    assert!(done.success());
    let output = place.extcap(USER, &["status"]);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("It can capture: it has the capabilities."), "{output:?}");

    let (left, right) = NetNs::quiet_pair("left", "right");
    let file = place.home().join("capture.pcapng");
    let mut command = place.command(Some(&right), USER, "tshark");
    command.args(["-i", "xdp:right", "-c", "3", "-w"]).arg(&file);
    let mut tshark = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait::until(|| right.traces("right").xdp || tshark.has_ended());
    let wire = Wire::open(&left, "left");
    (0..3).for_each(|number| wire.send(&wire::numbered(number)));
    tshark.wait();
    assert_eq!(files::read(&file).packets.len(), 3);
    wait::until_equal(&Traces::default(), || right.traces("right"));

    let output = place.extcap(USER, &["uninstall"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.links(), [] as [PathBuf; 0]);
    assert!(text(&place.extcap(USER, &["uninstall"]).stdout).contains(" is not there."));
}

/// sudo can keep HOME: root would make folders in it that belong to root.
#[test]
fn nothing_is_made_in_the_home_of_another_user() {
    let place = Place::new(USER);
    let output = place.extcap(0, &["install"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let wanted = format!("a folder of another user (number {USER}): run this without sudo");
    assert!(text(&output.stderr).contains(&wanted), "{output:?}");
    assert_eq!(fs::read_dir(place.home()).unwrap().count(), 0);

    let missing = place.home().join("missing");
    let mut command = place.command(None, USER, place.tool());
    let output = command.args(["extcap", "install"]).env("HOME", &missing).output().unwrap();
    assert!(text(&output.stderr).contains("missing, which is no folder"), "{output:?}");
    assert!(!missing.exists());
}

#[test]
fn what_is_not_ours_is_neither_replaced_nor_removed() {
    let place = Place::new(USER);
    assert!(place.extcap(USER, &["install"]).status.success());
    let links = place.links();
    for link in &links {
        fs::remove_file(link).unwrap();
        fs::write(link, "precious").unwrap();
    }
    for command in ["install", "uninstall"] {
        let output = place.extcap(USER, &[command]);
        assert_eq!(output.status.code(), Some(1));
        let stderr = text(&output.stderr);
        assert!(stderr.contains("is there already and is no link to an xdpdump"), "{stderr}");
    }
    assert!(text(&place.extcap(USER, &["status"]).stdout).contains("is no link to an xdpdump"));
    for link in &links {
        assert_eq!(fs::read_to_string(link).unwrap(), "precious");
        // One that leads to an earlier version is replaced.
        fs::remove_file(link).unwrap();
        symlink("/nowhere/xdpdump", link).unwrap();
    }
    let status = place.extcap(USER, &["status"]);
    assert!(text(&status.stdout).contains("leads to /nowhere/xdpdump, which does not exist"), "{status:?}");
    assert!(place.extcap(USER, &["install"]).status.success());
    for link in &links {
        assert_eq!(fs::canonicalize(link).unwrap(), fs::canonicalize(place.tool()).unwrap());
    }
}

/// A tshark of another version, which names these folders.
fn tshark_that_names(place: &Place, personal: &str, system: &Path) -> String {
    let folder = place.0.path().join("other");
    fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\nprintf 'Personal configuration:\\t/nowhere\\n{personal}Global Extcap path: \\t{}\\n'\n",
        system.display()
    );
    fs::write(folder.join("tshark"), script).unwrap();
    fs::set_permissions(folder.join("tshark"), PermissionsExt::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), env::var("PATH").unwrap())
}

#[test]
fn the_systems_folder_is_for_root_and_the_users_is_where_wireshark_says() {
    let place = Place::new(USER);
    let system = place.0.path().join("system/extcap");
    let personal = format!("Personal Extcap path: \\t{}/new/extcap\\n", place.home().display());
    let path = tshark_that_names(&place, &personal, &system);
    let extcap = |user, arguments: &[&str]| {
        let mut command = place.command(None, user, place.tool());
        command.env("PATH", &path).arg("extcap").args(arguments).output().unwrap()
    };
    let output = extcap(USER, &["install", "--system"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("without root's rights (try sudo)"), "{output:?}");
    assert!(!system.exists());

    let output = extcap(0, &["install", "--system"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!text(&output.stdout).contains("setcap"), "root needs no capabilities: {output:?}");
    assert_eq!(fs::canonicalize(system.join("xdpdump")).unwrap(), fs::canonicalize(place.tool()).unwrap());
    assert!(extcap(0, &["status"]).status.success());

    assert!(extcap(USER, &["install"]).status.success());
    assert!(place.home().join("new/extcap/xdpdump").exists());
    assert!(extcap(0, &["uninstall", "--system"]).status.success());
    assert!(!system.join("xdpdump").exists() && place.home().join("new/extcap/xdpdump").exists());
}
