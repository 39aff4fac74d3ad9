//! What the branches of a merge have in common, and how their packets, interfaces and ends are handed on.

use std::{mem, ops::ControlFlow};

use super::{Receiver, branch::Branch, interfaces::Interfaces};
use crate::{input::Item, order::Stream as _};

/// What the branches have in common.
pub struct Common {
    interfaces: Interfaces,
    /// Which arguments are directories.
    is_directory: Vec<bool>,
    /// Number of branches that go on.
    open: usize,
    /// Number of branches that were not read to their ends.
    failed: usize,
    /// The time of the latest packet that was handed on.
    latest: u64,
    /// Nothing is said of ends.
    is_stopped: bool,
}

/// Why a merge pauses.
pub enum Pause<E> {
    /// A branch has nothing at the moment.
    Empty,
    End(E),
}

impl Common {
    /// For arguments with these labels, some of which are directories, with so many branches.
    pub fn new(labels: Vec<String>, is_directory: Vec<bool>, open: usize) -> Self {
        let interfaces = Interfaces::new(labels);
        Self { interfaces, is_directory, open, failed: 0, latest: 0, is_stopped: false }
    }

    /// Number of arguments.
    pub fn arguments(&self) -> usize {
        self.is_directory.len()
    }

    /// Number of branches that were not read to their ends.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// From now on, nothing is said of ends.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Takes note of the names of a branch's interfaces, before one is announced.
    pub fn expect(&mut self, branch: &Branch) {
        for interface in &branch.described {
            self.interfaces.expect(branch.argument, interface);
        }
    }

    /// Hands on packets of a branch, up to a time.
    pub fn take<R: Receiver>(
        &mut self,
        branch: &mut Branch,
        until: u64,
        needs_all: bool,
        receiver: &mut R,
    ) -> ControlFlow<Pause<R::End>> {
        while let Some(time) = branch.next_time().filter(|time| *time <= until) {
            branch.wake();
            if branch.has_news() {
                self.news(branch, receiver).map_break(Pause::End)?;
            }
            branch.note_late(self.latest);
            self.latest = self.latest.max(time);
            let flow = match branch.packet() {
                Some(packet) => receiver.item(Item::Packet(packet)),
                None => ControlFlow::Continue(()),
            };
            branch.load();
            flow.map_break(Pause::End)?;
            if branch.has_news() {
                self.news(branch, receiver).map_break(Pause::End)?;
            }
            if needs_all && branch.is_awaited() {
                return ControlFlow::Break(Pause::Empty);
            }
        }
        ControlFlow::Continue(())
    }

    /// Announces new interfaces of a branch, hands its blocks on, and says how it ended.
    pub fn news<R: Receiver>(&mut self, branch: &mut Branch, receiver: &mut R) -> ControlFlow<R::End> {
        loop {
            self.announce(branch, receiver)?;
            let has_more = branch.is_full();
            for block in branch.take_blocks() {
                receiver.item(Item::Block(block.borrow()))?;
            }
            if !has_more {
                return self.end(branch, receiver);
            }
            branch.load();
        }
    }

    fn announce<R: Receiver>(&mut self, branch: &mut Branch, receiver: &mut R) -> ControlFlow<R::End> {
        if branch.is_live
            && branch.numbers.is_empty()
            && let Some(first) = branch.described.first()
        {
            receiver.begins(&branch.name, branch.format(), first)?;
        }
        for interface in mem::take(&mut branch.described) {
            let is_directory =
                self.is_directory.get(branch.argument).is_some_and(|is_directory| *is_directory);
            let (number, new) = self.interfaces.add(branch.argument, is_directory, interface);
            branch.numbers.push(number);
            if let Some(new) = new {
                receiver.item(Item::Interface(&new))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn end<R: Receiver>(&mut self, branch: &mut Branch, receiver: &mut R) -> ControlFlow<R::End> {
        let Some(ended) = branch.ended.take() else { return ControlFlow::Continue(()) };
        self.open -= 1;
        if self.is_stopped {
            return ControlFlow::Continue(());
        }
        let others = match self.open {
            0 => String::new(),
            1 => "; the other input goes on".to_owned(),
            open => format!("; {open} other inputs go on"),
        };
        match ended {
            Ok(()) if branch.is_live && self.open > 0 => {
                let packets = if branch.packets == 1 { "packet" } else { "packets" };
                receiver.say(&format!("{} ended after {} {packets}{others}", branch.name, branch.packets));
            }
            Ok(()) => {}
            Err(error) => {
                self.failed += 1;
                receiver.say(&format!("{error}{others}"));
            }
        }
        ControlFlow::Continue(())
    }
}
