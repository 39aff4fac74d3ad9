//! Standard output, and standard input, under all their names, shared with others, and closed.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use xdpdump::input::{CaptureFile, Item};

/// Runs a shell command in which `$X` is the tool and `$F` a capture file.
fn shell(command: &str, directory: &Path) -> Output {
    Command::new("bash")
        .args(["-c", command])
        .env("X", env!("CARGO_BIN_EXE_xdpdump"))
        .env("SHELL", "/bin/bash")
        .env("F", concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/protocols.pcap"))
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Number of packets in a capture file, which must be whole.
fn packets(bytes: &[u8]) -> usize {
    let mut file = CaptureFile::new(bytes, "output").unwrap();
    let mut packets = 0;
    while let Some(item) = file.next().unwrap() {
        packets += usize::from(matches!(item, Item::Packet(_)));
    }
    packets
}

fn all_packets() -> usize {
    packets(&fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/protocols.pcap")).unwrap())
}

/// Text goes to standard error when the capture file goes to standard output.
#[test]
fn every_name_of_standard_output_is_standard_output() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::os::unix::fs::symlink("/dev/stdout", path.join("link")).unwrap();
    for output in ["- | cat", "/dev/stdout | cat", "/dev/fd/1 | cat", "/proc/self/fd/1 | cat", "link | cat"] {
        let ended = shell(&format!("$X -r $F --print -w {output}"), path);
        assert_eq!(packets(&ended.stdout), all_packets(), "{output}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("IP 10.0.0."), "{output}");
    }
    // Another descriptor of the same pipe or file.
    let ended = shell("$X -r $F --print -w /dev/fd/3 3>&1 | cat", path);
    assert_eq!(packets(&ended.stdout), all_packets());
    shell("$X -r $F --print -w file > file", path);
    assert_eq!(packets(&fs::read(path.join("file")).unwrap()), all_packets());
}

#[test]
fn another_descriptor_is_written_to_and_not_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let ended =
        shell("(printf before >&3; $X -r $F -w /dev/fd/3; printf behind >&3) 3> file", directory.path());
    assert!(ended.status.success());
    let bytes = fs::read(directory.path().join("file")).unwrap();
    let capture = bytes.strip_prefix(b"before").unwrap().strip_suffix(b"behind").unwrap();
    assert_eq!(packets(capture), all_packets());
}

#[test]
fn the_next_writer_appends_to_the_capture() {
    let directory = tempfile::tempdir().unwrap();
    for redirection in ["> file", ">> file"] {
        let _ = fs::remove_file(directory.path().join("file"));
        let ended =
            shell(&format!("(printf before; $X -r $F -w -; printf behind) {redirection}"), directory.path());
        assert!(ended.status.success());
        let bytes = fs::read(directory.path().join("file")).unwrap();
        let capture = bytes.strip_prefix(b"before").unwrap().strip_suffix(b"behind").unwrap();
        assert_eq!(packets(capture), all_packets(), "{redirection}");
    }
}

#[test]
fn a_capture_file_does_not_go_where_people_read() {
    let directory = tempfile::tempdir().unwrap();
    for (output, sentence) in [
        ("-", "standard output is a terminal, and a capture file is binary"),
        ("/dev/stdout", "standard output is a terminal, and a capture file is binary"),
        ("/dev/tty", "/dev/tty is a terminal, and a capture file is binary"),
        ("/dev/stderr", "standard error also gets the messages, which would damage a capture file"),
        ("- 2>&1 | cat", "standard output also gets the messages, which would damage a capture file"),
        ("file 2>>file; cat file; false", "file also gets the messages, which would damage a capture file"),
    ] {
        let ended = shell(
            &format!("script -qec 'set -o pipefail; $X -r $F -w {output}' /dev/null < /dev/null"),
            directory.path(),
        );
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(said.contains(sentence), "{output}: {said}");
        assert_eq!(ended.status.code(), Some(1), "{output}");
        assert!(!said.contains("Linux"), "{output}: {said}");
    }
}

#[test]
fn what_was_opened_for_the_other_direction_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, sentence) in [
        ("-r $F -w - 1</dev/null", "cannot open standard output for writing: it was opened for reading only"),
        (
            "-r $F -w /dev/stdout 1</etc/passwd",
            "cannot open standard output for writing: it was opened for reading only",
        ),
        ("-r $F 1</dev/null", "cannot open standard output for writing: it was opened for reading only"),
        (
            "-r $F -w /dev/fd/3 3</etc/passwd",
            "cannot open file descriptor 3 for writing: it was opened for reading only",
        ),
        ("-r - 0>file", "cannot open standard input: it was opened for writing only"),
        ("-r /dev/fd/4 4>file", "cannot open /dev/fd/4: it was opened for writing only"),
        ("-r /dev/fd/77", "cannot open /dev/fd/77: it is closed"),
        ("-r /dev/stdin <&-", "cannot open standard input: it is closed"),
    ] {
        let ended = shell(&format!("$X {arguments}"), directory.path());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{arguments}: {said}");
        assert_eq!(said.lines().last(), Some(&*format!("xdpdump: {sentence}")), "{arguments}");
    }
}

#[test]
fn every_name_of_standard_input_is_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    for input in ["- < $F", "/dev/stdin < $F", "/dev/fd/0 < $F", "/dev/fd/5 5< $F", "<(cat $F)"] {
        let ended = shell(&format!("$X -r {input} -w -  | cat"), directory.path());
        assert_eq!(
            packets(&ended.stdout),
            all_packets(),
            "{input}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    // It is not overwritten under any of them.
    let ended = shell("cp $F file; $X -r /dev/stdin -w /dev/fd/3 < file 3>> file", directory.path());
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("standard input would be overwritten while it is read"), "{said}");
}

#[test]
fn a_text_that_finds_no_room_is_an_error_and_a_reader_that_has_gone_is_none() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in ["--help", "--version", "-D"] {
        let ended = shell(&format!("$X {arguments} >/dev/full"), directory.path());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{arguments}: {said}");
        assert!(
            said.starts_with("xdpdump: cannot write to standard output: no space left"),
            "{arguments}: {said}"
        );
        // The fifo's reader has gone before the tool begins.
        let script = format!(
            "mkfifo fifo; cat fifo >/dev/null & exec 3>fifo; kill %1; wait; $X {arguments} >&3; r=$?; rm fifo; exit $r"
        );
        let ended = shell(&script, directory.path());
        assert_eq!((ended.status.code(), &ended.stderr[..]), (Some(0), &b""[..]), "{arguments}");
    }
}

#[test]
fn closed_from_the_start_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in ["-w -", "-w /dev/stdout", "", "--print -w file", "--count"] {
        let ended = shell(&format!("$X -r $F {arguments} >&-"), directory.path());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{arguments}: {said}");
        assert!(
            said.contains("cannot open standard output for writing: it is closed"),
            "{arguments}: {said}"
        );
    }
    let ended = shell("$X -D >&-", directory.path());
    assert_eq!(ended.status.code(), Some(1));
    for arguments in ["--help", "-h", "--version", "repair --help"] {
        let ended = shell(&format!("$X {arguments} >&-"), directory.path());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{arguments}: {said}");
        assert_eq!(said, "xdpdump: cannot open standard output for writing: it is closed\n", "{arguments}");
    }
    let ended = shell("$X -r $F -w /dev/fd/17", directory.path());
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("cannot open file descriptor 17 for writing: it is closed"), "{said}");
    // Output that is discarded on purpose; daemons and Python open `/dev/null` for reading and writing.
    for null in [">/dev/null", "1<>/dev/null"] {
        assert!(shell(&format!("$X -r $F -w - {null} 2>&-"), directory.path()).status.success(), "{null}");
    }
}
