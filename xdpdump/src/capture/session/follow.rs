//! Follows interfaces that go and come, and the programs beside which frames are captured.

use std::time::Instant;

use super::Session;
use crate::{
    capture::{
        Error, announce, until_stopped,
        waiting::{FREE_FOR, Until, Waiting},
        watch::Change,
    },
    config::Interfaces,
    interface::{self, Link},
    probe,
    report::Reporter,
};

impl Session<'_> {
    /// Leaves out what is gone, and captures what came up. A capture of named interfaces ends with the last one.
    pub(super) fn follow_interfaces(
        &mut self,
        changes: Vec<Change>,
        reporter: &mut dyn Reporter,
    ) -> Result<(), Error> {
        for change in changes {
            match change {
                Change::Lost(sources, Error::Detached(_))
                    if sources.iter().any(|source| self.is_beside(*source)) =>
                {
                    self.wait_for_program(&sources);
                }
                Change::Lost(sources, error) => {
                    for source in &sources {
                        self.connection.release(*source);
                        let link =
                            self.connection.sources.get(*source as usize).map(|source| source.link.index);
                        self.waiting.retain(|waiting| Some(waiting.link.index) != link);
                    }
                    self.lost(error, reporter)?;
                }
                Change::Up(link) => {
                    self.waiting.retain(|waiting| waiting.link.index != link.index);
                    let refused = self.add(&link, reporter)?;
                    let mode = self.order.config.mode;
                    self.waiting.extend(
                        refused.and_then(|reason| Waiting::for_another_program(&link, &reason, mode)),
                    );
                }
            }
        }
        self.follow_programs(reporter)
    }

    /// Gives up sources whose program was replaced or removed, until the interface has one again.
    pub(super) fn wait_for_program(&mut self, sources: &[u32]) {
        for source in sources {
            self.connection.release(*source);
        }
        // The two points beside one program are of the same interface.
        for source in sources.iter().filter_map(|source| self.connection.sources.get(*source as usize)) {
            if !self.waiting.iter().any(|waiting| waiting.link.index == source.link.index) {
                let until = Until::Replaced { is_said: false };
                self.waiting.push(Waiting { link: source.link.clone(), until, refused: None });
            }
        }
    }

    fn is_beside(&self, source: u32) -> bool {
        self.connection.sources.get(source as usize).is_some_and(|source| source.beside.is_some())
    }

    /// Captures again from interfaces whose program was replaced or removed, as soon as they have one. It is never replaced by a
    /// program of this capture, which would keep whoever restarts it from attaching it again; one that kept an interface from
    /// being captured is, after a while.
    fn follow_programs(&mut self, reporter: &mut dyn Reporter) -> Result<(), Error> {
        for _ in 0..self.waiting.len() {
            let mut waiting = self.waiting.remove(0);
            let name = waiting.link.display_name();
            let link = match Link::by_index(waiting.link.index) {
                Err(interface::Error::UnknownIndex(_)) => {
                    if let Until::Replaced { .. } = waiting.until {
                        self.lost(Error::Gone(name), reporter)?;
                    }
                    continue;
                }
                Err(_) => {
                    self.waiting.push(waiting);
                    continue;
                }
                Ok(link) => link,
            };
            match (probe::beside(&link, self.order.config.mode), waiting.until) {
                (Some(program), until) => {
                    if waiting.refused != Some(program) && self.add(&link, reporter)?.is_none() {
                        continue;
                    }
                    waiting.refused = Some(program);
                    if let Until::Free { .. } = until {
                        waiting.until = Until::Free { since: None };
                    }
                }
                (None, Until::Free { since: Some(since) }) if since.elapsed() >= FREE_FOR => {
                    match self.add(&link, reporter)? {
                        None => continue,
                        Some(reason) if !reason.is_of_a_program() => continue,
                        Some(_) => {}
                    }
                }
                (None, until) => {
                    if let Until::Replaced { is_said: false } = until {
                        reporter.say(&format!(
                            "{name} runs no XDP program any more: frames will be captured when one is attached"
                        ));
                    }
                    waiting.refused = None;
                    waiting.until = match until {
                        Until::Replaced { .. } => Until::Replaced { is_said: true },
                        Until::Attached => Until::Attached,
                        Until::Free { since } => {
                            Until::Free { since: since.or_else(|| Some(Instant::now())) }
                        }
                    };
                }
            }
            self.waiting.push(waiting);
        }
        Ok(())
    }

    /// Reports that an interface is not captured any more. A capture of named interfaces ends with the last one.
    fn lost(&mut self, error: Error, reporter: &mut dyn Reporter) -> Result<(), Error> {
        let is_last = !self.connection.is_attached() && self.waiting.is_empty();
        if is_last && self.order.config.interfaces != Interfaces::Any {
            return Err(error);
        }
        reporter.say(&format!("{error}; the capture goes on without it"));
        Ok(())
    }

    /// Captures from one more interface, if that is possible; returns why nothing of it is captured, otherwise.
    fn add(&mut self, link: &Link, reporter: &mut dyn Reporter) -> Result<Option<Error>, Error> {
        let before = self.connection.sources.len();
        let order = self.remote.as_ref().map_or(self.order, |remote| remote.order(self.order));
        let refused = match until_stopped(&self.signals, || self.connection.attach(order, link)) {
            Ok(Some(()) | None) => None,
            Err(error) if error.is_of_one_interface() => {
                reporter.say(&format!("{} is not captured: {error}", link.display_name()));
                Some(error)
            }
            Err(error) => return Err(error),
        };
        for source in self.connection.sources.iter().skip(self.delivery.sources()) {
            announce(source, self.order, reporter);
            let number = self.delivery.add(source)?;
            self.watch.captured(link, number);
        }
        Ok(refused.filter(|_| self.connection.sources.len() == before))
    }
}
