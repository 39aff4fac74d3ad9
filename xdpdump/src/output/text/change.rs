//! What an XDP program changed in a frame: the frame at its entry compared with the frame at its exit.

use std::{collections::VecDeque, io::Write as _};

/// How many frames are remembered between entry and exit: the packets of all CPUs are printed in the order of time, so about
/// as many as there are CPUs that receive frames at the same moment.
const REMEMBERED: usize = 64;

/// Most places that are named.
const MOST: usize = 8;

/// Remembers frames from the entry until the exit.
#[derive(Default)]
pub(super) struct Changes(VecDeque<(u64, Vec<u8>)>);

impl Changes {
    /// Remembers the frame with this packet id at the entry.
    pub fn enter(&mut self, id: u64, frame: &[u8]) {
        let mut memory = if self.0.len() < REMEMBERED {
            Vec::new()
        } else {
            self.0.pop_front().map_or_else(Vec::new, |(_, memory)| memory)
        };
        memory.clear();
        memory.extend_from_slice(frame);
        self.0.push_back((id, memory));
    }

    /// Appends what changed in the frame with this packet id, as one more line; nothing if it did not change, or is not
    /// remembered.
    pub fn exit(&mut self, out: &mut Vec<u8>, id: u64, frame: &[u8]) {
        let Some(at) = self.0.iter().rposition(|(entered, _)| *entered == id) else { return };
        if let Some((_, before)) = self.0.remove(at) {
            describe(out, &before, frame);
        }
    }
}

/// The places that differ, by their offsets, as the rows of a hex dump have them.
fn describe(out: &mut Vec<u8>, before: &[u8], after: &[u8]) {
    if before == after {
        return;
    }
    // Writing to memory does not fail.
    let _ = write!(out, "\n\tchanged:");
    if before.len() != after.len() {
        let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
        let front = same(&mut before.iter().zip(after));
        let rest = before.len().min(after.len()) - front;
        let back = same(&mut before.iter().rev().zip(after.iter().rev())).min(rest);
        let (old, new) = (before.len() - front - back, after.len() - front - back);
        let _ = write!(out, " {old} bytes at 0x{front:04x} became {new}");
        return;
    }
    let differs = |at: usize| before.get(at) != after.get(at);
    let mut places = 0;
    let mut at = 0;
    while at < after.len() {
        if !differs(at) {
            at += 1;
            continue;
        }
        let begin = at;
        while at < after.len() && differs(at) {
            at += 1;
        }
        places += 1;
        if places > MOST {
            let _ = write!(out, " ...");
            return;
        }
        let separator = if places == 1 { "" } else { "," };
        let _ = match at - 1 {
            last if last == begin => write!(out, "{separator} 0x{begin:04x}"),
            last => write!(out, "{separator} 0x{begin:04x}-0x{last:04x}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &[u8], after: &[u8]) -> String {
        let (mut changes, mut out) = (Changes::default(), Vec::new());
        changes.enter(7, before);
        changes.enter(8, b"another");
        changes.exit(&mut out, 7, after);
        changes.exit(&mut out, 7, b"once");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn places_are_offsets() {
        assert_eq!(changed(b"0123456789", b"0123456789"), "");
        assert_eq!(changed(b"0123456789", b"x12345678y"), "\n\tchanged: 0x0000, 0x0009");
        assert_eq!(changed(b"0123456789", b"01xyz56789"), "\n\tchanged: 0x0002-0x0004");
    }

    #[test]
    fn a_frame_can_grow_and_shrink() {
        assert_eq!(changed(b"0123456789", b"01236789"), "\n\tchanged: 2 bytes at 0x0004 became 0");
        assert_eq!(changed(b"0123456789", b"0123xyz456789"), "\n\tchanged: 0 bytes at 0x0004 became 3");
        assert_eq!(changed(b"", b"01"), "\n\tchanged: 0 bytes at 0x0000 became 2");
        assert_eq!(changed(b"aaa", b"aaaa"), "\n\tchanged: 0 bytes at 0x0003 became 1");
    }

    #[test]
    fn lines_and_memory_are_bounded() {
        let (before, after): (Vec<u8>, Vec<u8>) = ([0; 200].into(), (0..200).map(|at| at % 2).collect());
        let text = changed(&before, &after);
        assert!(text.ends_with("0x000f ...") && text.len() < 100, "{text}");
        let mut changes = Changes::default();
        (0..1000).for_each(|id| changes.enter(id, &before));
        assert_eq!(changes.0.len(), REMEMBERED);
        let mut out = Vec::new();
        changes.exit(&mut out, 1, &after);
        assert!(out.is_empty(), "forgotten");
        changes.exit(&mut out, 999, &after);
        assert!(!out.is_empty());
    }
}
