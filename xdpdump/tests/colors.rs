//! Text has colours when they are asked for, or on a terminal, and never otherwise.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::process::Command;

/// What is printed of a file, on a terminal or not, with this variable in the environment.
fn print(arguments: &str, on_terminal: bool, variable: (&str, &str)) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/protocols.pcap");
    let command = format!("{} -r {file} {arguments}", env!("CARGO_BIN_EXE_xdpdump"));
    let mut program = Command::new(if on_terminal { "script" } else { "sh" });
    if on_terminal {
        program.args(["-qec", &command, "/dev/null"]);
    } else {
        program.args(["-c", &command]);
    }
    let output =
        program.env("TERM", "xterm").env_remove("NO_COLOR").env(variable.0, variable.1).output().unwrap();
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

const NOTHING: (&str, &str) = ("SOMETHING", "");

#[test]
fn colours_are_on_terminals() {
    let plain = print("", false, NOTHING);
    assert!(!plain.contains('\x1b'), "{plain}");
    let painted = print("--color=always", false, ("NO_COLOR", "1"));
    assert!(painted.contains("\x1b[36m"), "{painted}");
    let mut stripped = painted.clone();
    for code in ["\x1b[36m", "\x1b[1;31m", "\x1b[0m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
    assert!(print("", true, NOTHING).contains('\x1b'));
    for (arguments, variable) in
        [("", ("NO_COLOR", "1")), ("", ("TERM", "dumb")), ("--color=never", NOTHING), ("--json", NOTHING)]
    {
        assert!(!print(arguments, true, variable).contains('\x1b'), "{arguments} {variable:?}");
    }
}
