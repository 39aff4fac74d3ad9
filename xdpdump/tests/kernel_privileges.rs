//! As whom a capture runs, what it gives up when it has begun, and to whom its files belong. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use tempfile::TempDir;
use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    files, kernel,
    netns::Traces,
    scene::Scene,
    wait,
};

/// The number of the user `nobody`, and of its group.
const NOBODY: u32 = 65534;

/// A folder with these permissions and this owner.
fn folder(mode: u32, owner: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(owner), Some(owner)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
    folder
}

/// A capture of `right` into a file, as root.
fn command(scene: &Scene, file: &Path, options: &[&str]) -> Command {
    let mut command = scene.right.command(xdpdump());
    command.env_remove("SUDO_UID").args(["-i", "right", "-w"]).arg(file).args(options);
    command
}

fn start(command: &mut Command) -> Capture {
    let mut capture = Capture::spawn(command);
    capture.wait_for("listening on ");
    capture
}

/// A field of `/proc/PID/status`.
fn status(capture: &Capture, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{}/status", capture.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The numbers of the capabilities that it can still use.
fn capabilities(capture: &Capture) -> Vec<u32> {
    let sets = ["CapPrm", "CapEff"].map(|set| u64::from_str_radix(&status(capture, set), 16).unwrap());
    assert_eq!(sets[0], sets[1], "none can be taken back");
    (0..64).filter(|number| sets[0] & (1 << number) != 0).collect()
}

/// Sends frames, ends the capture, and checks that all of them are in the file. Returns what the capture said.
fn finish(scene: &Scene, capture: Capture, file: &Path) -> String {
    scene.send_numbered(5);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(5, 0));
    assert_eq!(files::read(file).packets.len(), 5);
    wait::until_equal(&Traces::default(), || scene.right.traces("right"));
    ended.stderr
}

fn owner_and_mode(path: &Path) -> (u32, u32) {
    let metadata = path.metadata().unwrap();
    (metadata.uid(), metadata.mode() & 0o7777)
}

const CAP_NET_ADMIN: u32 = 12;
const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// Those that this kernel makes every capture keep.
fn always_kept() -> Vec<u32> {
    let paranoid = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap();
    let root_only = paranoid.trim().parse::<i32>().unwrap() > 2;
    let mut kept = if root_only { vec![CAP_SYS_ADMIN, CAP_PERFMON] } else { vec![CAP_PERFMON] };
    if !kernel::is_at_least(5, 19)
        && fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled").unwrap().trim() != "0"
    {
        kept.push(CAP_BPF);
    }
    kept
}

#[test]
fn a_capture_keeps_only_what_it_needs() {
    for &transport in kernel::transports() {
        for (options, more) in [
            (&[][..], &[][..]),
            (&["-S"], &[]),
            (&["-i", "any", "-p"], &[CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF]),
        ] {
            let scene = Scene::new();
            let mut tool = scene.right.command(xdpdump());
            let interface = if options.contains(&"any") { &[][..] } else { &["-i", "right"] };
            tool.args(interface).args(["-v", "--transport", transport, "-w"]).arg(scene.file()).args(options);
            let mut capture = Capture::spawn(tool.env_remove("SUDO_UID"));
            let said = capture.wait_for("from here on: capabilities ");
            assert!(said.contains("cap_perfmon") && said.contains("no new ones"), "{said}");
            capture.wait_for("listening on right");
            let mut expected = [&always_kept(), more].concat();
            if transport == "perf" {
                expected.push(CAP_IPC_LOCK);
            }
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(capabilities(&capture), expected, "{transport} {options:?}");
            assert_eq!(status(&capture, "NoNewPrivs"), "1");
            let inherited = u64::from_str_radix(&status(&capture, "CapBnd"), 16).unwrap();
            assert_eq!(inherited.count_ones() as usize, expected.len(), "what it starts has no more");
            finish(&scene, capture, &scene.file());
        }
    }
}

/// The guardian, which is started again, is this program too.
#[test]
fn what_a_capture_starts_has_no_capabilities() {
    let scene = Scene::new();
    let mut capture = start(&mut command(&scene, &scene.file(), &[]));
    let guardian = |capture: &Capture| {
        let path = format!("/proc/{0}/task/{0}/children", capture.pid());
        fs::read_to_string(path).unwrap().split_whitespace().next().map(|pid| pid.parse::<i32>().unwrap())
    };
    for round in 0..2 {
        wait::until(|| guardian(&capture).is_some());
        let pid = guardian(&capture).unwrap();
        let effective = || {
            let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            text.lines().any(|line| line.starts_with("CapEff:") && line.ends_with(&"0".repeat(16)))
        };
        wait::until(effective);
        if round == 0 {
            thread::sleep(Duration::from_secs(1));
            Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
            capture.wait_for("the guardian process was killed: another one was started");
        }
    }
    finish(&scene, capture, &scene.file());
}

#[test]
fn another_user_owns_process_and_file() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        let place = folder(0o700, NOBODY);
        let file = place.path().join("out.pcapng");
        let mut capture =
            Capture::spawn(&mut command(&scene, &file, &["-v", "-Z", "nobody", "--transport", transport]));
        capture.wait_for("running as the user nobody from here on");
        capture.wait_for("listening on ");
        let inherited = u64::from_str_radix(&status(&capture, "CapBnd"), 16).unwrap();
        assert!(inherited.count_ones() < 8, "{inherited:x}");
        assert_eq!(status(&capture, "Uid"), format!("{NOBODY} {NOBODY} {NOBODY} {NOBODY}"));
        assert_eq!(status(&capture, "Gid"), format!("{NOBODY} {NOBODY} {NOBODY} {NOBODY}"));
        assert!(!capabilities(&capture).contains(&1), "CAP_DAC_OVERRIDE");
        assert_eq!(owner_and_mode(&file), (NOBODY, 0o600));
        finish(&scene, capture, &file);
    }
}

/// As on NFS, where root is nobody in particular.
#[test]
fn a_file_is_written_where_root_may_not() {
    let scene = Scene::new();
    let place = folder(0o700, NOBODY);
    let file = place.path().join("out.pcapng");
    let restricted = |options: &[&str]| {
        let mut command = scene.right.command("setpriv");
        command.args(["--bounding-set", "-dac_override,-dac_read_search", xdpdump(), "-i", "right", "-w"]);
        command.arg(&file).args(options).env_remove("SUDO_UID");
        command
    };
    let refused = Capture::spawn(&mut restricted(&[])).wait().failure().to_owned();
    assert!(refused.starts_with("cannot open ") && refused.contains("permission denied"), "{refused}");
    finish(&scene, start(&mut restricted(&["-Z", "nobody"])), &file);
    assert_eq!(owner_and_mode(&file).0, NOBODY);
}

#[test]
fn who_called_sudo_owns_the_file() {
    let sudo = |command: &mut Command| {
        command.env("SUDO_UID", NOBODY.to_string()).env("SUDO_GID", NOBODY.to_string());
    };
    // His own folder, one where only root may write, and one where only root may look.
    for (mode, owner) in [(0o700, NOBODY), (0o755, 0), (0o700, 0)] {
        let scene = Scene::new();
        let place = folder(mode, owner);
        let file = place.path().join("out.pcapng");
        let mut tool = command(&scene, &file, &[]);
        sudo(&mut tool);
        let capture = start(&mut tool);
        assert_eq!(status(&capture, "Uid"), format!("{NOBODY} {NOBODY} {NOBODY} {NOBODY}"));
        assert!(!capabilities(&capture).contains(&1), "CAP_DAC_OVERRIDE");
        // It looks after its file once a second.
        thread::sleep(Duration::from_millis(1500));
        let said = finish(&scene, capture, &file);
        assert!(!said.contains("renamed"), "{said}");
        assert_eq!(owner_and_mode(&file), (NOBODY, 0o600));
    }
    let scene = Scene::new();
    let mut tool = command(&scene, &scene.file(), &["-Z", "root"]);
    sudo(&mut tool);
    let capture = start(&mut tool);
    assert_eq!(status(&capture, "Uid"), "0 0 0 0");
    finish(&scene, capture, &scene.file());
    assert_eq!(owner_and_mode(&scene.file()), (0, 0o600));
}

#[test]
fn a_file_that_is_written_from_another_one_belongs_to_who_called_sudo() {
    let scene = Scene::new();
    finish(&scene, start(&mut command(&scene, &scene.file(), &[])), &scene.file());
    let place = folder(0o700, NOBODY);
    let file = place.path().join("copy.pcapng");
    let mut tool = Command::new(xdpdump());
    tool.arg("-r").arg(scene.file()).arg("-w").arg(&file);
    tool.env("SUDO_UID", NOBODY.to_string()).env("SUDO_GID", NOBODY.to_string());
    let output = tool.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(owner_and_mode(&file), (NOBODY, 0o600));
    assert_eq!(files::read(&file).packets.len(), 5);
}

#[test]
fn wrong_users_are_refused() {
    let scene = Scene::new();
    let place = folder(0o700, 0);
    let file = place.path().join("out.pcapng");
    let failure =
        |options: &[&str]| Capture::spawn(&mut command(&scene, &file, options)).wait().failure().to_owned();
    assert_eq!(
        failure(&["-Z", "nobody-at-all"]),
        "no user is called \"nobody-at-all\": -Z takes the name or number of one, -Z root changes nothing"
    );
    for wrong in ["abc", "-1"] {
        let failure =
            Capture::spawn(command(&scene, &file, &[]).env("SUDO_UID", wrong)).wait().failure().to_owned();
        assert!(failure.starts_with(&format!("the variable SUDO_UID is \"{wrong}\"")), "{failure}");
    }
    let refused = failure(&["-Z", "nobody"]);
    assert!(refused.starts_with("as the user nobody: cannot open "), "{refused}");
    assert!(!file.exists());
    assert_eq!(scene.right.traces("right"), Traces::default());
}

#[test]
fn new_files_are_for_their_owner_and_others_stay_as_they_are() {
    let scene = Scene::new();
    let path = |name: &str| scene.directory.path().join(name);
    fs::write(path("existing"), "").unwrap();
    fs::set_permissions(path("existing"), Permissions::from_mode(0o604)).unwrap();
    for (name, options, mode) in
        [("new", &[][..], 0o600), ("group", &["--group-readable"], 0o640), ("existing", &[], 0o604)]
    {
        let capture = start(&mut command(&scene, &path(name), options));
        finish(&scene, capture, &path(name));
        assert_eq!(owner_and_mode(&path(name)).1, mode, "{name}");
    }
}

/// A named pipe of the user `nobody`, into which anybody may write.
fn pipe_of_nobody(path: &Path) {
    assert!(Command::new("mkfifo").args(["-m", "666"]).arg(path).status().unwrap().success());
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
}

/// Links of others are refused also where the kernel would follow them.
#[test]
fn what_another_user_planted_is_neither_followed_nor_written() {
    let scene = Scene::new();
    let place = folder(0o1777, 0);
    let path = |name: &str| place.path().join(name);
    let victim: PathBuf = scene.directory.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, path("link")).unwrap();
    std::os::unix::fs::lchown(path("link"), Some(NOBODY), Some(NOBODY)).unwrap();
    fs::write(path("file"), "his").unwrap();
    std::os::unix::fs::chown(path("file"), Some(NOBODY), Some(NOBODY)).unwrap();
    pipe_of_nobody(&path("pipe"));
    for (name, what) in
        [("link", "a link that was made by"), ("file", "a file of"), ("pipe", "a named pipe of")]
    {
        let refused = Capture::spawn(&mut command(&scene, &path(name), &[])).wait().failure().to_owned();
        let wanted = format!(
            "it is {what} another user (number {NOBODY}) in a folder where everybody may create files"
        );
        assert!(refused.contains(&wanted), "{refused}");
    }
    let repaired = Command::new(xdpdump()).arg("repair").arg(path("link")).output().unwrap();
    assert_eq!(repaired.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&repaired.stderr).contains("a link that was made by another user"));
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert_eq!(fs::read(path("file")).unwrap(), b"his");
    // One's own link is followed.
    symlink(&victim, path("own")).unwrap();
    finish(&scene, start(&mut command(&scene, &path("own"), &[])), &victim);
}

/// The capabilities that the README names, on the program file.
#[test]
fn an_ordinary_user_captures_with_file_capabilities() {
    let scene = Scene::new();
    let place = folder(0o755, NOBODY);
    let tool = place.path().join("xdpdump");
    // A copy by this process could still be open in a child of another test, and could not be executed then.
    assert!(Command::new("cp").arg(xdpdump()).arg(&tool).status().unwrap().success());
    let granted =
        Command::new("setcap").arg("cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw=ep").arg(&tool).status();
    assert!(granted.expect("setcap runs (package libcap2-bin)").success());
    let file = place.path().join("out.pcapng");
    let user = NOBODY.to_string();
    let mut command = scene.right.command("setpriv");
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(&tool);
    command.args(["-i", "right", "-w"]).arg(&file);
    if !kernel::is_at_least(5, 11) {
        // What a user may lock counts there, and Debian's kernel wants root for perf rings.
        xdpdump_testing::skip::because("before Linux 5.11 this needs more capabilities");
        return;
    }
    let capture = start(&mut command);
    assert_eq!(status(&capture, "Uid"), format!("{NOBODY} {NOBODY} {NOBODY} {NOBODY}"));
    assert_eq!(
        capabilities(&capture),
        always_kept().into_iter().filter(|one| *one != CAP_SYS_ADMIN).collect::<Vec<_>>()
    );
    assert!(scene.right.traces("right").promiscuity > 0);
    finish(&scene, capture, &file);
    assert_eq!(owner_and_mode(&file), (NOBODY, 0o600));
}
