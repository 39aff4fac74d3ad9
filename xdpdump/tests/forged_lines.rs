//! Names that contain line breaks, escape sequences or marks that reverse text: every message stays on one line.

use std::{fs, path::Path};

use assert_cmd::cargo::cargo_bin_cmd;

/// A name with everything that must be escaped: a forged line, a terminal's escape sequence, a mark that reverses the text
/// after it.
const EVIL: &str = "a\nxdpdump: all is well\u{1b}[2J\u{202e}b";

#[test]
fn no_name_forges_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let evil = folder.path().join(EVIL);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/classic.pcap");
    fs::copy(&fixture, &evil).expect("a copy");
    let cut = folder.path().join(format!("cut{EVIL}"));
    let bytes = fs::read(&fixture).expect("a file");
    fs::write(&cut, bytes.split_last_chunk::<5>().expect("more bytes").0).expect("a file");
    let (evil, cut) = (evil.to_str().expect("a name"), cut.to_str().expect("a name"));
    let missing = format!("{evil}/missing");
    for arguments in [
        &["-r", evil][..],
        &["-r", cut],
        &["-r", &missing],
        &["-r", fixture.to_str().expect("a name"), "-w", &missing],
        &["-r", evil, "-w", evil],
        &["repair", cut],
        &["repair", &missing],
        &["-i", EVIL],
        &["doctor", "-i", EVIL],
        &["doctor", EVIL],
        &["-i", "lo", "-c", EVIL],
        &["-i", "lo", "--transport", EVIL],
        &["-r", evil, EVIL],
        &[&format!("--{EVIL}")],
    ] {
        let output = cargo_bin_cmd!("xdpdump").args(arguments).output().expect("the tool runs");
        let said =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{arguments:?}: {said:?}");
        assert!(
            said.lines().all(|line| !line.starts_with("xdpdump: all is well")),
            "{arguments:?}: {said:?}"
        );
        // A filter is shown line by line, indented; everything else on the line that tells of it.
        let shown =
            [r"a\nxdpdump: all is well\u{1b}[2J\u{202e}b", r"  xdpdump: all is well\u{1b}[2J\u{202e}b"];
        assert!(shown.iter().any(|shown| said.contains(shown)), "{arguments:?}: {said:?}");
    }
}
