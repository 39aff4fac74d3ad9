//! A file that reaches its size limit ends with a whole packet.

use std::process::Command;

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision},
};
use xdpdump_testing::large_capture::{assert_stays_failed, send};

/// This must be the only test of this binary, because the limit applies to the whole process.
#[test]
fn a_file_at_its_size_limit_ends_on_a_whole_packet() {
    let directory = tempfile::tempdir().unwrap();
    for (name, format) in [("limit.pcapng", Format::Pcapng), ("limit.pcap", Format::Pcap)] {
        let path = directory.path().join(name);
        let mut sink = output::open(&path, format, Precision::Nano).unwrap();
        let sentence = format!(
            "cannot write to {}: the file reached its size limit: raise it (`ulimit -f`) or write elsewhere with -w",
            path.display()
        );
        with_file_size_limit(3_000_001, || {
            assert_eq!(send(&mut *sink).unwrap_err().to_string(), sentence);
            assert_stays_failed(&mut *sink, &sentence);
            drop(sink);
        });

        let size = path.metadata().unwrap().len();
        assert!((2_998_000..3_000_001).contains(&size), "{name}: {size} bytes");
        let output = Command::new("capinfos").arg("-Mc").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("cut short"));

        let mut file = CaptureFile::open(&path).unwrap();
        let mut packets = 0;
        while let Some(item) = file.next().unwrap() {
            packets += i64::from(matches!(item, Item::Packet(_)));
        }
        assert!((2_800..3_000).contains(&packets), "{name}: {packets} packets");
    }
}

/// Runs `action` while no file of this process may grow beyond `bytes`.
fn with_file_size_limit(bytes: u64, action: impl FnOnce()) {
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are to rlimits that live through the calls; ignoring a signal installs no handler.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut old), 0);
        let new = libc::rlimit { rlim_cur: bytes, ..old };
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const new), 0);
    }
    action();
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const old) }, 0);
}
