//! Finds out which frames libpcap matches, by running tcpdump.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

use xdpdump_testing::filters::{classic, frames::Capture};

/// Whether libpcap's optimizer runs. The optimized and the unoptimized program load different bytes, so they can judge
/// frames that end early differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    On,
    Off,
}

/// For each frame, whether tcpdump matches it.
///
/// # Errors
/// tcpdump's message about an expression that it refuses.
pub fn chosen(capture: &Capture, expression: &str, optimizer: Optimizer) -> Result<Vec<bool>, String> {
    let mut tcpdump = Command::new("tcpdump")
        .args(["-r", "-", "-w", "-"])
        .args((optimizer == Optimizer::Off).then_some("-O"))
        .args(["--", expression])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tcpdump is needed: apt-get install tcpdump");
    let mut stdin = tcpdump.stdin.take().unwrap();
    let file = capture.file.clone();
    // Writing fails when tcpdump refuses the expression and stops reading.
    let writer = thread::spawn(move || drop(stdin.write_all(&file)));
    let output = tcpdump.wait_with_output().unwrap();
    writer.join().unwrap();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("expression rejects all packets") {
            return Ok(vec![false; capture.frames.len()]);
        }
        return Err(said.lines().last().unwrap_or_default().to_owned());
    }
    let mut chosen = vec![false; capture.frames.len()];
    // The time stamp of a frame is its number.
    for record in classic::records(&output.stdout) {
        chosen[record.seconds as usize] = true;
    }
    Ok(chosen)
}
