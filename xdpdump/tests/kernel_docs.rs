//! Every command in the README and in `docs/` runs as it is written, with the tools that it names.
//!
//! The commands are the lines of code blocks. A block that begins with ```` ```sh ```` is run, line by line, in a network
//! namespace in which `eth4` and `eth5` receive traffic; one with ```` ```sh parse ```` takes hardware or a kernel that is
//! not everywhere, so its command lines are only parsed; one with ```` ```console ```` shows output, or changes the system.
//!
//! Needs root. A window and another machine are not here: `wireshark` is tshark, and `ssh root@server` runs its command
//! here; so does `kubectl exec`, in the place of a pod. `duckdb` is DuckDB's Python module, from PyPI, if the program is not installed. A capture that would go on ends after 40 packets, or gets Ctrl-C after ten seconds.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use xdpdump::cli;
use xdpdump_testing::{
    capture::xdpdump as tool,
    netns::NetNs,
    skip, wait,
    wire::{self, Wire},
};

/// How a code block is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Run,
    Parse,
    Shown,
}

/// The command lines of a page, with their line numbers.
fn commands(page: &Path) -> Vec<(Kind, usize, String)> {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let (mut commands, mut block) = (Vec::new(), None);
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix("```"), block) {
            (Some(""), Some(_)) => block = None,
            (Some(info), None) => {
                block = Some(match info {
                    "sh" => Kind::Run,
                    "sh parse" => Kind::Parse,
                    "console" => Kind::Shown,
                    _ => panic!("{}:{number}: how is a block of {info:?} tested?", page.display()),
                });
            }
            (Some(_), Some(_)) => panic!("{}:{number}: a block in a block", page.display()),
            (None, Some(kind)) if !line.is_empty() => commands.push((kind, number, line.to_owned())),
            (None, Some(_)) => {}
            (None, None) => assert!(
                !line.starts_with("    xdpdump -"),
                "{}:{number}: a command that no test would run",
                page.display()
            ),
        }
    }
    assert_eq!(block, None, "{}: a block without an end", page.display());
    commands
}

/// The README and all pages in `docs/`.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = fs::read_dir(root.join("docs")).unwrap();
    let mut pages: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

/// A TCP segment of 60 bytes from this port.
fn tcp(port: u16) -> Vec<u8> {
    let mut frame = wire::udp(port);
    frame[23] = 6;
    frame[38..46].fill(0);
    frame[46..50].copy_from_slice(&[0x50, 0x10, 1, 0]);
    frame
}

/// Two namespaces, in the second of which `eth4` and `eth5` receive and send; and a folder with the tools.
struct Place {
    left: NetNs,
    right: NetNs,
    folder: tempfile::TempDir,
    has_duckdb: bool,
}

/// The body of a script that does what `duckdb -c SQL` does.
fn duckdb() -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/duckdb/bin/python");
    format!(
        r#"PATH=${{PATH#*:}}
        if command -v duckdb > /dev/null; then exec duckdb "$@"; fi
        test "$1" = -c
        for python in {} python3; do
            if "$python" -c 'import duckdb' 2> /dev/null; then
                exec "$python" -c 'import duckdb, sys; print(duckdb.sql(sys.argv[1]))' "$2"
            fi
        done
        echo 'no DuckDB' >&2
        exit 127"#,
        python.display()
    )
}

/// The body of a script that stands for `kubectl`: two nodes have a pod of the DaemonSet each, which captures `eth4` of the one
/// and `eth5` of the other.
const KUBECTL: &str = r#"
    no() { echo "kubectl: $*" >&2; exit 2; }
    namespace=default
    if [ "$1" = -n ]; then namespace=$2; shift 2; fi
    case "$namespace $*" in
        "default apply -f "* | "default delete -f "*) test -e "$3" ;;
        "xdpdump rollout status daemonset/xdpdump" | "xdpdump logs --prefix -l app.kubernetes.io/name=xdpdump") ;;
        "xdpdump get pods -l app.kubernetes.io/name=xdpdump --field-selector status.phase=Running -o jsonpath="*)
            printf 'xdpdump-7xk2p node-a\nxdpdump-q9d4m node-b\n' ;;
        "xdpdump cp xdpdump-7xk2p:/captures "*) cp -r captures "$3" ;;
        "default debug node/node-c --profile=sysadmin --image="*" -- sleep 1h") ;;
        "default debug web-6d4cf --profile=sysadmin --image="*" -c capture -- sleep 1h") ;;
        "default delete pod node-debugger-node-c-x5v8t") ;;
        *" exec "*)
            shift
            container=
            if [ "$1" = -c ]; then container=$2; shift 2; fi
            pod=$1; shift
            if [ "$1" = -c ]; then container=$2; shift 2; fi
            [ "$1" = -- ] || no "no -- before the command"
            shift
            case "$namespace $pod $container" in
                "xdpdump xdpdump-7xk2p " | "xdpdump xdpdump-7xk2p xdpdump") export NODE=eth4 ;;
                "xdpdump xdpdump-q9d4m " | "xdpdump xdpdump-q9d4m xdpdump") export NODE=eth5 ;;
                "default node-debugger-node-c-x5v8t " | "default web-6d4cf capture") ;;
                *) no "no pod $namespace $pod $container" ;;
            esac
            case "$*" in
                "xdpdump-live"*) ;;
                "xdpdump -r /captures "*) shift 3; set -- xdpdump -r captures "$@" ;;
                "xdpdump -i "*) [ "$namespace" = default ] || no "the pod has a capture of this interface" ;;
                "sh -c kill -HUP 1") exit ;;
                *) no "$*" ;;
            esac
            exec "$@" ;;
        *) no "$namespace $*" ;;
    esac"#;

impl Place {
    fn new() -> Self {
        let (left, right) = NetNs::quiet_pair("peer4", "eth4");
        left.ip(["link", "add", "peer5", "type", "veth", "peer", "name", "eth5", "netns", right.name()]);
        left.ip(["link", "set", "peer5", "up"]);
        right.ip(["link", "set", "eth5", "up"]);
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        std::os::unix::fs::symlink(docs.canonicalize().unwrap(), folder.path().join("docs")).unwrap();
        let seconds = 10 * wait::slowness();
        let until_it_has_seen_enough = format!(
            r#"case " $* " in
                *" -c "* | *" -r "* | *" -D "* | *" -d "* | *" -J "*) exec {0} "$@" ;;
                " repair "* | " doctor "* | " extcap "* | " --version "*) exec {0} "$@" ;;
            esac
            exec timeout --preserve-status -s INT {seconds} {0} -c 40 "$@""#,
            tool()
        );
        for (name, script) in [
            ("xdpdump", until_it_has_seen_enough),
            (
                "wireshark",
                "test \"$*\" = '-k -i -' && test \"$(tshark -n -i - -c 3 | wc -l)\" = 3".to_owned(),
            ),
            ("duckdb", duckdb()),
            ("kubectl", KUBECTL.to_owned()),
            // It follows the files of the capture of a pod.
            ("xdpdump-live", "exec xdpdump -i \"$NODE\" -w - \"$@\"".to_owned()),
            (
                "ssh",
                "case $1 in root@server | root@HOST) shift ;; *) exit 2 ;; esac; exec sh -c \"$*\""
                    .to_owned(),
            ),
        ] {
            let path = bin.join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let has_duckdb = Command::new("sh")
            .args(["-c", "PATH=$PWD/bin:$PATH exec duckdb -c 'SELECT 1'"])
            .current_dir(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        Self { left, right, folder, has_duckdb }
    }

    /// Sends until `done`: from both ends, something for each filter.
    fn send(&self, done: &AtomicBool) {
        let wires = [(&self.left, "peer4"), (&self.left, "peer5"), (&self.right, "eth4")]
            .map(|(netns, interface)| Wire::open(netns, interface));
        while !done.load(Ordering::Relaxed) {
            for wire in &wires {
                for frame in [tcp(443), tcp(22), wire::udp(53), wire::numbered(7)] {
                    wire.send(&frame);
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a command line; what is wrong with it, if anything is. The doctor's status is what it found.
    fn run(&self, line: &str) -> Result<(), String> {
        let file = self.folder.path().join("out.pcapng");
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/protocols.pcap");
        let made = Command::new(tool()).arg("-r").arg(fixture).arg("-w").arg(&file).output().unwrap();
        assert!(made.status.success());
        let captures = self.folder.path().join("captures");
        fs::create_dir_all(&captures).unwrap();
        fs::copy(&file, captures.join("recorded.pcapng")).unwrap();

        if line.starts_with("duckdb ") && !self.has_duckdb {
            skip::because("DuckDB is not installed: `cargo xtask test` installs it from PyPI");
            return Ok(());
        }
        let line = line.replace("blue", self.right.name());
        let script = format!("export PATH=$PWD/bin:$PATH HOME=$PWD\nset -e -o pipefail\n{line}");
        let mut command = self.right.command("timeout");
        command.args([&(30 * wait::slowness()).to_string(), "bash", "-c", &script]);
        let output = command.current_dir(self.folder.path()).output().unwrap();
        let diagnosed = line.starts_with("xdpdump doctor") && matches!(output.status.code(), Some(1 | 3));
        if output.status.success() || diagnosed {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{line}\n  {}: {}", output.status, stderr.trim_end().replace('\n', "\n  ")))
    }
}

/// Parses a command line of this tool.
fn parse(line: &str) -> Result<(), String> {
    let command = line.split(" #").next().unwrap_or_default();
    assert!(command.starts_with("xdpdump "), "{line}: only this tool's command lines can be parsed");
    let parsed = cli::parse(command.split_whitespace().map(Into::into));
    parsed.map(drop).map_err(|error| format!("{line}\n  {error}"))
}

#[test]
fn every_command_of_the_pages_runs() {
    // A page each at the same time: most commands wait for something.
    let failures = thread::scope(|scope| {
        let pages = pages().into_iter().map(|page| scope.spawn(move || failures_of(&page)));
        let pages: Vec<_> = pages.collect();
        pages.into_iter().flat_map(|page| page.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn failures_of(page: &Path) -> Vec<String> {
    let commands = commands(page);
    let place = Place::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| place.send(&done));
        let run = |(kind, number, line): &(Kind, usize, String)| {
            let result = match kind {
                Kind::Run => place.run(line),
                Kind::Parse => parse(line),
                Kind::Shown => Ok(()),
            };
            let name = page.file_name().unwrap().display();
            result.err().map(|failure| format!("{name}:{number}: {failure}"))
        };
        let failures = commands.iter().filter_map(run).collect();
        done.store(true, Ordering::Relaxed);
        failures
    })
}

/// The pages for tasks have commands, and those are not all of the kind that is not run.
#[test]
fn the_pages_for_tasks_have_commands_that_are_run() {
    let all: Vec<_> = pages().iter().flat_map(|page| commands(page)).collect();
    let count = |wanted| all.iter().filter(|(kind, ..)| *kind == wanted).count();
    assert!(count(Kind::Run) >= 50, "{} commands are run", count(Kind::Run));
    assert!(count(Kind::Parse) <= 8, "{} commands are only parsed", count(Kind::Parse));
    for page in [
        "wireshark",
        "remote",
        "fleet",
        "json",
        "long-captures",
        "what-xdp-sees",
        "tuning",
        "troubleshooting",
    ] {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{page}.md"));
        assert!(commands(&page).iter().any(|(kind, ..)| *kind == Kind::Run), "{}", page.display());
    }
}

/// A link to a page or to a section of one leads there.
#[test]
fn links_between_the_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (path, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            // It may be a picture.
            let bytes =
                fs::read(&target).unwrap_or_else(|error| panic!("{}: {link}: {error}", page.display()));
            let text = String::from_utf8_lossy(&bytes);
            let anchor =
                |heading: &str| heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            let is_there =
                text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == section);
            assert!(section.is_empty() || is_there, "{}: {link}", page.display());
        }
    }
}
