//! Whether tests can attach XDP programs on this machine.

use std::process::{Command, Stdio};

use crate::process;

/// Why XDP programs cannot be attached on this machine, for the summary; `None` if they can.
///
/// Loading a program and attaching it to an interface in a new namespace are separate permissions, so both are tried.
pub fn refusal() -> Option<String> {
    if !process::root_available() {
        return Some(
            "they need root, and sudo needs a password: run `sudo -v` first, or run this as root".to_owned(),
        );
    }
    let features = output(process::as_root("bpftool").args(["feature", "probe", "kernel"]));
    if !features.contains("program_type xdp is available") {
        return Some(
            "the kernel refuses to load XDP programs, as containers' often do: use a virtual machine"
                .to_owned(),
        );
    }
    let mut namespace = process::as_root("unshare");
    namespace.args(["--net", "ip", "link", "add", "try0", "type", "veth", "peer", "name", "try1"]);
    let made = namespace.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    (!made).then(|| "the kernel refuses to create a network namespace with a veth pair".to_owned())
}

fn output(command: &mut Command) -> String {
    let output = command.env("PATH", process::search_path()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
