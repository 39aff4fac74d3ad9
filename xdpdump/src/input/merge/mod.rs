//! Several files and streams as one capture, in the order of time.

mod arguments;
mod branch;
mod common;
mod interfaces;
mod totals;

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit, setrlimit};

pub use self::arguments::Inputs;
use self::{
    arguments::Argument,
    branch::Branch,
    common::{Common, Pause},
};
use super::{Error, Item};
use crate::{
    order::{Merge, Stream as _},
    output::{Format, Target},
    packet::Interface,
    sys::poll::Poller,
};

/// Gets what is merged.
pub trait Receiver {
    /// Why no more is wanted.
    type End;

    /// Takes the next item.
    fn item(&mut self, item: Item<'_>) -> ControlFlow<Self::End>;

    /// A stream with this name has described its first interface.
    fn begins(&mut self, name: &str, format: Format, interface: &Interface) -> ControlFlow<Self::End>;

    /// A sentence for the user.
    fn say(&mut self, sentence: &str);

    /// Waits for what `poller` has, for at most `timeout`.
    fn wait(&mut self, poller: Poller, timeout: Duration) -> ControlFlow<Self::End>;
}

/// A merge of files and streams.
///
/// A packet of a stream waits until each other stream has a later one, or for the reorder window if one has none. So a stream
/// that stalls does not hold the others up for longer, and its packets are handed on when they come, however late.
pub struct Merger {
    branches: Vec<Branch>,
    /// Those of the branches in directories.
    directories: Vec<Directory>,
    window: Duration,
    /// When what is known of the interfaces is announced, at the latest.
    begin_by: Instant,
    has_begun: bool,
    merge: Merge,
    common: Common,
}

/// A directory of capture files.
struct Directory {
    argument: usize,
    name: String,
    files: usize,
}

/// What can be handed on.
enum Limit {
    /// All packets up to this time; everything, if no branch is awaited.
    UpTo(u64),
    /// Nothing before this moment, if anything ever.
    Wait(Option<Instant>),
}

impl Merger {
    /// Opens all inputs. Of files, it reads up to the first packet.
    ///
    /// # Errors
    /// When one cannot be opened or is no capture, or when one is named twice that can be read only once.
    pub fn open(inputs: Inputs, window: Duration) -> Result<Self, Error> {
        let arguments = inputs.into_arguments();
        raise_limit();
        let (mut branches, mut directories, mut is_directory) = (Vec::new(), Vec::new(), Vec::new());
        for (number, argument) in arguments.iter().enumerate() {
            is_directory.push(argument.is_directory());
            if argument.is_directory() {
                let files = files_of(number, argument)?;
                let name = argument.path.display().to_string();
                if files.is_empty() {
                    return Err(Error::NoCaptures { name });
                }
                directories.push(Directory { argument: number, name, files: files.len() });
                branches.extend(files);
                continue;
            }
            let target = Target::of_input(&argument.path);
            if matches!(target, Target::Descriptor(_))
                && arguments.iter().take(number).any(|other| Target::of_input(&other.path) == target)
            {
                return Err(Error::Twice { name: target.name() });
            }
            let name = match target {
                _ if argument.is_named => argument.label.clone(),
                Target::Descriptor(0) => target.name(),
                _ => argument.path.display().to_string(),
            };
            branches.push(Branch::open(number, &argument.path, name)?);
        }
        let labels = arguments.into_iter().map(|argument| argument.label).collect();
        let common = Common::new(labels, is_directory, branches.len());
        let begin_by = Instant::now() + window;
        let merge = Merge::default();
        Ok(Self { branches, directories, window, begin_by, has_begun: false, merge, common })
    }

    /// Whether there is a stream among them.
    pub fn is_live(&self) -> bool {
        self.branches.iter().any(|branch| branch.is_live)
    }

    /// Number of files and streams, and of those that were not read to their ends.
    pub fn counts(&self) -> (usize, usize) {
        (self.branches.len(), self.common.failed())
    }

    /// Name, format and first interface of each file that has one.
    pub fn files(&self) -> impl Iterator<Item = (&str, Format, &Interface)> {
        self.branches.iter().filter_map(|branch| {
            Some((
                branch.name.as_str(),
                branch.format(),
                branch.described.first().filter(|_| !branch.is_live)?,
            ))
        })
    }

    /// What is read from, and its first interface: each file by itself, and a directory as a whole.
    pub fn descriptions(&self) -> impl Iterator<Item = (String, &Interface)> {
        let first = |argument| {
            let mut branches = self.branches.iter().filter(move |branch| branch.argument == argument);
            branches.find_map(|branch| branch.described.first().filter(|_| !branch.is_live))
        };
        (0..self.common.arguments()).filter_map(move |argument| {
            let what = match self.directories.iter().find(|directory| directory.argument == argument) {
                Some(Directory { name, files: 1, .. }) => format!("directory {name} (1 capture file)"),
                Some(Directory { name, files, .. }) => format!("directory {name} ({files} capture files)"),
                None => {
                    let branch = self.branches.iter().find(|branch| branch.argument == argument)?;
                    format!("file {}", branch.name)
                }
            };
            Some((what, first(argument)?))
        })
    }

    /// Hands everything on to `receiver`, until all inputs have ended or it wants no more.
    pub fn run<R: Receiver>(&mut self, receiver: &mut R) -> ControlFlow<R::End> {
        loop {
            let now = Instant::now();
            for branch in &mut self.branches {
                branch.read_ahead(now, self.window);
            }
            let due = if self.begin(now) {
                for branch in &mut self.branches {
                    self.common.news(branch, receiver)?;
                }
                self.hand_on(now, receiver)?
            } else {
                Some(self.begin_by)
            };
            if self.branches.iter_mut().all(|branch| !branch.is_open() && !branch.has_news()) {
                return self.finish(receiver);
            }
            let mut poller = Poller::default();
            for branch in &mut self.branches {
                if let Some(stream) = branch.descriptor() {
                    poller.readable(stream);
                }
            }
            let now = Instant::now();
            receiver.wait(poller, due.map_or(Duration::MAX, |due| due.saturating_duration_since(now)))?;
        }
    }

    /// Hands on what of the streams has been read, without reading more; files are left where they are.
    pub fn drain<R: Receiver>(&mut self, receiver: &mut R) -> ControlFlow<R::End> {
        self.common.stop();
        self.begin_by = Instant::now();
        for branch in &mut self.branches {
            branch.stop_reading();
        }
        self.run(receiver)
    }

    /// A sentence for each branch with packets that were too late.
    pub fn late(&self) -> impl Iterator<Item = String> {
        self.branches.iter().filter(|branch| branch.late.packets > 0).map(|branch| {
            let packets = match branch.late.packets {
                1 => "1 packet".to_owned(),
                packets => format!("{packets} packets"),
            };
            format!(
                "{}: {packets} came up to {:.3} s too late for the order of time and {was} written where {they} came; \
                 a longer --reorder-window helps if the clocks agree",
                branch.name,
                branch.late.most.as_secs_f64(),
                was = if branch.late.packets == 1 { "was" } else { "were" },
                they = if branch.late.packets == 1 { "it" } else { "they" },
            )
        })
    }

    /// Whether the interfaces that are known can be announced: each branch has described one, or has had its time.
    fn begin(&mut self, now: Instant) -> bool {
        let is_known = |branch: &Branch| !branch.described.is_empty() || !branch.is_open();
        if !self.has_begun && (now >= self.begin_by || self.branches.iter().all(is_known)) {
            self.has_begun = true;
            for branch in &self.branches {
                self.common.expect(branch);
            }
        }
        self.has_begun
    }

    /// Hands on what can be; returns when there will be more, even if nothing comes.
    fn hand_on<R: Receiver>(
        &mut self,
        now: Instant,
        receiver: &mut R,
    ) -> ControlFlow<R::End, Option<Instant>> {
        loop {
            let limit = match self.limit(now) {
                Limit::Wait(until) => return ControlFlow::Continue(until),
                Limit::UpTo(limit) => limit,
            };
            let common = &mut self.common;
            let take = |branch: &mut Branch, until| common.take(branch, until, limit == u64::MAX, receiver);
            let taken = self.merge.run(&mut self.branches, limit, take);
            match taken {
                ControlFlow::Continue(_) => {}
                ControlFlow::Break(Pause::Empty) => return ControlFlow::Continue(Some(now)),
                ControlFlow::Break(Pause::End(end)) => return ControlFlow::Break(end),
            }
        }
    }

    fn limit(&mut self, now: Instant) -> Limit {
        let awaited = self.branches.iter().filter(|branch| branch.is_awaited());
        let silent = awaited.map(|branch| branch.silent_since + self.window).max();
        let (mut limit, mut wait) = (None, None::<Instant>);
        for branch in &mut self.branches {
            let Some(time) = branch.next_time() else { continue };
            // If none is awaited, everything can go.
            let Some(silent) = silent else { return Limit::UpTo(u64::MAX) };
            match branch.waits_until(self.window, silent) {
                until if until > now => wait = Some(wait.map_or(until, |wait| wait.min(until))),
                _ => limit = limit.max(Some(time)),
            }
        }
        limit.map_or(Limit::Wait(wait), Limit::UpTo)
    }

    /// Hands on the totals: those of one capture in several files once, those of several captures together.
    fn finish<R: Receiver>(&mut self, receiver: &mut R) -> ControlFlow<R::End> {
        let totals = totals::sum(self.branches.iter_mut().flat_map(Branch::totals));
        totals.into_iter().try_for_each(|statistics| receiver.item(Item::Statistics(statistics, None)))
    }
}

/// The capture files in a directory. What is no capture is left out, and so is a file without anything in it.
fn files_of(number: usize, argument: &Argument) -> Result<Vec<Branch>, Error> {
    let mut branches = Vec::new();
    for path in argument.files()? {
        let name = path.display().to_string();
        match Branch::open(number, &path, name.clone()) {
            Ok(branch) => branches.push(branch),
            Err(Error::UnknownFormat { .. } | Error::TooShort { .. }) => {}
            Err(error @ Error::Open { .. }) => return Err(error),
            Err(error) => branches.push(Branch::failed(number, name, error)),
        }
    }
    Ok(branches)
}

/// Lets this process open as many files as the system permits it. If that is refused, opening one more than are permitted
/// fails with a sentence.
fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
